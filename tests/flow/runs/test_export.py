# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer export`: files, JSON, bad input."""

import json
import subprocess

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.runs import export


@pytest.fixture
def model(tmp_path):
    """Path of a model file."""
    path = tmp_path / "model.safetensors"
    random_model(np.random.default_rng(1), window=4, features=2, d_model=4, bits=4).save(path)
    return path


def test_onnx(run, model, tmp_path):
    code, out, _ = run("export", model, "--format", "onnx", "-o", tmp_path / "new" / "a.onnx", "--windows", 100, "--json")
    result = json.loads(out)
    assert code == 0 and (result["mismatches"], result["windows"], result["format"]) == (0, 100, "onnx")
    assert (tmp_path / "new" / "a.onnx").stat().st_size > 1000
    assert "outputs that differ" in run("export", model, "--format", "onnx", "-o", tmp_path / "a.onnx")[1]


def test_qonnx(run, model, tmp_path):
    pytest.importorskip("qonnx", reason="qonnx is not installed; pip install '.[onnx]'")
    code, out, _ = run("export", model, "--format", "qonnx", "-o", tmp_path / "q.onnx", "--windows", 10, "--json")
    result = json.loads(out)
    assert code == 0 and (result["mismatches"], result["windows"], result["format"]) == (0, 10, "qonnx")


def test_c(run, model, tmp_path):
    code, out, _ = run("export", model, "--format", "c", "-o", tmp_path / "c", "--name", "pump", "--json")
    result = json.loads(out)
    assert code == 0 and result["windows"] == 1000 and result["name"] == "pump"
    assert sorted(result["files"]) == ["Makefile", "export.json", "pump.c", "pump.h", "pump_test.c", "test_vectors.h"]
    assert "PASS: 1000 windows" in subprocess.run(["make", "-C", tmp_path / "c", "test"], capture_output=True, text=True).stdout
    # Again in its place, with what the test made in between.
    subprocess.run(["make", "-C", tmp_path / "c", "clean"], capture_output=True, check=True)
    assert "make -C" in run("export", model, "--format", "c", "-o", tmp_path / "c")[1]


def test_onnxruntime_that_is_missing_is_said(run, model, tmp_path, monkeypatch):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    code, out, err = run("export", model, "--format", "onnx", "-o", tmp_path / "a.onnx", "--json")
    assert code == 0 and json.loads(out)["mismatches"] is None
    assert (f"note: {tmp_path}/a.onnx was not compared with the golden model, onnxruntime is not installed; pip install "
            "'liteformer[onnx]'") in err
    code, _, err = run("export", model, "--format", "qonnx", "-o", tmp_path / "q.onnx")
    assert code == 0 and "golden model, qonnx is not installed; pip install 'liteformer[onnx]'" in " ".join(err.split())


@pytest.mark.parametrize("arguments, sentence", [
    (["--format", "onnx", "-o", "a.txt"], "--out a.txt does not end in .onnx; name a file such as build/model.onnx"),
    (["--format", "onnx", "-o", "a.onnx", "--name", "x"], "--name is that of C files and functions; leave it out"),
    (["--format", "onnx", "-o", "a.onnx", "--windows", "0"], "windows is 0; choose at least 1"),
    (["--format", "c", "-o", "taken"], "exists and was not made by this command; name another folder"),
])
def test_bad_input(run, model, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run("export", model, *arguments)
    assert (code, out) == (2, "") and sentence in err and err.count("error:") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_no_model(run, tmp_path):
    assert run("export", tmp_path / "none", "--format", "onnx", "-o", tmp_path / "a.onnx")[2] == (
        f"error: no model at {tmp_path}/none; `liteformer train --out {tmp_path}/none` makes one\n")
