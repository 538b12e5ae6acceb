# SPDX-License-Identifier: BSD-2-Clause
"""What a program hands over as data: pandas frames, files, arrays of windows."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.flow.stream.replay import Replay, load_replay, trained_options

# How a frame is written, whatever the files of the training were like.
READING = {"separator": "comma", "decimal": ".", "encoding": "utf-8", "skip_rows": 0, "dayfirst": False}
TIME = "time"


def write_frame(frame: pd.DataFrame, path: Path, time: str | None = None) -> str | None:
    """Write a frame as a CSV that the reader reads back number for number.

    Args:
        time: name for the column of an index of times that has none.
    Returns:
        name of the column of times, None if the index holds none.
    Raises:
        LiteFormerError: no rows, or columns without a name of their own.
    """
    names = [str(name) for name in frame.columns]
    if not len(frame) or not names:
        raise LiteFormerError(f"the frame has {len(frame)} rows and {len(names)} columns; give one with rows of numbers")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise LiteFormerError(f"the frame has two columns {twice!r}; rename one")
    times = isinstance(frame.index, pd.DatetimeIndex)
    name = (str(frame.index.name) if frame.index.name is not None else time or TIME) if times else None
    if name in names:
        raise LiteFormerError(f"the frame has a column {name!r} and an index of times of that name; rename one")
    frame.to_csv(path, index=times, index_label=name, encoding="utf-8", date_format="%Y-%m-%dT%H:%M:%S.%f%z" if times else None)
    return name


@contextmanager
def spoken_of(path: Path, word: str = "the frame") -> Iterator[None]:
    """A LiteFormerError from inside names the data by a word, not by the file that they were written into."""
    try:
        yield
    except LiteFormerError as error:
        raise type(error)(str(error).replace(str(path), word)) from None


def windows_of(model: QuantizedModel, data: Any) -> tuple[Replay, pd.Index | None]:
    """Windows for a model.

    Args:
        data: DataFrame with the model's features as columns; path of such a file; or physical values, float
            ``(N, window, features)``.
    Returns:
        ``(Replay, index)``: of frame or file, the index of each window's last row; None for an array.
    Raises:
        LiteFormerError: columns are missing, there is no whole window, wrong shape.
    """
    if isinstance(data, pd.DataFrame):
        with tempfile.TemporaryDirectory() as temporary:
            path, known = Path(temporary) / "frame.csv", trained_options(model)
            reader = model.provenance.get("reader") or {}
            write_frame(data, path, known.get("timestamp") or reader.get("time"))
            with spoken_of(path):
                replay = load_replay(model, None, str(path), READING)
        replay = replace(replay, source="the frame", notes=[text.replace(str(path), "the frame") for text in replay.notes])
        return replay, data.index[replay.rows]
    if isinstance(data, str | Path):
        replay = load_replay(model, None, str(data))
        return replay, pd.Index(replay.rows, name="row")
    config, values = model.config, np.asarray(data)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[1:] != (config.window, config.features) or values.dtype.kind not in "fiu":
        raise LiteFormerError(f"windows must be numbers of shape (N, {config.window}, {config.features}), not "
                              f"{values.dtype}{values.shape}; a table of rows goes in as a DataFrame")
    if not np.isfinite(values).all():
        raise LiteFormerError("the windows hold missing or infinite numbers; leave such windows out, or give a DataFrame, of "
                              "which the whole windows are taken")
    return Replay(config.counts(values.astype(np.float64)), source="the windows"), None
