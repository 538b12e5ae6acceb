# SPDX-License-Identifier: BSD-2-Clause
"""Tables that are no rows of one time each: a day in each row, sums in the last one, times that nobody can read."""

import re

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.cells import CLOCK
from liteformer.train.data.reader.times import looks_like_time

HOUR = re.compile(r"(?:h|hr|hour|he|stunde)?[ _]?\d{1,2}", re.IGNORECASE)
DAY = np.timedelta64(1, "D")
FEWEST = 12     # Columns of hours of a day.
ROUNDED = 1e-3  # Share by which a sum may differ from that of the rounded values.
DISTINCT = 0.9  # Share of different cells of a column of times.


def check_shape(table, timestamp=None, features=()):
    """Refuses a table with a day in each row and a column for each hour, unless the user names columns.

    Args:
        table: Table; timestamp, features: as the user gave them.
    Raises:
        LiteFormerError: it is such a table.
    """
    if features or table.times is None or table.times.dtype.kind != "M" or len(table.times) < 3:
        return
    known = table.times[~np.isnat(table.times)]
    hours = [name for name in table.columns if CLOCK.fullmatch(name) or HOUR.fullmatch(name)]
    if len(hours) >= FEWEST and table.found["named"] and len(known) > 2 and np.median(np.diff(known)) >= DAY:
        raise LiteFormerError(
            f"{table.path} has a day in each row and a column for each time of it ({hours[0]!r} to {hours[-1]!r}); write a "
            "row for each time, such as with pandas' melt, or name the columns to use with --features")


def tell_unread_times(table):
    """A note on a column that is named like times and holds text, where no other column holds times."""
    if table.times is not None:
        return
    for name, column in table.columns.items():
        if column.kind in ("text", "label") and looks_like_time(name):
            cells = column.cells.dropna().astype(str)
            if cells.str.contains(r"\d").mean() > DISTINCT and cells.nunique() > DISTINCT * len(cells):
                table.notes.add(f"column {name!r} is named like times, but {cells.iloc[0]!r} is in no notation that is known, "
                                "so every row is taken to follow the one before; write times such as 2024-01-31 13:00:00")


def without_sums(table):
    """The Table without a last row that holds the sum of every column."""
    columns = [column.values for column in table.columns.values() if column.kind == "number"]
    if table.rows < 10 or not columns:
        return table
    for values in columns:
        rest, last = values[:-1][np.isfinite(values[:-1])], values[-1]
        total = rest.sum()
        if not (len(rest) and abs(last - total) <= ROUNDED * abs(total) and abs(last) > 2 * abs(rest).max()):
            return table
    table.notes.add(f"the last row (row {table.lines[-1] + table.first_row + 1}) holds the sums of the columns and is left out")
    return table.take(np.arange(table.rows - 1))
