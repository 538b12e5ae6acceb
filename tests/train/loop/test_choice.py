# SPDX-License-Identifier: BSD-2-Clause
"""What the validation windows decide before a training, and the moving average of weights."""

import copy
import json

import numpy as np
import pytest
import torch

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.choice import choose
from liteformer.train.loop.model import build
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.run import load_run, train, training_data
from liteformer.train.loop.seeds import train_seeds
from liteformer.train.loop.trainer import fit


def chosen(options, losses):
    """``choose`` with trainings whose validation losses are given for each skip; also the trainings that it asked for."""
    asked = []

    def train_float(one, dataset, stop):
        asked.append((one.skip, one.refit, stop))
        return [{"epoch": epoch, "validation": loss / float((dataset.target_scale ** 2).mean())}
                for epoch, loss in enumerate(losses[one.skip][:stop], 1)]

    return *choose(options, load_dataset, train_float), asked


@pytest.mark.parametrize("none, persistence, skip", [(4.0, 4.0, "persistence"), (4.0, 4.1, "persistence"), (4.0, 4.5, "none")])
def test_the_skip_with_the_lower_validation_error(csv, frame, none, persistence, skip):
    """Persistence, unless the other is better by more than 2 % (of the root)."""
    losses = {"none": [none] * 9, "persistence": [persistence] * 9}
    options, choice, notes, asked = chosen(csv(frame, window=6, epochs=9), losses)
    assert options.skip == skip and options.refit_epochs is None
    assert asked == [("none", False, 3), ("persistence", False, 3)]
    assert choice == {"skip": {"none": pytest.approx(none ** 0.5), "persistence": pytest.approx(persistence ** 0.5)}}
    assert len(notes) == 1 and f"--skip {skip}" in notes[0]


def test_epochs_of_a_refit(csv, frame):
    losses = {"none": [9.0] * 8, "persistence": [4.0, 3.0, 2.0, 3.5, 1.5, 2.5, 3.0, 4.0]}
    options, choice, notes, asked = chosen(csv(frame, window=6, epochs=8, refit=True), losses)
    assert (options.skip, options.refit, options.refit_epochs) == ("persistence", True, 5)
    assert asked == [("none", False, 2), ("persistence", False, 2), ("persistence", False, 8)]
    assert (choice["epochs"], choice["of_epochs"]) == (5, 8) and len(notes) == 2


@pytest.mark.parametrize("more", [{"features": ["b"]}, {"skip": "none"}, {"features": ["b"], "refit": True, "refit_epochs": 3}])
def test_nothing_is_left_to_decide(csv, frame, more):
    """The target is no input, or the options say it."""
    options, choice, notes, asked = chosen(csv(frame, window=6, **more), {})
    assert options.skip == "none" and not asked and not choice and not notes


@pytest.mark.parametrize("task", ["classification", "anomaly"])
def test_other_tasks_are_as_before(task):
    options, choice, notes, asked = chosen(TrainOptions(task=task, refit=True), {})
    assert options == TrainOptions(task=task, skip="none", refit=True) and not choice and not notes and not asked


def test_a_run_keeps_what_was_decided(small, tmp_path):
    open_options = {name: value for name, value in small.items() if name not in ("skip", "refit_epochs")} | {"epochs": 1}
    run = train(TrainOptions(**open_options, refit=True, out=str(tmp_path / "run")))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert set(metrics["choice"]) == {"skip", "epochs", "of_epochs"} and len(metrics["notes"]) == 2
    errors = metrics["choice"]["skip"]
    assert run.options.skip == metrics["options"]["skip"] == run.model.config.skip == (
        "persistence" if errors["persistence"] <= 1.02 * errors["none"] else "none")
    assert load_run(tmp_path / "run").model.id == run.model.id
    same = train(TrainOptions(**open_options | {"skip": run.options.skip, "refit_epochs": 1}, refit=True,
                              out=str(tmp_path / "same")))
    assert same.model.id == run.model.id and same.metrics["choice"] == {}


@pytest.mark.slow
def test_seeds_share_one_decision(small, tmp_path):
    stages = []
    run = train_seeds(TrainOptions(**small | {"skip": "auto", "epochs": 1}, out=str(tmp_path / "two")), 2,
                      lambda stage, *_: stages.append(stage))
    assert stages.count("choice") == 2 and set(run.metrics["choice"]) == {"skip"}
    assert any("--skip" in text for text in run.metrics["notes"])


def test_averaged_weights(csv, frame):
    """The average of every step's weights, kept instead of the last ones, and without it the weights as they are."""
    options = csv(frame, window=6, d_model=8, epochs=2, refit=True, average=0.9)
    dataset = load_dataset(options)
    steps, network = [], build(options, dataset)
    data = training_data(options, dataset)
    fit(network, *data, options, 2, "float", after_step=lambda: steps.append(network.head.weight.detach().clone()))
    wanted = steps[0]
    for weight in steps[1:]:
        wanted = 0.9 * wanted + 0.1 * weight
    assert torch.allclose(network.head.weight, wanted, atol=1e-6)
    plain = build(options, dataset)
    fit(plain, *data, options, 2, "float", average=0.0)
    assert torch.equal(plain.head.weight, steps[-1]) and not torch.allclose(wanted, steps[-1], atol=1e-6)


def test_a_schedule_that_ends_early(csv, frame):
    """The first epochs are those of the whole schedule."""
    options = csv(frame, window=6, d_model=8)
    dataset = load_dataset(options)
    network = build(options, dataset)
    other = copy.deepcopy(network)
    whole = fit(network, *training_data(options, dataset), options, 4, "float")
    short = fit(other, *training_data(options, dataset), options, 4, "float", stop=2)
    assert short == whole[:2] and np.isfinite([entry["validation"] for entry in whole]).all()
