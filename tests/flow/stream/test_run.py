# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer run`: data sets and CSV files through a device; what it prints, and what it says on bad input."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ..plant import FEATURES, expected, model_for

pytestmark = pytest.mark.usefixtures("plant")


def test_every_window_of_a_csv(run, offered, plant):
    """By the names of the columns; windows with the hole are left out."""
    model = model_for()
    offered(model)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--json")
    result = json.loads(out)
    starts = [start for start in range(57) if not start <= 20 < start + 4]
    forecast = expected(model, plant, starts) / 4
    truth = np.array([plant["power"].get(start + 4, np.nan) for start in starts])
    assert (code, result["windows"], result["left_out"], result["mismatches"]) == (0, 53, 4, 0)
    assert np.array_equal(result["forecast"], forecast)
    assert [row[0] for row in result["truth"]] == [None if np.isnan(value) else value for value in truth]
    assert result["rmse"]["device"] == pytest.approx(np.sqrt(np.nanmean((forecast[:, 0] - truth) ** 2)))
    last = np.round(plant["power"].to_numpy() * 4)[np.array(starts) + 3] / 4
    assert result["rmse"]["persistence"] == pytest.approx(np.sqrt(np.nanmean((last - truth) ** 2)), rel=1e-2)
    assert (result["cycles"], result["clock_mhz"]) == ({"accelerator": 800, "end_to_end": 1000}, 50.0)
    assert result["latency_us"] == {"accelerator": 16.0, "end_to_end": 20.0}
    assert result["windows_per_second"] > 0 and result["link"] == "simulation"


def test_a_wrong_output_is_seen(run, offered):
    """Negative control."""
    offered(model_for(), fault=1)
    result = json.loads(run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--windows", 9, "--json")[1])
    assert (result["windows"], result["mismatches"]) == (9, 9)


def test_the_test_part_of_the_training(run, offered, plant):
    """Without a path: the last fifth of what the model was trained on."""
    model = model_for()
    offered(model)
    result = json.loads(run("run", "m.safetensors", "--sim", "--json")[1])
    starts = list(range(44, 56))
    assert np.array_equal(result["forecast"], expected(model, plant, starts) / 4)
    assert [row[0] for row in result["truth"]] == plant["power"][48:].tolist()
    named = json.loads(run("run", "m.safetensors", "--sim", "--data", "csv", "--path", "plant.csv", "--json")[1])
    assert named["forecast"] == result["forecast"]


def test_a_csv_without_header(run, offered, plant):
    model = model_for()
    offered(model)
    plant[FEATURES].to_csv("bare.csv", index=False, header=False)
    result = json.loads(run("run", "m.safetensors", "--sim", "--path", "bare.csv", "--windows", 10, "--json")[1])
    assert np.array_equal(result["forecast"], expected(model, plant, range(10)) / 4)
    assert result["truth"] is None and result["rmse"] == {"device": None, "persistence": None}


@pytest.mark.parametrize(("task", "figure"), [("classification", "accuracy"), ("anomaly", "f1")])
@pytest.mark.parametrize("link", ["simulation", "registers"])
def test_classes_and_alarms(run, offered, plant, task, figure, link, monkeypatch):
    """Also where the host decides because the device has no firmware."""
    model = model_for(task, window_stride=1)
    client = offered(model, link=link)
    if link == "registers":
        infer = client.infer
        monkeypatch.setattr(client, "infer", lambda rows: replace(infer(rows), decision=np.zeros(0, np.int64)))
    plant.drop(index=20).to_csv("whole.csv", index=False)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "whole.csv", "--json", "--plot", "run.png")
    assert code == 0, err
    result = json.loads(out)
    whole = plant.drop(index=20).reset_index(drop=True)
    labels = whole["kind"].map({"idle": 0, "run": 1, "stop": 2}) if task == "classification" else whole["fault"]
    assert (result["windows"], result["mismatches"], result["labels"]) == (56, 0, labels[3:].tolist())
    if task == "classification":
        decided = expected(model, whole, range(56)).argmax(axis=1)
        assert result["decided"] == decided.tolist()
        assert result[figure]["device"] == pytest.approx(np.mean(decided == labels[3:]))
    else:
        assert 0 <= result[figure]["device"] <= 1
    assert Path("run.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(("task", "column"), [("classification", "kind"), ("anomaly", "fault")])
def test_windows_without_label_are_in_no_figure(run, offered, plant, task, column):
    """Rows 30 to 39 have none; the figures are those of the other windows."""
    model = model_for(task, window_stride=1)
    if task == "anomaly":
        model = replace(model, config=model.config.model_copy(update={
            "anomaly": model.config.anomaly.model_copy(update={"threshold": 1})}))
    offered(model)
    plant = plant.drop(index=20).reset_index(drop=True)
    plant[column] = plant[column].astype(object).where((plant.index < 30) | (plant.index > 39))
    plant.to_csv("holes.csv", index=False)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "holes.csv", "--json", "--plot", "run.png")
    assert code == 0, err
    result = json.loads(out)
    labels, decided = np.array(result["labels"]), np.array(result["decided"])
    assert np.flatnonzero(labels < 0).tolist() == list(range(27, 37))
    known = labels >= 0
    right = decided[known] == labels[known]
    assert (result["accuracy"]["device"] == pytest.approx(right.mean()) if task == "classification" else
            result["precision"]["device"] == pytest.approx(right[decided[known] == 1].mean()))
    note = ("10 of 56 windows of holes.csv have no label that the model knows in their last row; the figures are those of the "
            "others")
    assert result["notes"] == [note] and note in err.splitlines()


