# SPDX-License-Identifier: BSD-2-Clause
"""Shapes that reach every branch of the compiler, each compiled once for all its tests."""

import functools
import json

from liteformer.accel.compiler import HardwareOptions, compile_model

from .common import make_model

SHAPES = [
    ({"readout": "mean"}, {}),
    ({"readout": "last", "layers": 2, "heads": 2}, {"rows": 2}),
    ({"readout": "mean", "window": 12, "d_model": 32, "features": 7}, {}),
    ({"readout": "last", "window": 12, "d_model": 32, "features": 7}, {}),
    ({"readout": "mean", "window": 12, "d_model": 24, "heads": 4, "layers": 3, "bits": 6},
     {"rows": 4, "columns": 5, "requantizers": 1}),
    ({"readout": "last", "window": 10, "d_model": 12, "heads": 3, "layers": 2, "bits": 8, "outputs": 9},
     {"rows": 5, "columns": 7, "requantizers": 5}),
    ({"readout": "mean", "window": 6, "d_model": 6, "heads": 6, "layers": 2}, {"rows": 1, "columns": 1}),
    ({"readout": "last", "window": 22, "patch": 4, "stride": 2, "features": 3, "d_model": 8}, {"rows": 5}),
    ({"readout": "last", "window": 24, "d_model": 8, "ffn": 5}, {"rows": 12, "columns": 3, "requantizers": 3}),
]


def compiled(shape, options):
    """The model of a shape, compiled once for all tests."""
    return _compiled(json.dumps(shape), json.dumps(options))


@functools.cache
def _compiled(shape, options):
    return compile_model(make_model(**json.loads(shape)), HardwareOptions(**json.loads(options)))
