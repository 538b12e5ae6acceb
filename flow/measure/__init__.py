# SPDX-License-Identifier: BSD-2-Clause
"""Figures of a compiled model: cycles on the simulated SoC, area, paths, timeline, activity, energy."""
