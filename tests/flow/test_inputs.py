"""Random windows and the picture."""

import numpy as np
import pytest
from matplotlib.image import imread

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.flow import plots
from liteformer.flow.inputs import INT32, random_windows


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


def test_forecast_picture(tmp_path):
    """The picture has a curve in each series' colour, and nothing is left beside it."""
    truth = np.sin(np.arange(64) / 5)
    plots.forecast(tmp_path / "p.png", truth, {"float": truth + 0.2, "SoC": truth - 0.3}, "Title", "kW", "load")
    pixels = imread(tmp_path / "p.png")[..., :3]
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
    for index, present in enumerate((True, True, False)):
        colour = np.array([int(plots.COLOURS[index][i:i + 2], 16) / 255 for i in (1, 3, 5)])
        assert (np.abs(pixels - colour).max(axis=-1).min() < 0.02) == present
