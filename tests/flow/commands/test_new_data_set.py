# SPDX-License-Identifier: BSD-2-Clause
"""To add a data set, as in docs/tasks.md: one file with a reader, one entry in the registry, nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liteformer.flow.common.inputs import load_model
from liteformer.flow.stream.replay import load_replay
from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.registry import REGISTRY, DataSource, Reader
from liteformer.train.loop.options import TrainOptions

from ...refusal import refusal

# The new file.
READER = """
from liteformer.train.data import table
from liteformer.train.data.task_series import forecast_series


def load(options):
    frame = table.read_table(options.path)
    _, follows, _ = table.time_steps(frame, options.path, options.timestamp or frame.columns[0])
    return forecast_series(options, frame, options.path, features=["rain", "level"], targets=["level"],
                           follows=follows, unit="m")
"""

# The new entry.
RIVER = DataSource("river", "level of a river", time_first=True, readers={"forecast": Reader("river_reader:load", epochs=2)})

UNKNOWN = "data is 'river'; choose one of: 'synthetic', 'airu', 'pems', 'csv', 'har', 'wisdm' or 'skab'"
SMALL = ("--window", "6", "--d-model", "8", "--teachers", "1", "--batch", "32")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder on Python's path with the reader and river.csv: 300 hours, a gap of one before row 200."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(tmp_path))
    Path("river_reader.py").write_text(READER)
    rng = np.random.default_rng(4)
    rain = rng.random(301).round(3)
    level = (np.convolve(rain, [0.5, 0.3, 0.2])[:301] + 1).round(3)
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=301, freq="h"), "rain": rain, "level": level})
    frame.drop(index=200).to_csv("river.csv", index=False)
    yield
    sys.modules.pop("river_reader", None)


@pytest.fixture
def river(monkeypatch):
    monkeypatch.setitem(REGISTRY, "river", RIVER)


def command(*arguments, entry=True):
    """`liteformer arguments` in a process of its own, whose registry has the entry from the beginning."""
    register = f"from liteformer.train.data.registry import *; REGISTRY['river'] = {RIVER!r}; " if entry else ""
    return subprocess.run([sys.executable, "-c", f"{register}from liteformer.flow.cli import main; main()", *arguments],
                          capture_output=True, text=True)


def plain(text):
    """Text without Rich's frames and line breaks."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())


def test_load(river):
    options = TrainOptions(data="river", path="river.csv", window=6, batch=32)
    dataset = load_dataset(options)
    assert (dataset.feature_names, dataset.target_names, dataset.unit) == (["rain", "level"], ["level"], "m")
    assert (options.float_epochs, options.quantized_epochs) == (2, 4)


def test_options_know_its_rules(river):
    assert refusal(lambda: TrainOptions(data="river")) == "data river needs a CSV; give it with --path"
    assert refusal(lambda: TrainOptions(data="river", task="anomaly", path="river.csv")) == (
        "task anomaly has no data river; choose one of: synthetic, skab, csv")
    assert refusal(lambda: TrainOptions(data="moon")).endswith("'har', 'wisdm', 'skab' or 'river'")


def test_without_the_entry():
    """Negative control: the reader alone is no data set."""
    assert refusal(lambda: TrainOptions(data="river", path="river.csv")) == UNKNOWN
    assert TrainOptions(data="csv", path="river.csv").data == "csv"


def test_the_command_trains(monkeypatch):
    """And replays: the test part by its reader, a CSV without it, whose first column is the time."""
    done = command("train", "--data", "river", "--path", "river.csv", *SMALL, "--out", "model", "--json")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)
    assert (metrics["options"]["data"], metrics["unit"]) == ("river", "m")
    model = load_model("model")
    assert refusal(load_replay, model) == UNKNOWN
    unknown = load_replay(model, path="river.csv")
    assert (len(unknown), unknown.truth) == (290, None)
    monkeypatch.setitem(REGISTRY, "river", RIVER)
    assert load_replay(model).source == "the test part of river"
    known = load_replay(model, path="river.csv")
    assert (len(known), known.left_out) == (290, 5)
    assert known.truth.shape == (290, 1) and np.isnan(known.truth).any() and not np.isnan(known.truth).all()


@pytest.mark.parametrize("name, told", [("train", "river (level of a river) to forecast"),
                                        ("explore", "river (level of a river) to forecast"), ("run", "skab, river)")])
def test_help_lists_it(name, told):
    assert told in plain(command(name, "--help").stdout)
    assert "river" not in plain(command(name, "--help", entry=False).stdout)


@pytest.mark.parametrize("name", ["train", "explore", "run"])
def test_the_commands_choose_from_the_registry(name):
    arguments = (name, *("model",) * (name == "run"), "--data")
    wrong = command(*arguments, "moon")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "'moon' is not one of 'synthetic', 'airu', 'pems', 'csv', 'har', 'wisdm', 'skab', 'river'." in plain(wrong.stderr)
    assert "'river' is not one of 'synthetic', 'airu', 'pems', 'csv', 'har', 'wisdm', 'skab'." in plain(
        command(*arguments, "river", entry=False).stderr)
