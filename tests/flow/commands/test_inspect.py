# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer inspect`: what it finds, its picture, and the line to train with."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liteformer.train.loop.options import TrainOptions


@pytest.fixture(autouse=True)
def plant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"when": pd.date_range("2024-02-01", periods=200, freq="h").strftime("%d.%m.%Y %H:%M"),
                          "power": np.sin(np.arange(200) / 5).round(3) * 4 + 10,
                          "valve": np.where(np.arange(200) % 30 < 9, "on", "off"), "id": np.arange(200)})
    frame.loc[::20, "power"] = -999
    frame.drop(index=[90, 91]).to_csv("plant.csv", sep=";", decimal=",", index=False)


def test_json(run):
    code, out, err = run("inspect", "plant.csv", "--plot", "build/plant.png", "--json")
    result = json.loads(out)
    assert code == 0, err
    assert (result["rows"], result["separator"], result["decimal"], result["encoding"]) == (198, ";", ",", "utf-8")
    assert result["times"] == {"column": "when", "first": "2024-02-01T00:00:00.000", "last": "2024-02-09T07:00:00.000",
                               "step": "1 hour", "gaps": 1, "longest_gap": "3 hours", "longest_stretch": 108}
    assert result["missing"] == {"power": [-999]} and result["words"] == {"valve": {"off": 0, "on": 1}}
    assert {column["name"]: column["feature"] for column in result["columns"]} == {"power": True, "valve": True, "id": False}
    assert Path("build/plant.png").read_bytes().startswith(b"\x89PNG")
    words = shlex.split(result["train"])
    assert words == ["liteformer", "train", "--path", "plant.csv", "--target", "power", "--out", "build/plant"]
    assert TrainOptions(path="plant.csv", target=["power"]).data == "csv"


def test_what_a_person_reads(run):
    code, out, _ = run("inspect", "plant.csv", "--missing", "-999")
    assert code == 0
    text = " ".join(out.replace("\\\n", "").split())
    assert "counts" in text and "off = 0, on =" in text and "every 1 hour, 1 gaps (the longest 3 hours)" in text
    assert "liteformer train --path plant.csv --target power --missing=-999 --out build/plant" in text


def test_bad_input(run):
    assert run("inspect", "none.csv") == (2, "", "error: there is no file none.csv; check --path\n")
    assert run("inspect", "plant.csv", "--plot", "x.pdf") == (
        2, "", "error: --plot x.pdf does not end in .png; name a file such as build/plant.png\n")
