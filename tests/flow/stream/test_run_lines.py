# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer run`: lines from a pipe through a device, in all their forms, and what it says on bad ones."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ...refusal import refusal
from ..plant import FEATURES, expected, model_for

pytestmark = pytest.mark.usefixtures("plant")


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
