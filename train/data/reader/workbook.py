# SPDX-License-Identifier: BSD-2-Clause
"""Excel workbooks and Parquet files as text between commas, which is then read like any other."""

import datetime
import io

import pandas as pd

from liteformer.accel.errors import LiteFormerError

PARQUET, ZIP, OLD_EXCEL = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
INSTALL = "in LiteFormer's folder run pip install '.[files]'"


def as_text(data, path, notes):
    """Text of a workbook's sheet or of a Parquet file.

    Args:
        data: bytes of the file; path: its name, for errors; notes: Notes.
    Returns:
        bytes, UTF-8 with commas, points and times such as 2024-01-31 13:00:00; None for any other file.
    Raises:
        LiteFormerError: the library for it is not installed, or the file is damaged.
    """
    if data.startswith(OLD_EXCEL):
        raise LiteFormerError(f"{path} is a workbook of an old Excel; save its sheet as .xlsx or CSV and name that with --path")
    if data.startswith(PARQUET):
        frame = _parquet(data, path)
    elif data.startswith(ZIP):
        frame = _sheet(data, path, notes)
    else:
        return None
    return frame.to_csv(index=False, header=data.startswith(PARQUET), lineterminator="\n").encode()


def _parquet(data, path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise LiteFormerError(f"{path} is a Parquet file; to read it, {INSTALL}, or write it as CSV") from None
    try:
        frame = pd.read_parquet(io.BytesIO(data))
    except (OSError, ValueError) as error:
        raise LiteFormerError(f"{path} is not a readable Parquet file ({str(error).strip()}); copy it again") from None
    if frame.index.name is not None or isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.reset_index(names=frame.index.name or "time")
    # A number as a name would look like a row without names.
    return frame.rename(columns=lambda name: f"column {name}" if str(name).replace(".", "").isdigit() else str(name))


def _sheet(data, path, notes):
    """The first sheet that holds anything, without empty rows before it and empty columns."""
    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise LiteFormerError(f"{path} is an Excel workbook; to read it, {INSTALL}, or save its sheet as CSV") from None
    try:
        book = pd.read_excel(io.BytesIO(data), sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except (OSError, ValueError, KeyError) as error:
        raise LiteFormerError(f"{path} is not a readable workbook ({str(error).strip()}); save it again") from None
    sheets = {name: frame for name, frame in book.items() if frame.notna().any(axis=None)}
    if not sheets:
        raise LiteFormerError(f"{path} is empty; check --path")
    name, frame = next(iter(sheets.items()))
    if len(sheets) > 1:
        notes.add(f"the workbook has the sheets {', '.join(map(repr, sheets))}; {name!r} is read, save another as a file of "
                  "its own to read that")
    full = frame.notna().any(axis=1).to_numpy()
    return frame.iloc[int(full.argmax()):].dropna(axis=1, how="all").map(_cell)


def _cell(value):
    """Times to milliseconds, as Excel shows them: its fractions of a day are not exact."""
    return pd.Timestamp(value).round("ms") if isinstance(value, datetime.datetime) and pd.notna(value) else value
