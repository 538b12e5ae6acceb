# SPDX-License-Identifier: BSD-2-Clause
"""Metrics of a trained model on its tasks, baselines, pictures."""