def test_a_wrong_decision_is_seen(run, offered, monkeypatch):
    """Negative control."""
    client = offered(model_for("classification"))
    infer = client.infer
    monkeypatch.setattr(client, "infer", lambda rows: replace(result := infer(rows), decision=(result.decision + 1) % 3))
    out = run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--windows", 5, "--json")[1]
    assert json.loads(out)["mismatches"] == 5


def test_what_a_person_reads(run, offered):
    offered(model_for())
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--plot", "run.png")
    assert code == 0 and out.count("800 cycles") == 53 + 1
    for text in ("power ", "(truth ", "RMSE", "last value repeated", "16.00 µs at 50 MHz", "skipped", "golden"):
        assert text in out
    assert Path("run.png").read_bytes()[:4] == b"\x89PNG"


def test_stopped_by_hand(run, offered, monkeypatch):
    """Ctrl-C ends the stream; what there is, is reported."""
    offered(model_for())

    def interrupted():
        yield from ("1,2,3\n" for _ in range(6))
        raise KeyboardInterrupt
    monkeypatch.setattr(sys, "stdin", interrupted())
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json")
    assert (code, json.loads(out)["windows"]) == (0, 3) and "stopped" in err


# Bad input ----------------------------------------------------------------------------------------

BAD_INPUT = [
    ("--path plant.csv", "name one device: --port /dev/ttyUSB0, --sim for the simulated SoC, or --csr csr.csv for a SoC behind "
                         "litex_server"),
    ("--sim --port /dev/ttyUSB0 --path plant.csv", "name one device: --port /dev/ttyUSB0, --sim for the simulated SoC, or "
                                                   "--csr csr.csv for a SoC behind litex_server"),
    ("--sim --path plant.csv --core pump", "--core pump is one of several cores behind litex_server; add --csr csr.csv, or "
                                           "leave it out"),
    ("--sim --windows 0", "windows is 0; choose at least 1"),
    ("--port x --baudrate 0", "baudrate is 0; choose at least 1"),
    ("--sim --plot run.pdf", "--plot run.pdf does not end in .png; name a file such as build/run.png"),
    ("--sim --path none.csv", "there is no file none.csv; check --path"),
    ("--sim --path plant.csv --windows 1000", "plant.csv has 53 windows, fewer than the 1000 asked for"),
    ("--sim --path - --data airu", "--path - reads lines from standard input; leave --data out"),
    ("--sim --path - --every 1h", "times are not looked at in lines from standard input; leave --every out, or name a file "
                                  "with --path"),
    ("--sim --path - --no-dayfirst", "times are not looked at in lines from standard input; leave --no-dayfirst out, or name a "
                                     "file with --path"),
    ("--sim --path - --decimal x", "decimal is 'x'; choose . or ,"),
    ("--sim --path - --separator xx", "separator is 'xx'; choose one character, such as --separator ';', or tab"),
    ("--sim --path plant.csv --data csv --decimal x", "decimal is 'x'; choose . or ,"),
    ("--csr none.csv --path plant.csv", "there is not a register map none.csv; LiteX writes one with --csr-csv csr.csv"),
    ("--sim --path missing.csv", "missing.csv has no column 'wind'; it has: power, hour"),
    ("--sim --path bare.csv", "bare.csv has 2 columns; the model takes 3: power, wind, hour"),
    ("--sim --path words.csv", "words.csv, row 3, column 'wind' holds 'calm', which is not a number; correct the cell, leave "
                               "it empty or name it with --missing"),
    ("--sim --path holes.csv", "holes.csv holds no window of 4 successive rows: of 27 rows 9 hold a missing value; the longest "
                               "stretch without one has 2 rows, and a window needs 4; fill the gaps or give another --path"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT, ids=[arguments for arguments, _ in BAD_INPUT])
def test_bad_input(run, offered, arguments, sentence):
    """One sentence, exit code 2, nothing on stdout, no file, no device asked."""
    client = offered(model_for())
    client.infer = None
    Path("missing.csv").write_text("power,hour\n" + "1,2\n" * 9)
    Path("bare.csv").write_text("1,2\n" * 9)
    Path("words.csv").write_text("power,wind,hour\n1,2,3\n1,calm,3\n" + "1,2,3\n" * 9)
    Path("holes.csv").write_text("power,wind,hour\n" + "1,2,3\n1,2,3\n1,,3\n" * 9)
    before = sorted(os.listdir())
    code, out, err = run("run", "m.safetensors", *arguments.split())
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"error: {sentence}" and "Traceback" not in err
    assert sorted(os.listdir()) == before


def test_another_model_in_the_device(run, offered):
    model, other = model_for(), model_for("anomaly")
    what = "put this model there with `liteformer build` and `liteformer load`, or name the model that is there"
    offered(model, other)
    assert run("run", "m.safetensors", "--sim", "--path", "plant.csv")[2].splitlines()[-1] == (
        "error: the board holds a model of another shape (anomaly, window 4, 3 features, 2 outputs) than m.safetensors "
        f"(forecast, window 4, 3 features, 1 output); {what}")
    offered(model, model_id="12345678")
    assert run("run", "m.safetensors", "--sim", "--path", "plant.csv")[2].splitlines()[-1] == (
        f"error: the board holds the model 12345678, not {model.id[:8]} of m.safetensors; {what}")
    offered(model, model_id="12345678", build=7)
    assert "put this model there with `liteformer load-model`, or name" in run("run", "m.safetensors", "--sim", "--path",
                                                                               "plant.csv")[2].splitlines()[-1]
    offered(model, identifier=0)
    assert "no LiteFormer core is there" in run("run", "m.safetensors", "--sim", "--path", "plant.csv")[2].splitlines()[-1]


def test_a_model_without_a_record_of_its_training(run, offered):
    offered(replace(model_for(), provenance={}))
    code, _, err = run("run", "m.safetensors", "--sim", "--data", "airu", "--path", "plant.csv")
    assert (code, err.splitlines()[-1]) == (2, "error: the model file does not say what it was trained on; give a CSV with "
                                               "--path, without --data")


def test_no_port_and_no_answer(run, offered):
    """Through the whole command, on a port that nobody answers."""
    offered(model_for())
    assert run("run", "m.safetensors", "--port", "/dev/none", "--path", "plant.csv")[2].splitlines()[-1].startswith(
        "error: there is no port /dev/none; ")
    near, far = os.openpty()
    code, out, err = run("run", "m.safetensors", "--port", os.ttyname(far), "--path", "plant.csv", "--baudrate", 9600)
    os.close(near)
    os.close(far)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: no answer on /dev/pts/") and "at 9600 baud" in err.splitlines()[-1]


def test_an_unplugged_board_leaves_no_file(run, offered, monkeypatch):
    from liteformer.accel.errors import LiteFormerError
    client = offered(model_for())

    def gone(rows):
        raise LiteFormerError("/dev/ttyUSB0 is gone; plug the board in again and repeat the command")
    monkeypatch.setattr(client, "infer", gone)
    code, _, err = run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--plot", "run.png", "--json")
    assert code == 2 and err.splitlines()[-1] == "error: /dev/ttyUSB0 is gone; plug the board in again and repeat the command"
    assert not Path("run.png").exists()
