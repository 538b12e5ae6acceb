# SPDX-License-Identifier: BSD-2-Clause
"""Small series and one small training that the tests of train/ share."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.run import train

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Steps this small are slower with more threads."""
    torch.set_num_threads(1)


@pytest.fixture
def shared():
    """Path of a file of the shared data; skips if it is missing."""
    def path(name):
        if not (SHARED / name).is_file():
            pytest.skip(f"{SHARED / name} is missing")
        return str(SHARED / name)
    return path


@pytest.fixture
def frame():
    """400 hourly rows: time, a (to forecast), b."""
    rng = np.random.default_rng(5)
    a = np.sin(np.arange(400) / 5) * 10 + rng.normal(0, 1, 400) + 20
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=400, freq="h").strftime("%Y-%m-%d %H:%M"),
                         "a": a.round(3), "b": (np.roll(a, 1) * 3 + rng.normal(0, 1, 400)).round(3)})


@pytest.fixture
def csv(tmp_path):
    """Writes a DataFrame and gives options that read it; ``more`` overrides them."""
    def write(data, **more):
        path = tmp_path / "series.csv"
        data.to_csv(path, index=False)
        return TrainOptions(**{"data": "csv", "path": str(path), "target": ["a"], "timestamp": "time", "batch": 32} | more)
    return write


@pytest.fixture(scope="session")
def small():
    """Options of a training that takes about a second."""
    return {"window": 6, "d_model": 8, "epochs": 2, "qat_epochs": 2, "teachers": 1, "neighbours": "none",
            "skip": "none", "refit_epochs": 2}


@pytest.fixture(scope="session")
def run(small, tmp_path_factory):
    """A small finished Run."""
    return train(TrainOptions(**small, out=str(tmp_path_factory.mktemp("run") / "model")))
