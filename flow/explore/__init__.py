"""Search over sizes, bit widths and arrays for a Pareto front."""
