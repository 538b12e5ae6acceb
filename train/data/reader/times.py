# SPDX-License-Identifier: BSD-2-Clause
"""Times as text or as numbers, to datetime64: order of day and month, 12-hour clock, 24:00, zones, epochs, Excel's days."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.cells import CLOCK, PACKED, STAMP, TIME_OF_DAY, ZONES, month

EPOCHS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
EPOCH_RANGE = (473e6, 4.1e9)  # Seconds of 1985 and 2099.
EXCEL_RANGE = (15000, 73000)  # Days of 1941 and 2099.
FEW = 2000      # Rows after which cells with as many different days are not taken apart.
NO_TIME, NO_DURATION = np.datetime64("NaT", "ns"), np.timedelta64("NaT", "ns")
EXCEL_ZERO = np.datetime64("1899-12-30", "ns")
HINTS = ("time", "date", "stamp", "datum", "zeit", "epoch", "fecha", "heure", "temps", "ts", "dt", "utc", "unix")
FIELDS = ("a", "s1", "b", "c", "name", "nd", "ny", "packed", "ya", "ma", "H", "M", "S", "F", "P", "Z")


def looks_like_time(name):
    """True if a column's name says that it holds times."""
    name = name.casefold()
    return any(hint == name or (len(hint) > 2 and hint in name) for hint in HINTS)


def parse_times(cells, name, path, rules, notes):
    """Times of a column of text.

    Args:
        cells: pandas Series of str, NaN where empty; name: of the column; path: its file; rules: Rules; notes: Notes.
    Returns:
        ``(times, zoned)``: datetime64[ns] ``(rows,)``, in UTC where cells name a zone, NaT where a cell is none; True if they
        name one.
    Raises:
        LiteFormerError: day and month cannot be told apart.
    """
    quick = _iso(cells)
    if quick is not None:
        return quick
    parts = _split(cells)
    if parts is not None:
        # Few different days and times of day, however many rows.
        groups, day_codes, clock, clock_codes, zoned = parts
        clock = np.append(clock, NO_DURATION)[clock_codes]

        def whole(days):
            return np.append(days.astype("datetime64[ns]"), NO_TIME)[day_codes] + clock
    else:
        codes, unique = pd.factorize(cells)
        groups = _groups(pd.Series([str(text).strip() for text in unique], dtype=object))
        zoned = bool(groups["Z"].notna().any())

        def whole(days):
            return np.append(_clock(groups, days)[0], NO_TIME)[codes]

    return whole(_days(*_date(groups, whole, name, path, rules, notes))), zoned


def _split(cells):
    """``(groups, day_codes, clock, clock_codes, zoned)``: parts of the different days, the number of each row's day, different
    times of day as timedelta64[ns], the number of each row's; None where cells are not a day, a blank and a time of day."""
    days, clocks = {}, {}
    day_codes, clock_codes = np.full((2, len(cells)), -1, np.int64)
    for row, cell in enumerate(cells):
        if not isinstance(cell, str):
            continue
        day, _, clock = cell.strip().partition(" ")
        day_codes[row], clock_codes[row] = days.setdefault(day, len(days)), clocks.setdefault(clock, len(clocks))
        if row == FEW and len(days) > FEW / 2:
            return None
    groups = _groups(pd.Series(list(days), dtype=object))
    known = groups[["a", "packed", "ya"]].notna().any(axis=1)
    found = [TIME_OF_DAY.fullmatch(clock) for clock in clocks]
    if not known.all() or groups["H"].notna().any() or not all(found):
        return None
    rows = [tuple(map(one.groupdict().get, "HMSFPZ")) for one in found]
    zero = np.zeros(len(rows), "datetime64[D]")
    times, zoned = _clock(pd.DataFrame(rows, columns=list("HMSFPZ"), dtype=object), zero)
    return groups, day_codes, times - zero.astype("datetime64[ns]"), clock_codes, zoned


