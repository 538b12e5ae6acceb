# SPDX-License-Identifier: BSD-2-Clause
"""Classification and search for anomalies through the command line, down to the device's decisions on the simulated SoC."""

import json

import numpy as np
import pytest

from liteformer.flow.measure import hardware

SMALL = {"classification": ("--window", 8, "--d-model", 8, "--epochs", 1),
         "anomaly": ("--window", 4, "--d-model", 8, "--epochs", 2)}
FIGURE = {"classification": "accuracy", "anomaly": "f1"}


@pytest.fixture(scope="module", params=["classification", "anomaly"])
def trained(request, tmp_path_factory):
    """``(task, directory)`` of a small trained model."""
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.run import train
    out = tmp_path_factory.mktemp("run") / request.param
    names = [str(name)[2:].replace("-", "_") for name in SMALL[request.param][::2]]
    train(TrainOptions(task=request.param, **dict(zip(names, SMALL[request.param][1::2])), out=str(out)))
    return request.param, out


def test_evaluate(run, trained):
    """Logits and class, or forecast, score and alarm: the SoC answers what the integer model says."""
    task, directory = trained
    code, out, err = run("evaluate", directory, "--soc", 24, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["task"], result["windows"], result["mismatches"]) == (task, 24, 0)
    figure = result[FIGURE[task]]
    assert {"float", "qat", "integer", "soc"} <= set(figure) and figure["soc"] is not None
    metrics = json.loads((directory / "metrics.json").read_text())
    assert figure["integer"] == metrics[FIGURE[task]]["integer"]


@pytest.mark.parametrize("trained", ["anomaly", pytest.param("classification", marks=pytest.mark.slow)], indirect=True)
def test_a_wrong_decision_is_seen(run, trained, monkeypatch):
    """Negative control: equal outputs, but a class or an alarm that the integer model does not have."""
    decide = hardware.decide

    def decide_wrongly(config, outputs, raw):
        decisions = decide(config, outputs, raw)
        decisions[7, -1] += 1
        return decisions

    monkeypatch.setattr(hardware, "decide", decide_wrongly)
    assert json.loads(run("simulate", trained[1], "--windows", 24, "--json")[1])["mismatches"] == 1


def test_tables(run, tmp_path):
    """What a person reads: a row per model, a column per figure."""
    code, out, err = run("train", "--task", "anomaly", *SMALL["anomaly"], "--batch", 1024, "--out", tmp_path / "table")
    assert code == 0, err
    assert all(text in out for text in ("Test alarms over 2000 windows", "F1", "precision", "recall", "RMSE", "three sigma"))
    code, out, _ = run("evaluate", tmp_path / "table")
    assert code == 0 and "quantization-aware" in out and "SoC" not in out


@pytest.mark.parametrize("arguments, sentence", [
    ("--task classification --data csv --path x.csv", "task classification needs the name of the column with the labels; give "
                                                      "it with --label"),
    ("--task classification --data csv --path x.csv --label kind", "x.csv has no column 'kind'; it has: a, one"),
    ("--task classification --data csv --path x.csv --label one",
     "x.csv has no numeric column besides the label; name the inputs with --features"),
    ("--task anomaly --data airu --path x.csv", "task anomaly has no data airu; choose one of: synthetic, skab, csv"),
    ("--task anomaly --batch 100000", "only 5632 training windows, fewer than the batch of 100000; give a longer series or a "
                                      "smaller --batch"),
    ("--data skab --task anomaly", "data skab needs its directory; give it with --path"),
])
def test_bad_input(run, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    np.savetxt("x.csv", np.stack([np.arange(100), np.full(100, 5)], axis=1), "%d", ",", header="a,one", comments="")
    code, out, err = run("train", *arguments.split())
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"error: {sentence}"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
