# SPDX-License-Identifier: BSD-2-Clause
"""The repository whose pages these modules write; they run from a checkout, not from an installed wheel."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
