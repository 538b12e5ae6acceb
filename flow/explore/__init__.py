# SPDX-License-Identifier: BSD-2-Clause
"""Search over sizes, bit widths and arrays for a Pareto front."""
