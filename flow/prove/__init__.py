# SPDX-License-Identifier: BSD-2-Clause
"""Formal proofs of gateware modules, `make prove`: properties in Migen around the modules themselves, checked by a solver."""
