# SPDX-License-Identifier: BSD-2-Clause
"""Coefficients of the area formula, written by `make fit-area` from 20 mapped arrays."""

COEFFICIENTS = {
    "lut": {"soc": 0.83, "lanes": 1.087, "wraps": 1.012, "drain": 1.021, "requantizers": 1.05, "rows": 0.981, "columns": 0.908,
        "softmax": 1.011, "control": 0.912, "memory": 0.922, "roms": 1.175, "loadable": 1.0},
    "lut_sites": {"soc": 1.078, "lanes": 1.342, "wraps": 1.022, "drain": 1.178, "requantizers": 1.141, "rows": 1.113,
        "columns": 0.715, "softmax": 1.054, "control": 1.039, "memory": 1.105, "roms": 1.249, "loadable": 1.0},
}