def _iso(cells):
    """The same for the usual notation, which pandas reads faster; None for another."""
    known = cells.dropna()
    if (
        not len(known)
        or not known.iloc[[0, -1]]
        .astype(str)
        .str.fullmatch(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
        .all()
    ):
        return None
    lengths = known.astype(str).str.len()
    zoned = bool(known.iloc[:1].astype(str).str.contains(r"[ T].*(?:Z|[+-]\d\d:?\d\d)$", regex=True).any())
    if lengths.min() < 10 or (not zoned and lengths.max() > 29):
        return None
    try:
        times = pd.to_datetime(cells, format="ISO8601", utc=True if zoned else None, errors="coerce")
    except (ValueError, TypeError):
        return None
    if times.isna().sum() > cells.isna().sum() or getattr(times.dtype, "tz", None) is None and zoned:
        return None
    return (times.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else times).to_numpy("datetime64[ns]"), zoned


def _groups(texts):
    """Parts of the notation by name, DataFrame of str or None."""
    rows = []
    for text in texts:
        found = STAMP.fullmatch(text) or PACKED.fullmatch(text)
        rows.append(tuple(map(found.groupdict().get, FIELDS)) if found else (None,) * len(FIELDS))
    return pd.DataFrame(rows, columns=FIELDS, dtype=object)


def _number(column):
    return np.array(pd.to_numeric(column, errors="coerce"), np.float64)


def _month_of(words):
    return words.map(lambda word: month(str(word)) or np.nan, na_action="ignore")


def _date(groups, whole, name, path, rules, notes):
    """``(year, month, day)``, float64, NaN where there is none."""
    count = len(groups)
    year, month, day = np.full((3, count), np.nan)
    packed = groups["packed"].notna().to_numpy()
    if packed.any():
        digits = groups["packed"][packed].astype(str)
        year[packed], month[packed], day[packed] = (
            _number(digits.str[part]) for part in (slice(0, 4), slice(4, 6), slice(6, 8))
        )
    months = groups["ya"].notna().to_numpy()
    year[months], month[months], day[months] = _number(groups["ya"][months]), _number(groups["ma"][months]), 1
    named = groups["name"].notna().to_numpy()
    year[named], day[named] = _number(groups["ny"][named]), _number(groups["nd"][named])
    month[named] = _number(_month_of(groups["name"][named]))
    three = groups["a"].notna().to_numpy()
    first, last = _number(groups["a"]), _number(groups["c"])
    middle = _number(groups["b"])
    wordy = three & np.isnan(middle)
    middle[wordy] = _number(_month_of(groups["b"][wordy].astype(object)))
    long_first = three & (groups["a"].str.len().fillna(0).to_numpy() > 2)
    short = three & ~long_first & (groups["c"].str.len().fillna(0).to_numpy() <= 2)
    # Two digits of a year come last, unless only the other order makes dates.
    ends = last[short & ~wordy]
    reversed_year = bool(len(ends)) and bool((ends <= 31).all()) and bool((first[short & ~wordy] > 31).any())
    year_first = long_first | (short & reversed_year)
    year[year_first], month[year_first], day[year_first] = first[year_first], middle[year_first], last[year_first]
    rest = three & ~year_first
    year[rest] = last[rest]
    two_digits = rest & short | (year_first & short)
    year[two_digits] += np.where(year[two_digits] < 69, 2000, 1900)
    month[rest], day[rest] = middle[rest], first[rest]
    open_ = rest & ~wordy
    if open_.any():
        dayfirst = _dayfirst(first, middle, open_, groups, year, whole, name, path, rules, notes)
        month[open_], day[open_] = (middle[open_], first[open_]) if dayfirst else (first[open_], middle[open_])
    return year, month, day


def _dayfirst(first, middle, rows, groups, year, whole, name, path, rules, notes):
    """True if the day comes before the month, decided over the whole column."""
    day_first = not (middle[rows] > 12).any()
    month_first = not (first[rows] > 12).any()
    if rules.dayfirst is not None:
        return rules.dayfirst
    if not day_first and not month_first:
        row = int(np.flatnonzero(rows & (middle > 12))[0])
        other = int(np.flatnonzero(rows & (first > 12))[0])
        texts = [f"{groups['a'][one]}{groups['s1'][one]}{groups['b'][one]}" for one in (other, row)]
        raise LiteFormerError(
            f"{path}, column {name!r} has dates with the day first ({texts[0]}) and with the month first "
            f"({texts[1]}); write them alike, or say which with --dayfirst or --no-dayfirst"
        )
    if day_first != month_first:
        return day_first
    if (first[rows] == middle[rows]).all():
        return True
    gaps = {}
    for choice in (True, False):
        month, day = (middle, first) if choice else (first, middle)
        gaps[choice] = _unevenness(whole(_days(np.where(rows, year, np.nan), month, day)))
    example = next(
        f"{groups['a'][one]}{groups['s1'][one]}{groups['b'][one]}" for one in np.flatnonzero(rows) if first[one] != middle[one]
    )
    if gaps[True] == gaps[False]:
        raise LiteFormerError(
            f"{path}, column {name!r}: the day or the month may be first ({example}); say which with --dayfirst "
            "or --no-dayfirst"
        )
    chosen = gaps[True] < gaps[False]
    notes.add(
        f"column {name!r}: the day or the month may be first ({example}); the {'day' if chosen else 'month'} is, because the "
        f"steps are more even so; --{'no-' if chosen else ''}dayfirst reads it the other way"
    )
    return chosen


def _unevenness(times):
    """Steps that differ from the usual one."""
    steps = np.diff(times[~np.isnat(times)].astype(np.int64))
    if not len(steps):
        return 0
    usual = np.median(steps)
    return int((np.abs(steps - usual) > 0.25 * abs(usual)).sum())


def _days(year, month, day):
    """datetime64[D] of float arrays, NaT where there is no such day."""
    good = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1678) & (year <= 2261)
    y, m, d = (np.where(good, part, 1).astype(np.int64) for part in (year, month, day))
    months = (y - 1970) * 12 + m - 1
    start = months.astype("datetime64[M]")
    days = start.astype("datetime64[D]") + (d - 1)
    good &= days.astype("datetime64[M]") == start
    return np.where(good, days, np.datetime64("NaT", "D"))


