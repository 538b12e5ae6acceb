# SPDX-License-Identifier: BSD-2-Clause
"""A training from the command line's side: what was left out is said once and kept."""

import json

import numpy as np
import pandas as pd

from liteformer.flow.runs.train import run_training
from liteformer.train.loop.options import TrainOptions


def test_notes_are_said_and_kept(tmp_path, capsys):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"time": np.delete(np.arange(301) * 0.1, 100), "a": rng.normal(0, 1, 300), "b": rng.normal(0, 1, 300)})
    frame.to_csv(tmp_path / "gap.csv", index=False)
    options = TrainOptions(data="csv", path=str(tmp_path / "gap.csv"), target=["a"], timestamp="time", window=4, d_model=8,
                           epochs=1, qat_epochs=1, teachers=1, batch=32, neighbours="none", skip="none",
                           out=str(tmp_path / "model"))
    run_training(options)
    note = "1 row comes after another step than the usual 0.1 in column 'time'; no window spans one"
    assert capsys.readouterr().err.splitlines().count(note) == 1
    assert json.loads((tmp_path / "model" / "metrics.json").read_text())["notes"] == [note]
