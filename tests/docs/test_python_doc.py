# SPDX-License-Identifier: BSD-2-Clause
"""The programs of docs/python.md and docs/export.md, as printed there."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liteformer.accel import golden
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.flow.export.onnx_file import write_onnx
from liteformer.train.loop.run import limited_threads

DOCS = Path(__file__).parents[2] / "docs"


def programs(document):
    """Python examples of a document, list of str."""
    return re.findall(r"```python\n(.*?)```", (DOCS / document).read_text(), re.DOTALL)


def loop_of(text, monkeypatch, folder):
    """Run a program in a folder; its names."""
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(text, "docs/python.md", "exec"), names)
    return names


def test_the_training_loop(monkeypatch, tmp_path):
    """The trained model forecasts better than the last value, and equals its network in float64."""
    import torch
    with torch.random.fork_rng(), limited_threads(1):
        torch.manual_seed(1)
        text = programs("python.md")[1]
        assert text.count("\n") <= 46
        names = loop_of(text, monkeypatch, tmp_path)
    model, raw, series = QuantizedModel.load("build/mine.safetensors"), names["raw"], names["series"]
    outputs = golden.infer(model, raw)
    error = np.sqrt(np.square(model.config.physical(outputs)[:, 0] - series[8:]).mean())
    assert error < 0.8 * np.sqrt(np.square(np.diff(series[7:])).mean())
    quantized = names["quantized"].double().eval()
    with torch.no_grad():
        found = quantized.integers(torch.as_tensor(quantized.quantize_input(raw), dtype=torch.float64))
    np.testing.assert_array_equal(found.numpy(), outputs)


def test_onnx_in_a_program(monkeypatch, tmp_path):
    model = random_model(np.random.default_rng(1), window=4, features=2, d_model=4, bits=4, outputs=2)
    (tmp_path / "build").mkdir()
    write_onnx(model, tmp_path / "build" / "plant.onnx")
    names = loop_of(programs("export.md")[0], monkeypatch, tmp_path)
    np.testing.assert_array_equal(names["forecast"], model.config.physical(golden.infer(model, names["raw"])))


@pytest.mark.slow
def test_the_estimator(monkeypatch, tmp_path, capfd):
    """Trained for one epoch."""
    time = np.arange(500)
    pd.DataFrame({"time": pd.date_range("2024-01-01", periods=500, freq="h"), "wind": np.cos(time / 9) + time % 7,
                  "power": 50 + 20 * np.sin(time / 4)}).to_csv(tmp_path / "plant.csv", index=False)
    text = programs("python.md")[0]
    assert text.count("bits=4)") == 1
    text = text.replace("bits=4)", "bits=4, epochs=1, batch=32, teachers=1, neighbours='none')")
    names = loop_of(text, monkeypatch, tmp_path)
    assert len(names["forecaster"].predict(names["table"])) == 489
    assert (tmp_path / "build" / "plant" / "model.safetensors").is_file() and (tmp_path / "build" / "arty_a7").is_dir()
    assert "2024-01-21 19:00:00" in capfd.readouterr().out


@pytest.mark.slow
def test_the_notebook(monkeypatch, tmp_path, capsys):
    """Cell by cell; it has no results stored in it."""
    notebook = json.loads((DOCS / "quickstart.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 6 and not any(cell["outputs"] for cell in cells)
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert len(names["result"]) == 3 and (tmp_path / "build" / "quickstart" / "model.safetensors").is_file()
    assert "Train on csv" in capsys.readouterr().err
