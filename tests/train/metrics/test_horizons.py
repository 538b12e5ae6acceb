# SPDX-License-Identifier: BSD-2-Clause
"""Forecasts of several steps: the error of each, in the files of a training, over seeds, and in an evaluation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liteformer.flow.common.metrics_table import columns
from liteformer.flow.runs.evaluate import run_evaluation
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.seeds import train_seeds
from liteformer.train.metrics.horizons import rmse_by_step


@pytest.fixture(scope="module")
def three(small, tmp_path_factory):
    """Two seeds of a forecast of two targets, three steps ahead."""
    folder = tmp_path_factory.mktemp("steps")
    rng, angle = np.random.default_rng(5), np.arange(500) / 5
    frame = pd.DataFrame({"a": np.sin(angle) * 10 + rng.normal(0, 1, 500), "b": np.cos(angle) + rng.normal(0, 0.1, 500)})
    frame.to_csv(folder / "series.csv", index=False)
    options = small | {"path": str(folder / "series.csv"), "target": ["a", "b"], "horizon": 3, "batch": 32}
    return train_seeds(TrainOptions(**options, out=str(folder / "three")), 2)


def by_hand(prediction, truth, step):
    columns = [step - 1, 3 + step - 1]
    return np.sqrt(np.mean((prediction[:, columns] - truth[:, columns]) ** 2))


def test_each_step_has_its_error(three):
    single = json.loads((Path(three.options.out) / f"seed{three.options.seed}" / "metrics.json").read_text())
    for name, prediction in (("integer", three.integer_prediction()), ("float", three.float_prediction),
                             ("persistence", three.persistence)):
        wanted = [by_hand(prediction, three.test_truth, step) for step in (1, 2, 3)]
        assert single["rmse_by_step"][name] == pytest.approx(wanted), name
        assert np.sqrt(np.mean(np.square(single["rmse_by_step"][name]))) == pytest.approx(single["rmse"][name])
    assert set(single["rmse_by_step"]) == {"float", "qat", "integer", "persistence", "least_squares", "mlp"}
    assert np.diff(single["rmse_by_step"]["persistence"]).min() > 0


def test_a_shifted_truth_moves_the_error(three):
    """Negative control: the steps of one target in the wrong order."""
    wrong = three.test_truth[:, [1, 2, 0, 3, 4, 5]]
    own = rmse_by_step(three.persistence, three.test_truth, 3)
    assert np.abs(np.subtract(rmse_by_step(three.persistence, wrong, 3), own)).min() > 0.01 * own[0]


def test_over_seeds_and_in_an_evaluation(three):
    metrics = json.loads((Path(three.options.out) / "metrics.json").read_text())
    steps = metrics["rmse_by_step"]
    seeds = [json.loads((Path(three.options.out) / f"seed{seed}" / "metrics.json").read_text())["rmse_by_step"]
             for seed in (1, 2)]
    for step in range(3):
        assert steps["integer"][step]["values"] == [one["integer"][step] for one in seeds]
        assert steps["integer"][step]["mean"] == pytest.approx(np.mean([one["integer"][step] for one in seeds]))
    assert steps["persistence"] == seeds[0]["persistence"]
    evaluated = run_evaluation(three.options.out)
    assert evaluated["rmse_by_step"]["integer"] == pytest.approx(seeds[three.options.seed - 1]["integer"])
    assert evaluated["rmse_by_step"]["mlp"] == pytest.approx([entry["mean"] for entry in steps["mlp"]])
    assert evaluated["rmse_by_step"]["soc"] is None
    assert list(columns(evaluated)) == ["RMSE", "step 1", "step 3"]
    assert columns(metrics)["step 3"]["integer"] == steps["integer"][2]


def test_picture_only_with_several_steps(three, run):
    assert (Path(three.options.out) / "steps.png").stat().st_size > 10_000
    assert not (Path(run.options.out) / "steps.png").exists() and "rmse_by_step" not in run.metrics
