# SPDX-License-Identifier: BSD-2-Clause
"""Classification and search for anomalies: figures, baselines, settings, and whole trainings."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from liteformer.accel import decision, golden
from liteformer.accel.model import AnomalySettings
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.run import load_run, train
from liteformer.train.loop.seeds import train_seeds
from liteformer.train.metrics.alarms import alarm_figures, choose_settings, three_sigma
from liteformer.train.metrics.classes import class_figures, confusion, logistic_regression, majority
from liteformer.train.metrics.tasks import labels_of

# A second or two each.
SMALL = {"classification": {"window": 10, "d_model": 16, "epochs": 3, "window_stride": 10},
         "anomaly": {"window": 6, "d_model": 8, "epochs": 2}}
DECISIONS = {"classification": "accuracy", "anomaly": "f1"}


@pytest.fixture(scope="module", params=["classification", "anomaly"])
def task_run(request, tmp_path_factory):
    """A small finished Run of each task."""
    out = tmp_path_factory.mktemp("run") / request.param
    return train(TrainOptions(task=request.param, **SMALL[request.param], out=str(out)))


# Figures and baselines ----------------------------------------------------------------------------

def test_confusion_and_class_figures():
    truth, decided = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0])
    assert confusion(truth, decided, 3).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    figures = class_figures(truth, decided, 3)
    assert figures["accuracy"] == pytest.approx(4 / 6)
    assert figures["macro_f1"] == pytest.approx((4 / 6 + 4 / 5 + 0) / 3)
    assert class_figures(truth, truth, 3) == {"accuracy": 1.0, "macro_f1": 1.0}


def test_alarm_figures():
    figures = alarm_figures(np.array([1, 1, 1, 0, 0]), np.array([1, 1, 0, 1, 0]))
    assert figures == {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    assert alarm_figures(np.zeros(3), np.zeros(3)) == {"precision": 0, "recall": 0, "f1": 0}


def test_majority_and_logistic_regression():
    dataset = load_dataset(TrainOptions(task="classification", window=10, window_stride=10))
    truth = labels_of(dataset, dataset.test)
    most = class_figures(truth, majority(dataset, dataset.train, dataset.test), 6)["accuracy"]
    fitted = class_figures(truth, logistic_regression(dataset, dataset.train, dataset.test), 6)["accuracy"]
    assert most == pytest.approx(1 / 6) and 0.3 < fitted < 0.6
    # On its own training windows it knows more than on the test's.
    own = class_figures(labels_of(dataset, dataset.train), logistic_regression(dataset, dataset.train, dataset.train), 6)
    assert own["accuracy"] > fitted


def test_three_sigma():
    dataset = load_dataset(TrainOptions(task="anomaly"))
    alarms = three_sigma(dataset, dataset.train, dataset.test)
    last = dataset.raw[dataset.test + 11]
    far = np.abs(last - dataset.raw[dataset.train + 11].mean(axis=0)) > 3 * dataset.raw[dataset.train + 11].std(axis=0)
    assert 0 < alarms.sum() < 0.1 * len(alarms) and np.array_equal(alarms, far.any(axis=1))


# Settings -----------------------------------------------------------------------------------------

def small_config(**changes):
    """What ``choose_settings`` reads of a ModelConfig: two targets, the second with errors half as large."""
    return SimpleNamespace(**{"target_features": [0, 1], "raw_scale": [4.0, 1.0], "output_scale": [1.0, 1.0],
                              "task": "anomaly"} | changes)


def stream(rows=400, seed=1):
    """Outputs that are always 0, raw windows of length 1 of noise, and 40 rows that stick out by six deviations."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, [400, 50], (rows, 2))
    labels = np.isin(np.arange(rows) // 10, [5, 15, 25, 35])
    values[labels] += [0, 300]
    return np.zeros((rows, 2), np.int64), np.rint(values).astype(np.int64)[:, None], labels


def test_settings_bring_the_targets_to_one_scale():
    outputs, raw, labels = stream()
    settings = choose_settings(outputs, raw, small_config(), labels)
    assert (settings.shifts, settings.gains) == ([2, 0], [0, 1])
    alarms = decision.decide(small_config(anomaly=settings), outputs, raw)[:, 1]
    assert alarm_figures(labels, alarms)["f1"] > 0.9


def test_settings_are_the_best_of_all_thresholds():
    outputs, raw, labels = stream()
    best = choose_settings(outputs, raw, small_config(), labels)
    reached = alarm_figures(labels, decision.decide(small_config(anomaly=best), outputs, raw)[:, 1])["f1"]
    for smoothing in range(decision.MAX_SMOOTHING + 1):
        for threshold in range(0, 3000, 7):
            settings = AnomalySettings(**best.model_dump() | {"smoothing": smoothing, "threshold": threshold})
            other = small_config(anomaly=settings)
            assert alarm_figures(labels, decision.decide(other, outputs, raw)[:, 1])["f1"] <= reached


def test_settings_without_an_anomaly_are_a_quantile():
    outputs, raw, _ = stream(4000)
    settings = choose_settings(outputs, raw, small_config(), np.zeros(4000, bool))
    alarms = decision.decide(small_config(anomaly=settings), outputs, raw)[:, 1]
    assert alarms.sum() <= 4


def test_a_level_that_differs_from_stretch_to_stretch_is_learned():
    """Five stretches whose first target lies elsewhere each time; without a calibration the threshold is above all of it."""
    rng, rows = np.random.default_rng(2), 500
    offset = np.repeat([0, 4000, -8000, 2000, 9000], rows)
    values = np.rint(rng.normal(0, [40, 10], (5 * rows, 2)) + offset[:, None] * [1, 0]).astype(np.int64)
    windows = [np.lib.stride_tricks.sliding_window_view(values[n:n + rows], (2, 2))[:, 0] for n in range(0, 5 * rows, rows)]
    raw = np.concatenate(windows)
    outputs, normal = np.zeros((len(raw), 2), np.int64), np.zeros(len(raw), bool)
    learned = choose_settings(outputs, raw, small_config(), normal)
    assert learned.calibration and learned.gains == [0, 0]
    shifted, wrong = raw.copy(), np.tile(np.arange(rows - 1) >= 300, 5)
    shifted[wrong] += [80, 20]
    plain = AnomalySettings(**learned.model_dump() | {"calibration": 0, "gains": [0, 2], "smoothing": 2})
    unlearned = decision.decide(small_config(anomaly=plain), outputs, raw)[:, 0]
    plain = AnomalySettings(**plain.model_dump() | {"threshold": int(np.quantile(unlearned, 0.999))})
    # The row at the edge of a shift breaks the continuity of raw windows: the order is given.
    follows = decision.continues(raw)
    f1 = [alarm_figures(wrong, decision.decide(small_config(anomaly=one), outputs, shifted, follows)[:, 1])["f1"]
          for one in (learned, plain)]
    assert f1[0] > 0.9 and f1[1] < 0.5
    assert not choose_settings(outputs[:150], raw[:150], small_config(), normal[:150]).calibration


# Trainings ----------------------------------------------------------------------------------------

def test_files_and_metrics(task_run):
    task, out = task_run.options.task, Path(task_run.options.out)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics == json.loads(json.dumps(task_run.metrics))
    pictures = {"classification": ["confusion.png"], "anomaly": ["alarms.png", "forecast.png"]}[task]
    assert sorted(path.name for path in out.glob("*.png")) == sorted([*pictures, "losses.png"])
    figure = metrics[DECISIONS[task]]
    own = {"classification": {"majority", "logistic_regression"}, "anomaly": {"three_sigma"}}[task]
    assert set(figure) == {"float", "qat", "integer"} | own
    assert figure["integer"] > max(figure[name] for name in own)
    assert abs(figure["qat"] - figure["integer"]) < 0.005
    assert task_run.model.provenance[DECISIONS[task]] == figure


def test_integer_figures_are_the_devices(task_run):
    """The figure in metrics.json is that of the words that a device answers."""
    decided = decision.decide(task_run.model.config, golden.infer(task_run.model, task_run.test_raw), task_run.test_raw)[:, -1]
    truth = labels_of(task_run.dataset, task_run.dataset.test)
    if task_run.options.task == "classification":
        assert class_figures(truth, decided, 6)["accuracy"] == task_run.metrics["accuracy"]["integer"]
        assert np.trace(task_run.metrics["confusion"]) == (truth == decided).sum()
    else:
        assert alarm_figures(truth, decided)["f1"] == task_run.metrics["f1"]["integer"]


def test_model_file_of_the_task(task_run):
    config = task_run.model.config
    again = load_run(task_run.options.out)
    assert again.model.id == task_run.model.id and again.model.config == config
    assert np.array_equal(again.float_prediction, task_run.float_prediction)
    if config.task == "classification":
        assert config.class_names == task_run.dataset.classes and len(set(config.output_scale)) == 1
        other = config.model_copy(update={"class_names": config.class_names[::-1]})
    else:
        assert config.anomaly.model_dump() == task_run.metrics["settings"]
        other = config.model_copy(update={"anomaly": config.anomaly.model_copy(update={"threshold": 1})})
    assert replace(task_run.model, config=other).id != task_run.model.id


def test_seeds_of_a_task(tmp_path):
    small = SMALL["classification"] | {"epochs": 1}
    run = train_seeds(TrainOptions(task="classification", **small, out=str(tmp_path / "two")), 2)
    accuracy = run.metrics["accuracy"]
    assert len(accuracy["integer"]["values"]) == 2 and "interval" not in run.metrics
    assert accuracy["majority"] == pytest.approx(1 / 6)
    assert run.metrics["chosen_seed"] in (1, 2)


def test_anomaly_with_persistence(tmp_path):
    """The other readout: a change in raw counts on top of the last value."""
    run = train(TrainOptions(task="anomaly", skip="persistence", **SMALL["anomaly"] | {"epochs": 1}, out=str(tmp_path / "run")))
    config = run.model.config
    assert config.anomaly.shifts == [0] * 5 and config.output_scale == config.raw_scale
