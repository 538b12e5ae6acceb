# SPDX-License-Identifier: BSD-2-Clause
"""`train --auto`: what is tried, what is chosen, what is kept, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands.train import TrainCommand
from liteformer.flow.common import console
from liteformer.flow.explore import auto
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal


class InProcess:
    """Workers that work when their results are asked for."""

    def __init__(self, function, jobs=2):
        self.jobs, self.function, self.waiting = jobs, function, []

    def submit(self, number, task, point):
        self.waiting.append((number, task, point))

    def finished(self, _):
        number, task, point = self.waiting.pop(0)
        return [(number, self.function(task, point))]

    def stop(self):
        self.waiting.clear()

    close = stop


@pytest.fixture
def plant(tmp_path):
    """CSV whose target follows c; the other columns are noise."""
    rng = np.random.default_rng(3)
    values = {name: rng.normal(size=700) for name in "abcdefg"}
    values["power"] = np.roll(values["c"], 1) + 0.1 * rng.normal(size=700)
    pd.DataFrame(values).round(4).to_csv(tmp_path / "plant.csv", index=False)
    return {"path": str(tmp_path / "plant.csv"), "target": ["power"], "batch": 32, "out": str(tmp_path / "model")}


def test_axes(plant):
    options = TrainOptions(**plant)
    axes, inputs = auto.axes_of(options, load_dataset(options))
    assert axes == {"tokens": list(auto.TOKENS), "d_model": list(auto.D_MODELS), "skip": ["persistence", "none"],
                    "inputs": ["all", "target", "related"]}
    assert inputs["target"] == ["power"] and inputs["all"] == [*"abcdefg", "power"]
    assert {"c", "power"} <= set(inputs["related"]) and len(inputs["related"]) == 5


@pytest.mark.parametrize("more, axis, choices", [
    ({"window": 24, "patch": 4, "stride": 2}, "tokens", ["24/4/2"]), ({"d_model": 8}, "d_model", [8]),
    ({"skip": "none"}, "skip", ["none"]), ({"features": ["a", "b"]}, "inputs", ["all"]),
    ({"features": ["a", "b"]}, "skip", ["none"])])
def test_what_is_given_stays(plant, more, axis, choices):
    options = TrainOptions(**plant | more)
    assert auto.axes_of(options, load_dataset(options))[0][axis] == choices


def test_the_lowest_error_of_the_longer_trainings_wins(plant, monkeypatch):
    """A point that does not fit and one that diverges do not end it."""
    asked = []

    def assess(task, point):
        asked.append((task["thin"], point))
        if point["tokens"] == "6/1/1":
            return {"state": "infeasible", "reason": "too large", "excess": 1.0, "figures": {}}
        if point["d_model"] == 64:
            return {"state": "failed", "reason": "nan", "figures": {}}
        window = int(point["tokens"].split("/")[0])
        return {"state": "ok", "seconds": 3.0,
                "figures": {"error": float(window if task["thin"] else 100 - window), "cycles": 900}}

    monkeypatch.setattr(auto, "assess", assess)
    options, found = auto.search(TrainOptions(**plant), 0.01, "xc7s15", InProcess)
    finals = [point for thin, point in asked if not thin]
    best = max(int(point["tokens"].split("/")[0]) for point in finals)
    assert options.window == best and options.skip in ("persistence", "none") and options.out == plant["out"]
    assert 1 <= len(finals) <= auto.FINALISTS and len({point["tokens"] for point in finals[:auto.KINDS]}) == min(
        len(finals), auto.KINDS)
    chosen = next(row for row in found["tried"] if row["number"] == found["chosen"])
    assert chosen["longer"] == 100 - best and json.loads(json.dumps(found)) == found
    assert len(found["tried"]) == len([thin for thin, _ in asked if thin])
    # 20 epochs of both stages in 3 s; 4 networks of 40 epochs, 80 quantization-aware of twice the time.
    assert options.float_epochs == 40 and found["expected"] == 16.0
    assert auto.expected_seconds(0.15, options.model_copy(update={"refit": True})) == pytest.approx(18.0)
    assert auto.expected_seconds(0.15, options.model_copy(update={"distill": 0.0})) == pytest.approx(10.0)


def test_finalists_differ_in_tokens_first_then_in_inputs():
    def row(number, tokens, inputs, error, state="ok"):
        return {"number": number, "state": state, "point": {"tokens": tokens, "inputs": inputs}, "figures": {"error": error}}

    rows = [row(0, "a", "all", 3.0), row(1, "a", "all", 2.0), row(2, "a", "target", 1.0), row(3, "b", "all", 5.0),
            row(4, "b", "all", 4.0), row(5, "c", "all", 0.1, "failed")]
    assert [each["number"] for each in auto.finalists(rows)] == [2, 4, 1]
    many = [row(number, str(number), inputs, number) for number in range(8) for inputs in ("all", "target")]
    found = auto.finalists(many)
    assert [each["number"] for each in found[:auto.KINDS]] == [0, 1, 2, 3] and len(found) == auto.FINALISTS
    assert len({(each["point"]["tokens"], each["point"]["inputs"]) for each in found}) == len(found)


def test_of_errors_that_hardly_differ_the_fewest_cycles_win():
    def row(number, short, longer, cycles, state="ok"):
        return {"number": number, "state": state, "longer": longer, "figures": {"error": short, "cycles": cycles}}

    rows = [row(0, 1.0, 2.0, 3000), row(1, 1.1, 2.0 * auto.TIE, 900), row(2, 1.2, 2.03, 400), row(3, 0.9, None, 300)]
    assert auto.preferred(rows)["number"] == 1
    assert auto.preferred(rows[:1] + rows[2:])["number"] == 0
    assert auto.preferred([row(0, 1.0, None, 30), row(1, 0.9, None, 300), row(2, 0.1, None, 1, "failed")])["number"] == 1
    assert auto.preferred([row(0, 1.0, None, 30, "infeasible")]) is None


def test_a_training_with_it(plant, monkeypatch, capsys):
    """One short and one longer training, then the training; the search is in its metrics and in the table."""
    monkeypatch.setattr(auto, "Processes", lambda jobs, function: InProcess(function, jobs))
    options = TrainOptions(**plant, window=4, patch=2, stride=2, d_model=8, skip="none", features=["a", "c"], epochs=1,
                           teachers=1, neighbours="none")
    run = auto.choose_and_train(options, 1, 1.0, "xc7s15", 1)
    metrics = json.loads((Path(plant["out"]) / "metrics.json").read_text())
    assert metrics["auto"]["tried"] == run.metrics["auto"]["tried"] and len(metrics["auto"]["tried"]) == 1
    row = metrics["auto"]["tried"][0]
    assert row["point"] == {"tokens": "4/2/2", "d_model": 8, "skip": "none", "inputs": "all"} and row["longer"] > 0
    assert row["figures"]["cycles"] > 0 and run.model.config.feature_names == ["a", "c"]
    said = capsys.readouterr().err
    assert "--window 4 --patch 2 --stride 2 --d-model 8 --skip none --features a,c" in said
    assert "its training takes about 1 minute, and that of the baselines (--neighbours) as long again or longer" in said
    console.emit(run.metrics, False, lambda result: auto.tried_table(result["auto"]))
    assert "chosen" in capsys.readouterr().out


@pytest.mark.parametrize("minutes, more, sentence", [
    (0, {}, "--auto 0 is no time to search; choose more than 0 and at most 1440 minutes"),
    (1, {"validation_fraction": 1e-6}, "--auto chooses by the error over validation windows, of which there are 1, fewer than "
     "20; give a longer series or a larger --validation-fraction"),
    (1, {"skip": "none"}, "nothing that --auto tried can be trained for the xc7s15: too many LUTs; choose another --device, or "
     "the sizes yourself")])
def test_refusals(plant, minutes, more, sentence, monkeypatch):
    """Nothing is written."""
    def place(*_):
        raise LiteFormerError("too many LUTs")

    monkeypatch.setattr("liteformer.flow.explore.cost.place", place)
    options = TrainOptions(**plant | more, window=6, d_model=8, features=["a"])
    assert refusal(auto.search, options, minutes, "xc7s15", InProcess) == sentence
    assert not Path(plant["out"]).exists()


@pytest.mark.parametrize("given, taken", [(["--auto"], 10.0), (["--auto", "--json"], 10.0), (["--auto", "3"], 3.0),
                                          (["--auto=3"], 3.0), ([], None)])
def test_minutes_may_be_left_out(given, taken):
    import typer

    from liteformer.flow.cli import app
    command = typer.main.get_command(app).commands["train"]
    assert isinstance(command, TrainCommand)
    context = command.make_context("train", [*given])
    assert context.params["auto"] == taken
