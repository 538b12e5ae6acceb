# SPDX-License-Identifier: BSD-2-Clause
"""CSV files: reading the columns that a data set needs, with errors that name row and column."""

from pathlib import Path

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.steps import find_steps


def read_table(path):
    """A CSV with a header line as a DataFrame, cells unchanged.

    Raises:
        LiteFormerError: missing, empty or unreadable file.
    """
    return read(path, header=0)


def read_matrix(path, column):
    """One column of a CSV without header.

    Args:
        path: CSV of rows in time, one sensor per column; column: its number from 0.
    Returns:
        float64 ``(rows,)``, NaN where a cell is empty.
    Raises:
        LiteFormerError: as ``read_table``; no such column; a cell that is not a number.
    """
    count = read(path, header=None, nrows=1).shape[1]
    if not 0 <= column < count:
        raise LiteFormerError(f"{path} has no sensor {column}; its {count} columns are sensors 0 to {count - 1}")
    frame = read(path, header=None, usecols=[column])
    return _numbers(path, frame[column], str(column), first_line=1)


def has_header(path):
    """False if every cell of the first line is a number: a matrix of sensors."""
    cells = pd.to_numeric(read(path, header=None, nrows=1, dtype=str).iloc[0], errors="coerce")
    return bool(cells.isna().any())


def column(frame, path, name):
    """Numbers of column ``name``.

    Returns:
        float64 ``(rows,)``; NaN where the cell is empty, NA or infinite.
    Raises:
        LiteFormerError: no such column (the message lists the columns), or a cell that is not a number.
    """
    return _numbers(path, cells(frame, path, name), name, first_line=2)


def columns(frame, path, names):
    """Numbers of several columns, float64 ``(rows, len(names))``; as ``column``."""
    return np.stack([column(frame, path, name) for name in names], axis=1)


def time_steps(frame, path, name, breaks=None):
    """Where the series is contiguous, by its timestamps.

    Args:
        frame: DataFrame; path: its file, for errors; name: of the column.
        breaks: bool ``(rows,)``, True where a recording begins, whose time need not be later.
    Returns:
        ``(times, follows, steps)``: the column as datetime64 (UTC) or numbers; bool ``(rows,)``, True where a row comes one
        usual step after the row before it; Steps.
    Raises:
        LiteFormerError: no such column, not timestamps, or not ascending.
    """
    stamps = cells(frame, path, name)
    if not pd.api.types.is_numeric_dtype(stamps):
        times = pd.to_datetime(stamps, utc=True, errors="coerce")
        bad = np.flatnonzero(times.isna() & stamps.notna())
        if len(bad):
            raise LiteFormerError(f"{path}, row {bad[0] + 2}, column {name!r} holds {stamps.iloc[bad[0]]!r}, which is not a "
                                  "time; name another column with --timestamp or correct the cell")
        stamps = times.dt.tz_localize(None)
    late = stamps <= stamps.shift()
    late = np.flatnonzero(late if breaks is None else late & ~breaks)
    if len(late):
        raise LiteFormerError(f"{path}, row {late[0] + 2}: the time in column {name!r} is not later than in the row before; "
                              "sort the file by time and remove duplicates")
    return stamps.to_numpy(), *find_steps(stamps, name, breaks)


def cells(frame, path, name):
    """Column ``name`` unchanged, a pandas Series.

    Raises:
        LiteFormerError: no such column (the message lists the columns).
    """
    if name not in frame.columns:
        raise LiteFormerError(f"{path} has no column {name!r}; it has: {', '.join(map(str, frame.columns))}")
    return frame[name]


def _numbers(path, cells, name, first_line):
    numbers = pd.to_numeric(cells, errors="coerce")
    bad = np.flatnonzero(numbers.isna() & cells.notna())
    if len(bad):
        raise LiteFormerError(f"{path}, row {bad[0] + first_line}, column {name!r} holds {cells.iloc[bad[0]]!r}, which is "
                              "not a number; correct the cell or leave it empty")
    values = numbers.to_numpy(np.float64, copy=True)
    values[~np.isfinite(values)] = np.nan
    return values


def read(path, **options):
    """A text table as a DataFrame.

    Args:
        path: file; options: of ``pandas.read_csv``.
    Raises:
        LiteFormerError: missing, empty or unreadable file.
    """
    path = Path(path)
    if not path.is_file():
        raise LiteFormerError(f"there is no file {path}; check --path")
    try:
        frame = pd.read_csv(path, skip_blank_lines=False, low_memory=False, **options)
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        raise LiteFormerError(f"{path} is not a readable CSV ({str(error).strip()}); check --path") from None
    if not len(frame) or not len(frame.columns):
        raise LiteFormerError(f"{path} is empty; check --path")
    return frame
