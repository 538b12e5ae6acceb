# SPDX-License-Identifier: BSD-2-Clause
"""Random windows: what bench and simulate feed to a model without a test set."""

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import INT32, random_windows


@pytest.mark.parametrize("window, features, bits", [(1, 1, 2), (12, 7, 4), (5, 3, 8)])
def test_random_windows_use_the_whole_input_range(window, features, bits):
    """The quantized input reaches both ends and its middle, and some samples lie far outside."""
    model = random_model(np.random.default_rng(3), window=window, features=features, d_model=8, bits=bits)
    raw = random_windows(model, 400, seed=1)
    trace = {}
    golden.infer(model, raw, trace)
    lo, hi = model.input_range
    assert raw.shape == (400, window, features) and INT32[0] <= raw.min() and raw.max() <= INT32[1]
    assert (trace["input"].min(), trace["input"].max()) == (lo, hi)
    assert np.mean(np.abs(trace["input"]) < 40) > 0.2
    assert np.abs(raw).max() > 1 << 28
    assert np.array_equal(raw, random_windows(model, 400, seed=1))
    assert not np.array_equal(raw, random_windows(model, 400, seed=2))
