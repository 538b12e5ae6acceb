# SPDX-License-Identifier: BSD-2-Clause
"""Local time: to UTC by the name of a zone, and its recognition by an hour that comes twice."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError

HOUR = np.timedelta64(3600, "s")
SUNDAY = 6
CHANGES = (3, 4, 9, 10, 11)  # Months in which summer time ends, on both halves of the Earth.


def zone(name):
    """ZoneInfo of a name.

    Raises:
        LiteFormerError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise LiteFormerError(f"there is no time zone {name!r}; choose one such as --timezone Europe/Berlin") from None


def to_utc(times, name):
    """Local times, in the order of a file, as UTC.

    Of an hour that comes twice the rows before the times go back are in summer time, those after in winter time; without a
    second pass all are in summer time.

    Args:
        times: datetime64[ns] ``(rows,)``, NaT where missing; name: of the zone.
    Raises:
        LiteFormerError: no such zone.
    """
    series, there = pd.Series(times), zone(name)
    plain = series.dt.tz_localize(there, ambiguous="NaT", nonexistent="shift_forward")
    open_ = (plain.isna() & series.notna()).to_numpy()
    summer = np.ones(len(times), bool)
    if open_.any():
        at = np.flatnonzero(open_)
        stamps = times[at].astype(np.int64)
        days = times[at].astype("datetime64[D]")
        # A second pass begins where the time is not later than in the row before, on the same day.
        back = np.r_[False, (np.diff(stamps) <= 0) & (days[1:] == days[:-1])]
        block = np.cumsum(np.r_[True, days[1:] != days[:-1]])
        passes = pd.Series(back).groupby(block).cumsum().to_numpy()
        summer[at] = passes == 0
    local = series.dt.tz_localize(there, ambiguous=summer, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")


def twice_an_hour(times):
    """Row at which a local clock was put back by an hour, or None.

    Args:
        times: datetime64[ns] ``(rows,)`` in the order of the file, NaT where missing.
    """
    at = np.flatnonzero(~np.isnat(times))
    steps = np.diff(times[at])
    if not len(steps) or (steps < np.timedelta64(0)).mean() > 0.01:
        return None
    usual = np.median(steps.astype(np.int64))
    for row in np.flatnonzero(steps <= np.timedelta64(0)):
        expected = int(usual) - HOUR.astype("timedelta64[ns]").astype(np.int64)
        stamp = pd.Timestamp(times[at[row + 1]])
        even = abs(int(steps[row].astype(np.int64)) - expected) <= 0.25 * abs(usual) + 1
        if (
            usual <= HOUR.astype("timedelta64[ns]").astype(np.int64)
            and even
            and stamp.day_of_week == SUNDAY
            and (stamp.month in CHANGES)
            and stamp.hour <= 3
        ):
            return int(at[row + 1])
    return None
