# SPDX-License-Identifier: BSD-2-Clause
"""Figures of a trained model on its tasks, baselines, pictures."""
