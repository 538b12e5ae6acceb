# SPDX-License-Identifier: BSD-2-Clause
"""Coefficients of the area formula, written by `make fit-area`."""

COEFFICIENTS = {
    "lut": {"soc": 0.896, "lanes": 0.908, "wraps": 1.297, "drain": 1.181, "requantizers": 1.208, "rows": 0.724,
        "columns": 1.601, "softmax": 1.111, "control": 0.914, "memory": 1.032, "roms": 1.097, "loadable": 1.146},
    "lut_sites": {"soc": 1.132, "lanes": 1.045, "wraps": 1.416, "drain": 1.321, "requantizers": 1.333, "rows": 0.829,
        "columns": 1.298, "softmax": 1.078, "control": 1.061, "memory": 1.186, "roms": 1.103, "loadable": 1.145},
}
