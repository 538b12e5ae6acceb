# SPDX-License-Identifier: BSD-2-Clause
"""Coefficients of the area formula, written by `make fit-area`."""

COEFFICIENTS = {
    "lut": {"soc": 0.821, "lanes": 1.064, "wraps": 0.965, "drain": 1.073, "requantizers": 1.146, "rows": 0.976,
        "columns": 0.848, "softmax": 1.126, "control": 0.914, "memory": 0.843, "roms": 1.241, "loadable": 1.256},
    "lut_sites": {"soc": 1.067, "lanes": 1.338, "wraps": 1.036, "drain": 1.204, "requantizers": 1.247, "rows": 1.124,
        "columns": 0.647, "softmax": 1.134, "control": 1.039, "memory": 1.0, "roms": 1.262, "loadable": 1.304},
}
