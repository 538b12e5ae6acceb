# SPDX-License-Identifier: BSD-2-Clause
"""Several seeds as one run, the interval of the test error, and bit widths by class."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.tensors import tensor_names
from liteformer.train.loop.options import TrainOptions, tensor_classes
from liteformer.train.loop.run import load_run
from liteformer.train.loop.seeds import train_seeds
from liteformer.train.metrics.intervals import block_bootstrap, over_seeds


def test_two_seeds(run, small, tmp_path):
    out, calls = tmp_path / "two", []
    both = train_seeds(TrainOptions(**small, out=str(out)), 2, lambda *call: calls.append(call))
    first, second = (load_run(out / f"seed{seed}") for seed in (1, 2))
    assert first.model.id == run.model.id != second.model.id
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics == both.metrics
    values = [one.metrics["rmse"]["integer"] for one in (first, second)]
    figures = metrics["rmse"]["integer"]
    assert figures["values"] == values and figures["mean"] == pytest.approx(np.mean(values))
    assert figures["std"] == pytest.approx(abs(values[0] - values[1]) / 2 ** 0.5)
    assert figures["low"] < figures["mean"] < figures["high"]
    assert metrics["rmse"]["persistence"] == run.metrics["rmse"]["persistence"]
    best = min((first, second), key=lambda one: one.metrics["validation"]["integer"])
    assert both.model.id == best.model.id and metrics["chosen_seed"] == best.options.seed == both.options.seed
    assert np.array_equal(both.integer_prediction(), best.integer_prediction())
    assert {call[3]["seed"] for call in calls} == {(1, 2), (2, 2)}
    assert sorted(path.name for path in Path(out).iterdir() if path.is_dir()) == ["seed1", "seed2"]
    calls.clear()
    shutil.rmtree(out / "seed2")
    again = train_seeds(TrainOptions(**small, out=str(out)), 2, lambda *call: calls.append(call), resume=True)
    assert {call[3]["seed"] for call in calls} == {(2, 2)} and again.model.id == both.model.id
    assert again.metrics["rmse"] == metrics["rmse"]


def test_one_seed_is_a_plain_training(run, small, tmp_path):
    one = train_seeds(TrainOptions(**small, out=str(tmp_path / "one")), 1)
    assert one.model.id == run.model.id and one.metrics["rmse"] == run.metrics["rmse"]
    with pytest.raises(LiteFormerError, match="seeds is 0; choose 1 to 1000"):
        train_seeds(TrainOptions(**small), 0)


def test_interval_covers_the_error_of_other_test_sets():
    """Of 200 correlated series 95 % must lie near; an interval without blocks would be much too narrow."""
    rng, inside, narrow = np.random.default_rng(4), 0, 0
    for _ in range(200):
        noise = rng.normal(0, 1, 900)
        errors = np.convolve(noise, np.ones(6) / 6 ** 0.5, "same")[None, :, None]
        interval = block_bootstrap(errors)
        inside += interval["low"] < 1 < interval["high"]
        spread = 1.96 * np.std(errors[0, :, 0] ** 2) / 2 / 30
        narrow += abs(np.sqrt(np.mean(errors ** 2)) - 1) < spread
    assert interval["block"] == 30
    assert 176 <= inside <= 200
    assert narrow < 150


def test_interval_of_a_constant_error_is_a_point():
    interval = block_bootstrap(np.full((2, 50, 3), 2.0))
    assert (interval["low"], interval["high"], interval["std"]) == pytest.approx((2, 2, 0), abs=1e-9)
    assert over_seeds([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(2 ** 0.5), "values": [1.0, 3.0]}


@pytest.mark.parametrize("layers", [1, 2])
def test_every_tensor_is_in_one_class(layers):
    classes = tensor_classes(layers)
    wide = [classes.pop(name) for name in ("weights", "activations")]
    assert sorted(name for names in classes.values() for name in names) == sorted(tensor_names(layers))
    assert not set(wide[0]) & set(wide[1])


def test_the_more_special_width_wins():
    bits = TrainOptions(bits=5, bits_of={"layers.0.query": 8, "attention": 6, "weights": 3, "ffn": 2}).tensor_bits
    assert [bits[name] for name in ("layers.0.query", "layers.0.key", "layers.0.key.weight", "embed.weight", "hidden",
                                    "layers.0.expanded", "layers.0.probability", "input")] == [8, 6, 6, 3, 5, 2, 8, 8]
    bits = TrainOptions(bits_of={"layers.0.attended": 7, "hidden": 3}).tensor_bits
    assert (bits["layers.0.attended"], bits["layers.0.hidden"], bits["hidden"]) == (7, 3, 3)
