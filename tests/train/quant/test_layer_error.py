# SPDX-License-Identifier: BSD-2-Clause
"""Quantization error of every tensor."""

import numpy as np
import pytest

from liteformer.accel import golden, numerics
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.run import train
from liteformer.train.quant.layer_error import before_rounding, layer_errors


@pytest.fixture(scope="module", params=[{"bits": 4, "patch": 2, "stride": 2}, {"bits": 8}], ids=str)
def some_run(request, small, tmp_path_factory):
    """Trained too little for its clamps to become a part of what it computes, so that rounding makes most of the errors."""
    out = tmp_path_factory.mktemp("run") / "model"
    return train(TrainOptions(**small, **request.param, heads=2, layers=2, qat_lr=1e-3, out=str(out)))


def test_rounding_what_was_measured_gives_the_integers(some_run):
    model, trace = some_run.model, {}
    golden.infer(model, some_run.test_raw[:50], trace)
    names = []
    for name, exact in before_rounding(model, trace):
        limits = numerics.signed_range(model.config.bits[name])
        assert np.array_equal(np.clip(numerics.round_half_up(exact), *limits), trace[name]), name
        names.append(name)
    assert len(names) == 1 + 2 * 7


def test_errors_are_those_of_a_uniform_grid(some_run):
    """Rounding to 2^b steps costs at least 1 / sqrt(12) of a step against a spread of less than half the range; more steps
    cost less."""
    errors = layer_errors(some_run)
    bits = some_run.model.config.bits
    assert set(errors) == {name for name in bits if name not in ("input", "position") and not name.endswith((
        "probability", "weight"))}
    for name, error in errors.items():
        assert 0.5 / (12 ** 0.5 * 2 ** (bits[name] - 1)) < error < 20 / 2 ** bits[name], name
