# SPDX-License-Identifier: BSD-2-Clause
"""Coefficients of the area formula, written by `make fit-area` from 20 mapped arrays."""

COEFFICIENTS = {
    "lut": {"soc": 0.825, "lanes": 1.085, "wraps": 0.964, "drain": 1.075, "requantizers": 1.045, "rows": 1.014,
        "columns": 0.877, "softmax": 1.022, "control": 0.91, "memory": 0.843, "roms": 1.259, "loadable": 1.0},
    "lut_sites": {"soc": 1.095, "lanes": 1.375, "wraps": 1.028, "drain": 1.142, "requantizers": 1.151, "rows": 1.122,
        "columns": 0.602, "softmax": 1.054, "control": 1.044, "memory": 0.981, "roms": 1.282, "loadable": 1.0},
}
