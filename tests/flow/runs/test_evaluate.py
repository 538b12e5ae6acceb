# SPDX-License-Identifier: BSD-2-Clause
"""Which test windows the simulated SoC gets."""

from types import SimpleNamespace

import numpy as np
import pytest

from liteformer.flow.runs import evaluate
from liteformer.train.metrics import tasks

HITS = [20, 39, 40]     # Windows with a right alarm; the second stretch begins with window 30.


@pytest.fixture
def run(monkeypatch):
    """Callable(calibrated) -> 60 windows in two stretches of 30, with alarms in both."""
    rows = np.concatenate([np.arange(31), 1000 + np.arange(31)])
    raw = np.concatenate([np.lib.stride_tricks.sliding_window_view(part, 2) for part in np.split(rows, [31])])[..., None]
    alarms = np.isin(np.arange(60), [2, *HITS]).astype(np.int64)
    monkeypatch.setattr(evaluate.golden, "infer", lambda *_: None)
    monkeypatch.setattr(evaluate, "decide", lambda *_: np.stack([alarms, alarms], axis=1))
    monkeypatch.setattr(tasks, "labels_of", lambda *_: np.isin(np.arange(60), HITS))

    def make(calibrated):
        return SimpleNamespace(test_raw=raw, options=SimpleNamespace(task="anomaly"), dataset=SimpleNamespace(test=None),
                               model=SimpleNamespace(config=SimpleNamespace(calibrated=calibrated)))
    return make


def test_alarms_around_the_first_right_one(run):
    assert evaluate.windows_for_soc(run(False), 8).tolist() == list(range(16, 24))
    assert evaluate.windows_for_soc(run(False), 60).tolist() == list(range(60))


def test_a_calibrated_model_begins_with_a_stretch(run):
    """The one whose right alarm comes soonest: a device that starts later would learn other means."""
    assert evaluate.windows_for_soc(run(True), 12).tolist() == list(range(30, 42))
    assert evaluate.windows_for_soc(run(True), 40).tolist() == list(range(20, 60))