def _clock(groups, days):
    """``(times, zoned)`` of days and the parts of a time of day."""
    hour, minute, second = (np.nan_to_num(_number(groups[part])) for part in "HMS")
    half = groups["P"].notna().to_numpy()
    if half.any():
        late = groups["P"].str.casefold().eq("p").fillna(False).to_numpy(bool)
        wrong = half & ((hour > 12) | (hour < 1))
        hour = np.where(half, hour % 12 + 12 * late, hour)
        days = np.where(wrong, np.datetime64("NaT", "D"), days)
    nanos = _number(groups["F"].str.ljust(9, "0"))
    # 24:00 is the next day's beginning; a leap second the next minute's.
    good = ((hour < 24) | ((hour == 24) & (minute == 0) & (second == 0))) & (minute < 60) & (second <= 60)
    seconds = (hour * 3600 + minute * 60 + second).astype(np.int64)
    times = days.astype("datetime64[ns]") + (seconds * 10**9 + np.nan_to_num(nanos).astype(np.int64)).astype("timedelta64[ns]")
    times[~good] = np.datetime64("NaT", "ns")
    zones = groups["Z"].notna().to_numpy()
    if not zones.any():
        return times, False
    return times - groups["Z"].map(_offset, na_action="ignore").fillna(0).to_numpy(np.int64).astype("timedelta64[s]"), True


def _offset(zone):
    """Seconds east of UTC."""
    if zone[0] not in "+-":
        return ZONES[zone] * 3600
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def parse_clock(cells):
    """Times of day of a column of text, timedelta64[ns] ``(rows,)``, NaT where a cell is none."""
    codes, unique = pd.factorize(cells)
    found = [CLOCK.fullmatch(str(text).strip()) for text in unique]
    rows = [tuple(one.groupdict().get(part) for part in "HMSFP") + (None,) if one else (None,) * 6 for one in found]
    groups = pd.DataFrame(rows, columns=list("HMSFPZ"), dtype=object)
    zero = np.datetime64("1970-01-01", "D")
    times, _ = _clock(groups, np.full(len(groups), zero))
    times[groups["H"].isna().to_numpy()] = np.datetime64("NaT", "ns")
    return np.append(times - zero.astype("datetime64[ns]"), np.timedelta64("NaT", "ns"))[codes]


def from_numbers(values):
    """Times of a column of numbers: an epoch in s, ms, µs or ns, or Excel's days.

    Args:
        values: float64 or int64 ``(rows,)``, NaN where missing.
    Returns:
        ``(times, what)``: datetime64[ns] ``(rows,)`` and a word for it, or ``(None, "")``.
    """
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not len(known):
        return None, ""
    low, high = known.min(), known.max()
    for unit, size in EPOCHS.items():
        if low >= EPOCH_RANGE[0] * size and high <= EPOCH_RANGE[1] * size:
            return _scaled(values, 10**9 // size, np.datetime64(0, "ns")), f"{unit} since 1970"
    if low >= EXCEL_RANGE[0] and high <= EXCEL_RANGE[1]:
        # A day has no more digits than a microsecond; Excel shows milliseconds.
        whole = np.floor(np.nan_to_num(values))
        fraction = np.round((np.nan_to_num(values) - whole) * 86400e3)
        times = EXCEL_ZERO + (whole.astype(np.int64) * 86400 * 10**9 + fraction.astype(np.int64) * 10**6).astype(
            "timedelta64[ns]"
        )
        times[np.isnan(values)] = np.datetime64("NaT", "ns")
        return times, "Excel's days"
    return None, ""


def _scaled(values, nanoseconds, zero):
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        whole = np.floor(np.nan_to_num(values))
        # Fractions of an epoch in seconds have a microsecond at most as a double.
        part = np.round((np.nan_to_num(values) - whole) * nanoseconds / 1e3) * 1e3 if nanoseconds > 1000 else 0 * whole
        times = zero + (whole.astype(np.int64) * nanoseconds + part.astype(np.int64)).astype("timedelta64[ns]")
        times[missing] = np.datetime64("NaT", "ns")
        return times
    return zero + (values.astype(np.int64) * nanoseconds).astype("timedelta64[ns]")
