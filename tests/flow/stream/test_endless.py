# SPDX-License-Identifier: BSD-2-Clause
"""Streams without end: what is held does not grow, and the results are those of one comparison at the end."""

import doctest
import json
import tracemalloc
from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.stream import lines as lines_module
from liteformer.flow.stream import streaming, tally
from liteformer.flow.stream.device import Device
from liteformer.flow.stream.live import LiveRows
from liteformer.flow.stream.replay import Replay
from liteformer.soc.protocol import Result

from ..plant import FEATURES, model_for, write_plant
from .golden_client import GoldenClient

STEADY = ("seconds", "windows_per_second")


class Constant:
    """A device that answers every window alike, so that it holds nothing."""

    task = "forecast"

    def reset(self):
        pass

    def infer(self, rows):
        return Result(np.zeros(1, np.int64), np.zeros(0, np.int64), 800, 1000)


def endless(count, holes=10**9):
    """Lines with names; every ``holes``-th has an empty cell."""
    yield ",".join(FEATURES) + "\n"
    for row in range(count):
        yield f"{row % 7},{'' if row % holes == holes - 1 else row % 5},{row % 24}\n"


def measured(model, source, client=None, **options):
    device = Device(client or Constant(), "simulation", "the board")
    tallied = streaming.run_windows(device, model, source, **options)
    return streaming.measure(device, model, source, *tallied)


def growth(holes=10**9):
    """``(bytes, result)``: memory gained by 36 blocks of an endless stream, where the same number of windows waits."""
    seen = []

    def show(index, result, window):
        if index in (11 * tally.BLOCK, 47 * tally.BLOCK):
            seen.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.start()
    try:
        result = measured(model_for(), LiveRows(model_for(), endless(14000, holes)), show=show)
    finally:
        tracemalloc.stop()
    return seen[1] - seen[0], result


def three_steps():
    """A model that forecasts power one to three steps ahead."""
    model = random_model(np.random.default_rng(5), window=4, features=3, d_model=8, bits=4, outputs=3)
    fields = {"task": "forecast", "feature_names": FEATURES, "raw_scale": [4.0, 16.0, 1.0], "output_scale": [4.0] * 3,
              "target_names": ["power+1", "power+2", "power+3"], "target_features": [0] * 3}
    return replace(model, config=type(model.config)(**model.config.model_dump() | fields),
                   provenance=model_for(horizon=3).provenance)


MODELS = {"forecast": model_for, "three steps": three_steps, "classification": lambda: model_for("classification"),
          "anomaly": lambda: model_for("anomaly")}


def test_docstring_examples():
    assert doctest.testmod(lines_module).failed == 0


@pytest.mark.parametrize("holes", [10**9, 50])
def test_nothing_grows(monkeypatch, holes):
    monkeypatch.setattr(streaming, "LISTED", 200)
    grown, result = growth(holes)
    assert grown < 20_000
    assert (result["listed"], len(result["forecast"]), len(result["truth"])) == (200, 200, 200)
    assert result["windows"] == 13997 - result["left_out"]
    assert f"the first 200 of {result['windows']} windows are listed and drawn; the figures are those of all" in result["notes"]


def test_what_grows_is_seen(monkeypatch):
    """Negative control: the same with every window listed."""
    monkeypatch.setattr(streaming, "LISTED", None)
    assert growth()[0] > 100_000


def test_a_stream_of_empty_cells_holds_nothing():
    source = LiveRows(model_for(), endless(3000, holes=1))
    assert deque(source.windows(), maxlen=1) == deque()
    assert source.left_out == 2997 and not source._waiting


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_change_no_result(monkeypatch, tmp_path, kind, block):
    """Of a stream with a hole, with wrong outputs of every window; against one block for all."""
    monkeypatch.chdir(tmp_path)
    model = MODELS[kind]()
    text = write_plant()[FEATURES].to_csv(index=False).splitlines(keepends=True)
    monkeypatch.setattr(tally, "BLOCK", 10**6)
    whole = measured(model, LiveRows(model, text), GoldenClient(model, fault=1))
    monkeypatch.setattr(tally, "BLOCK", block)
    parts = measured(model, LiveRows(model, text), GoldenClient(model, fault=1))
    assert whole["windows"] == 53 and whole["mismatches"] >= 53
    for name in set(whole) - set(STEADY) - {"rmse", "rmse_by_step"}:
        assert json.dumps(parts[name]) == json.dumps(whole[name]), name
    if model.config.task == "forecast":
        assert parts["rmse"] == pytest.approx(whole["rmse"]) and whole["rmse"]["device"] > 0
    for name, steps in whole.get("rmse_by_step", {}).items():
        assert parts["rmse_by_step"][name] == pytest.approx(steps)


def test_each_step_has_its_error(monkeypatch, tmp_path):
    """Three steps ahead, against the rows that followed; a row with a hole is no truth."""
    monkeypatch.chdir(tmp_path)
    frame, model = write_plant(), three_steps()
    result = measured(model, LiveRows(model, frame[FEATURES].to_csv(index=False).splitlines()), GoldenClient(model))
    starts = [start for start in range(57) if not start <= 20 < start + 4]
    padded = np.concatenate([frame["power"].to_numpy(), [np.nan] * 3])
    errors = np.array(result["forecast"]) - np.stack([padded[start + 4:start + 7] for start in starts])
    assert result["rmse_by_step"]["device"] == pytest.approx(np.sqrt(np.nanmean(errors ** 2, axis=0)))
    assert np.ptp(result["rmse_by_step"]["device"]) > 0 and "rmse_by_step" not in measured(
        model_for(), LiveRows(model_for(), frame[FEATURES].to_csv(index=False).splitlines()))


def test_a_truth_is_that_of_the_rows_that_follow(monkeypatch, tmp_path):
    """Three steps ahead; NaN for the row with a hole and after the end."""
    monkeypatch.chdir(tmp_path)
    frame = write_plant()
    source = LiveRows(three_steps(), frame[FEATURES].to_csv(index=False).splitlines())
    truth = np.array([window.truth for window in list(source.windows())])
    starts = [start for start in range(57) if not start <= 20 < start + 4]
    padded = np.concatenate([frame["power"].to_numpy(), [np.nan] * 3])
    assert np.array_equal(truth, np.stack([padded[start + 4:start + 7] for start in starts]), equal_nan=True)


def test_one_wrong_window_of_a_late_block_is_counted(monkeypatch, tmp_path):
    """Negative control."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tally, "BLOCK", 8)
    model, text = model_for(), write_plant()[FEATURES].to_csv(index=False).splitlines()
    client = GoldenClient(model)
    infer, calls = client.infer, []

    def once(rows):
        calls.append(None)
        client.fault = int(len(calls) == 41)
        return infer(rows)
    monkeypatch.setattr(client, "infer", once)
    assert measured(model, LiveRows(model, text), client)["mismatches"] == 1


def test_a_file_is_listed_whole(monkeypatch):
    monkeypatch.setattr(streaming, "LISTED", 5)
    replayed = Replay(np.zeros((20, 4, 3), np.int64), np.zeros((20, 1)))
    result = measured(model_for(), replayed)
    assert (result["listed"], len(result["truth"]), result["notes"]) == (20, 20, [])
