# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer run`: data sets, CSV files and lines through a device; what it prints, and what it says on bad input."""

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from liteformer.flow.stream import device as device_module
from liteformer.flow.stream.device import Device

from ...refusal import refusal
from ..plant import FEATURES, expected, model_for, write_plant
from .golden_client import GoldenClient


@pytest.fixture(autouse=True)
def plant(tmp_path, monkeypatch):
    """Every test runs in a folder with plant.csv; the frame in it."""
    monkeypatch.chdir(tmp_path)
    return write_plant()


@pytest.fixture
def offered(monkeypatch):
    """Callable(model, **of GoldenClient): a model file m.safetensors, and the device that --sim names."""
    def offer(model, other=None, link="simulation", **options):
        model.save("m.safetensors")
        client = GoldenClient(other or model, **options)
        monkeypatch.setattr(device_module, "_simulated", lambda *_: (Device(client, link, "the board"), lambda: None))
        return client
    return offer


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


def lines(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


FORMS = {
    "named": lambda f: f.to_csv(index=False),
    "quoted": lambda f: f.assign(note="one, two; 7 8").rename(columns={"note": "a note"}).to_csv(index=False, quoting=1),
    "times": lambda f: f.assign(note="2024-01-01 00:00:00").to_csv(index=False),
    "mark": lambda f: "\ufeff" + f.to_csv(index=False),
    "decimal commas": lambda f: f.to_csv(index=False, sep=";", decimal=","),
    "tabs": lambda f: f.assign(note=None).to_csv(index=False, sep="\t"),
    "commas": lambda f: f[FEATURES].to_csv(index=False, header=False),
    "commas and blanks": lambda f: "\n" + f[FEATURES].to_csv(index=False, header=False).replace(",", ", "),
    "blanks": lambda f: f[FEATURES].to_csv(index=False, header=False, sep=" ").replace(" ", "   ")}


@pytest.mark.parametrize("form", FORMS)
def test_lines_from_a_pipe(run, offered, plant, monkeypatch, form):
    model, head = model_for(), plant[:20]
    offered(model)
    lines(monkeypatch, FORMS[form](head))
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert np.array_equal(result["forecast"], expected(model, plant, range(17)) / 4) and result["mismatches"] == 0
    assert [row[0] for row in result["truth"]] == [*plant["power"][4:20], None]
    assert ("has decimal commas: " in err) == (form == "decimal commas")


@pytest.mark.parametrize("hole", ["", "nan", "NA", '""', "inf"])
def test_an_empty_cell_shifts_nothing(run, offered, plant, monkeypatch, hole):
    """The same windows as of the file; said once and counted. The column beside it holds numbers between blanks."""
    model = model_for()
    offered(model)
    plant["note"], plant["wind"] = "7 8", plant["wind"].astype(object).where(plant.index != 40)
    text = plant.to_csv(index=False, na_rep="?").replace("?", hole)
    Path("plant.csv").write_text(text)
    lines(monkeypatch, text)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json")
    assert code == 0, err
    stream = json.loads(out)
    file = json.loads(run("run", "m.safetensors", "--sim", "--path", "plant.csv", "--json")[1])
    assert (stream["windows"], stream["left_out"]) == (49, 8)
    for name in ("windows", "left_out", "forecast", "truth", "rmse"):
        assert stream[name] == file[name], name
    note = "2 of 60 rows of standard input have an empty cell; they are in no window"
    assert [line for line in err.splitlines() if "empty cell" in line] == [
        "line 22 of standard input has no value of 'wind'; rows with an empty cell are in no window", note]
    assert stream["notes"] == [note]


def test_an_empty_cell_is_the_same_in_a_file(tmp_path):
    from liteformer.flow.stream.lines import EMPTY
    from liteformer.train.data import table
    path = tmp_path / "cells.csv"
    path.write_text("a,b\n" + "".join(f"{cell},1\n" for cell in EMPTY))
    assert np.isnan(table.column(table.read_table(path), path, "a")).all()


def test_a_model_without_names_passes_over_a_header(run, offered, plant, monkeypatch):
    model = model_for()
    model = replace(model, config=model.config.model_copy(update={"feature_names": []}))
    offered(model)
    lines(monkeypatch, plant[FEATURES][:9].to_csv(index=False))
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json")
    assert code == 0, err
    assert np.array_equal(json.loads(out)["forecast"], expected(model, plant, range(6)) / 4)


def test_lines_are_answered_at_once(run, offered, monkeypatch, capfd):
    """The forecast is printed before the next line is read."""
    offered(model_for())
    seen = []

    def slowly():
        for number in range(6):
            seen.append(capfd.readouterr().out.count("cycles"))
            yield f"{number},1,2\n"
    monkeypatch.setattr(sys, "stdin", slowly())
    assert run("run", "m.safetensors", "--sim", "--path", "-")[0] == 0
    assert seen == [0, 0, 0, 0, 1, 1]


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


@pytest.mark.parametrize(("text", "sentence"), [
    ("1,2,3\n1,2\n", "line 2 of standard input holds 2 values between commas; 3 are needed, as in the first line"),
    ("1 2 3\n\n1 2 3 4\n", "line 3 of standard input holds 4 values between blanks; 3 are needed, as in the first line"),
    ("1,2\n", "line 1 of standard input holds 2 values; 3 are needed (power, wind, hour), or a header first, such as with "
              "tail -n +1 -f FILE"),
    ("1,2,3\n1,calm,3\n", "line 2 of standard input, column 'wind' holds 'calm', which is not a number; correct the cell, "
                          "leave it empty or name it with --missing"),
    ("1,2,3\n1,1_0,3\n", "line 2 of standard input, column 'wind' holds '1_0', which is not a number; correct the cell, leave "
                         "it empty or name it with --missing"),
    ("power,hour\n1,2\n", "standard input has no column 'wind'; it has: power, hour"),
    ("power,wind,hour,wind\n1,2\n", "standard input has 2 columns 'wind'; keep one"),
    ("a,hour,wind,power\n1,2,3\n",
     "line 2 of standard input holds 3 values between commas; 4 are needed, as in the first line"),
    ("2024-01-01 00:00:00,1,2,3\n", "line 1 of standard input is neither a header with the columns power, wind, hour nor a row "
                                    "of 3 numbers, because of '2024-01-01 00:00:00'; send the header first, such as with "
                                    "tail -n +1 -f FILE"),
    ("power;wind;hour\n1,5;2;3\n1.234;2;3\n", "line 3 of standard input, column 'power' holds '1.234', but numbers before had "
                                             "the decimal mark ','; send one decimal mark, or name it with --decimal"),
    ('power,wind,hour\n1,"2,3\n',
     "line 2 of standard input is not a row of cells (unexpected end of data); correct its quotes"),
    ("1,2,3\n", "no window was complete; send at least 4 successive rows without an empty cell"),
])
def test_bad_lines(run, offered, monkeypatch, text, sentence):
    offered(model_for())
    lines(monkeypatch, text)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json")
    assert (code, out) == (2, "") and err.splitlines()[-1] == f"error: {sentence}"


def test_lines_are_read_as_the_training_was():
    """Words and numbers for missing are the model's own."""
    from liteformer.flow.stream.lines import Rows
    config = model_for().config
    reader = {"words": {"wind": {"calm": 0, "storm": 1}}, "missing": {"power": [-200.0]}}
    text = ["power,wind,hour\n", "1,calm,3\n", "-200,Storm,4\n", "?,storm,5\n"]
    rows = list(Rows(config, text, reader))
    assert np.array_equal(rows, [[1, 0, 3], [np.nan, 1, 4], [np.nan, 1, 5]], equal_nan=True)
    # Without a header the words are no names of columns.
    assert np.array_equal(list(Rows(config, text[1:2], reader)), [[1, 0, 3]])


def test_words_that_the_model_does_not_know(capsys, tmp_path):
    """Missing in lines as in a file: said once, counted."""
    from liteformer.flow.stream.lines import Rows
    from liteformer.train.data.reader.read import read
    from liteformer.train.data.reader.rules import Rules
    config, reader = model_for().config, {"words": {"wind": {"calm": 0, "storm": 1}}}
    text = ["power,wind,hour\n", "1,calm,3\n", "2,breeze,4\n", "3,?,5\n", "4,gust,6\n", "5,storm,7\n"]
    rows = Rows(config, text, reader)
    assert np.array_equal([row[1] for row in rows], [0, np.nan, np.nan, np.nan, 1], equal_nan=True)
    said = "line 3 of standard input, column 'wind' holds 'breeze'; the model knows 'calm' and 'storm', another word is taken"
    assert capsys.readouterr().err.count("the model knows") == 1
    assert rows.notes == ["2 cells of column 'wind' hold a word that the model does not know; they are taken as missing"]
    (tmp_path / "w.csv").write_text("".join(text))
    table = read(tmp_path / "w.csv", learned=reader)
    assert np.array_equal(table.numbers("wind"), [0, np.nan, np.nan, np.nan, 1], equal_nan=True)
    assert table.notes.texts == ["column 'wind': 3 cells that are no word that the model knows ('breeze' in row 3 is the "
                                 "first) are taken as missing"]
    assert refusal(list, Rows(config, text, reader, Rules(strict=True))) == (
        f"{said} as missing; correct the file or leave --strict out")


@pytest.mark.parametrize(("options", "text"), [
    ("--separator |", "power|wind|hour\n{0}|{1}|{2}\n"),
    ("--decimal ,", "power;wind;hour\n{0:d}.000,5;{1};{2}\n"),
    ("--decimal .", 'power,wind,hour\n"{0:d},000.5",{1},{2}\n'),
    ("--skip-rows 2", "logger 7\nof, the plant, 12\npower,wind,hour\n{0},{1},{2}\n"),
    ("--missing -7,bad", "power,wind,hour\n-7,2,3\n1,bad,3\n{0},{1},{2}\n"),
    ("--encoding latin-1", "power,wind,hour,größe\n{0},{1},{2},3\n")])
def test_lines_as_the_user_says(run, offered, monkeypatch, options, text):
    model = model_for()
    offered(model)
    head, _, last = text[:-1].rpartition("\n")
    whole = head + "\n" + "".join(last.format(row + 1, row + 2, row % 5) + "\n" for row in range(8))
    stdin = io.TextIOWrapper(io.BytesIO(whole.encode("latin-1")), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-", "--json", *options.split())
    assert code == 0, err
    result, power = json.loads(out), np.arange(8) + 1.0
    power = power * 1000 + 0.5 if "--decimal" in options else power
    assert result["windows"] == 5 and [row[0] for row in result["truth"]] == [*power[4:], None]


def test_lines_that_are_not_text(run, offered, monkeypatch):
    offered(model_for())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"power,wind,hour\n\xe4,2,3\n"), encoding="utf-8"))
    code, out, err = run("run", "m.safetensors", "--sim", "--path", "-")
    assert (code, err.splitlines()[-1]) == (2, "error: standard input is not text in UTF-8; name its encoding with --encoding")


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
