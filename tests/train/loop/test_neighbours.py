# SPDX-License-Identifier: BSD-2-Clause
"""Baselines of a forecast that are trained: what they can learn, what they must not know, and the sentence on a better one."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.gru import Recurrent
from liteformer.train.loop.neighbours import neighbours
from liteformer.train.loop.nlinear import NLinear
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.reuse import FloatTrainings
from liteformer.train.loop.run import train
from liteformer.train.loop.trainer import Windows
from liteformer.train.metrics.baselines import rmse
from liteformer.train.metrics.boosting import boosting
from liteformer.train.metrics.verdict import behind


@pytest.mark.parametrize("skip", ["none", "persistence"])
def test_nlinear_without_weights_repeats_the_last_value(csv, frame, skip):
    data = load_dataset(csv(frame, window=6, skip=skip))
    network = NLinear(data, 1)
    torch.nn.init.zeros_(network.map.weight)
    torch.nn.init.zeros_(network.map.bias)
    with torch.no_grad():
        out = network(torch.as_tensor(data.windows(data.test), dtype=torch.float32)).double().numpy()
    if skip == "persistence":
        assert not out.any()
    else:
        assert np.allclose(out * data.target_scale + data.target_mean, data.last_values(data.test), atol=1e-3)


def test_nlinear_needs_the_target_as_input(csv, frame):
    options = csv(frame, window=6, features=["b"], epochs=1, neighbours="quick")
    data = load_dataset(options)
    windows = Windows(torch.as_tensor(data.raw, dtype=torch.float32), data)
    forecasts, _ = neighbours(options, data, windows, 100, lambda network: type(network).__name__, None, FloatTrainings())
    assert forecasts["nlinear"] is None and forecasts["mlp"] == "Perceptron"


@pytest.mark.parametrize("parameters", [300, 13000])
def test_gru_has_about_as_many_parameters(csv, frame, parameters):
    data = load_dataset(csv(frame, window=6))
    count = sum(one.numel() for one in Recurrent(data, parameters, 1).parameters())
    assert abs(count - parameters) < 0.1 * parameters


@pytest.mark.parametrize("refit", [False, True])
def test_lightgbm_learns_a_step(csv, frame, refit):
    """What b was decides a: trees find it. Other test values change nothing that is learned."""
    pytest.importorskip("lightgbm", reason="LightGBM is not installed (extra baselines)")
    frame["a"] = np.where(frame["b"].shift(1) > frame["b"].median(), 5.0, -5.0) + frame["a"] / 100
    data = load_dataset(csv(frame, window=4))
    forecast, truth = boosting(data, refit), data.truth[data.test]
    assert forecast.shape == truth.shape and rmse(forecast, truth) < 0.3 * truth.std()
    changed = data.truth.copy()
    changed[data.test] += 100
    assert np.array_equal(boosting(replace(data, truth=changed), refit), forecast)


def test_metrics_of_all(small, tmp_path, monkeypatch):
    """Without LightGBM the others are still there, and one sentence says why."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    stages = []
    options = TrainOptions(**small | {"neighbours": "all"}, out=str(tmp_path / "m"))
    metrics = train(options, lambda stage, *_: stages.append(stage)).metrics
    assert list(metrics["rmse"])[5:] == ["least_squares", "nlinear", "lightgbm", "mlp", "gru"]
    assert metrics["rmse"]["lightgbm"] is None and metrics["rmse"]["nlinear"] > 0 and metrics["rmse"]["gru"] > 0
    assert metrics["notes"] == ["LightGBM is not installed, so the forecast is not compared with it; in LiteFormer's folder "
                                "run pip install '.[baselines]'"]
    assert list(dict.fromkeys(stages)) == ["float", "qat", "nlinear", "mlp", "gru"]
    assert metrics["behind"] == behind(metrics["rmse"]) == json.loads((tmp_path / "m" / "metrics.json").read_text())["behind"]


def test_the_sentence():
    errors = {"integer": {"mean": 2.0, "std": 0.1}, "persistence": 3.0, "mlp": {"mean": 1.95}, "lightgbm": 1.9, "gru": None}
    assert behind(errors) == ("better than this model (RMSE 2.000) on the test set: LightGBM (1.900), an MLP of the same size "
                              "(1.950)")
    assert behind(errors | {"integer": 1.5}) is None
