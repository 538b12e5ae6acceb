"""Figures of a compiled model: cycles on the simulated SoC, area, paths, timeline, activity, energy."""
