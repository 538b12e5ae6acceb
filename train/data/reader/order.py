# SPDX-License-Identifier: BSD-2-Clause
"""Rows in the order of their times: sorted, one row for each time."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.rules import rows_text

REPEATED = 0.3  # Share of rows with the time of another one above which a file holds several series.


def in_order(table, groups=None):
    """The rows of a Table by group, then by time; of rows with the same time the first; rows without a time are left out.

    Args:
        table: Table; groups: ``(rows,)``, recording of each row, or None.
    Returns:
        ``(table, groups)``, both in that order.
    Raises:
        LiteFormerError: most rows repeat a time.
    """
    if table.times is None:
        return table, groups
    times, notes = table.times, table.notes
    missing = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    rows = np.flatnonzero(~missing)
    if not len(rows):
        raise LiteFormerError(f"{table.path}: column {table.time!r} holds no time; name another with --timestamp")
    if len(rows) < len(times):
        count = len(times) - len(rows)
        notes.add(f"{rows_text(count)} without a time in column {table.time!r} {'is' if count == 1 else 'are'} left out")
    stamps = times[rows].astype(np.int64) if times.dtype.kind == "M" else times[rows]
    keys = np.zeros(len(rows), np.int64) if groups is None else pd.factorize(np.asarray(groups)[rows])[0]
    order = np.lexsort((np.arange(len(rows)), stamps, keys))
    back = (np.diff(stamps) < 0) & (np.diff(keys) == 0)
    if back.any():
        at = int(np.flatnonzero(back)[0]) + 1
        notes.add(
            f"{rows_text(int(back.sum()))} out of order in column {table.time!r} (the first is row "
            f"{table.lines[rows[at]] + table.first_row + 1}) {'is' if back.sum() == 1 else 'are'} sorted by time"
        )
    again = np.r_[False, (np.diff(stamps[order]) == 0) & (np.diff(keys[order]) == 0)]
    count = int(again.sum())
    if count > REPEATED * len(rows):
        raise LiteFormerError(
            f"{table.path}: {rows_text(count)} of {len(rows):,} repeat a time in column {table.time!r}, as where "
            "several series are in one file; give each a column of its own or a file, or name another time with "
            "--timestamp; for classes and alarms name their column with --group"
        )
    if count:
        at = rows[order[np.flatnonzero(again)[0]]]
        notes.add(
            f"{rows_text(count)} with the time of another one in column {table.time!r} (the first is row "
            f"{table.lines[at] + table.first_row + 1}) {'is' if count == 1 else 'are'} left out; the first row of a time is "
            "kept"
        )
    chosen = rows[order[~again]]
    if len(chosen) == len(times) and (np.diff(chosen) == 1).all():
        return table, groups
    return table.take(chosen), None if groups is None else np.asarray(groups)[chosen]
