# SPDX-License-Identifier: BSD-2-Clause
"""The times of a table: in one column, in two, in year, month and day, as text or as numbers."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader import times as parsing
from liteformer.train.data.reader import zones
from liteformer.train.data.reader.cells import CLOCK, STAMP, is_missing, is_time, kind
from liteformer.train.data.reader.rules import rows_text

MOST = 0.9  # Share of times among the cells of a column of times.
LOOKED_AT = 300
HOURS = ("hour", "hours", "hr", "hh", "hhmm", "hora", "heure", "ora", "stunde", "std", "uhrzeit", "zeit", "time")
OF_YEAR = ("doy", "dayofyear", "day_of_year", "day of year", "yday", "jday", "julian", "julian day", "julianday")
PARTS = (
    ("year", ("year", "yr", "yyyy", "jahr")),
    ("month", ("month", "mo", "mon", "mm", "monat")),
    ("day", ("day", "dd", "dom", "tag")),
    ("hour", ("hour", "hr", "hh", "stunde")),
    ("minute", ("minute", "min", "mi")),
    ("second", ("second", "sec", "ss")),
)


def find_times(frame, path, rules, first_row, notes, timestamp=None, features=()):
    """Times of a table.

    Args:
        frame: DataFrame; path: its file; rules: Rules; first_row: line of its first row; notes: Notes; timestamp: name of the
            column, or None; features: names of columns that are not to be taken for times.
    Returns:
        ``(times, name, used, frame)``: datetime64[ns] or float64 ``(rows,)``, or None; name of their column; names of the
        columns that are times and nothing else; the frame, without a line at its end that is none of the table.
    Raises:
        LiteFormerError: no such column, cells that are no times, local times with an hour that comes twice.
    """
    if timestamp is not None and timestamp not in frame.columns:
        raise LiteFormerError(f"{path} has no column {timestamp!r}; it has: {', '.join(map(str, frame.columns))}")
    name, what = (
        (timestamp, _what(frame[timestamp]))
        if timestamp is not None
        else _search(frame.drop(columns=[name for name in features or () if name in frame]))
    )
    if name is None:
        times, used = _of_parts(frame.drop(columns=[name for name in features or () if name in frame]), notes)
        return times, " ".join(used) or None, used, frame
    if what == "number":
        times = _of_numbers(frame[name], name, timestamp is not None, notes)
        return (times, name, [name], frame) if times is not None else (None, None, [], frame)
    frame = _without_footer(frame, name, notes)
    cells, used = frame[name].astype(object), [name]
    times, zoned = parsing.parse_times(cells, name, path, rules, notes)
    clock = _clock_beside(frame, name, times)
    if clock is not None:
        times = times + (_of_day(frame[clock]) if _what(frame[clock]) == "number" else
                         parsing.parse_clock(frame[clock].astype(object)))
        used.append(clock)
        notes.add(f"columns {name!r} and {clock!r} are read as one time")
    bad = np.flatnonzero(np.isnat(times) & frame[used].notna().all(axis=1).to_numpy())
    bad = [row for row in bad if not is_missing(str(cells.iloc[row]).strip())]
    if bad:
        raise LiteFormerError(
            f"{path}, row {bad[0] + first_row + 1}, column {name!r} holds {cells.iloc[bad[0]]!r}, which is not a "
            "time; name another column with --timestamp or correct the cell"
        )
    if not zoned:
        times = _without_zone(times, name, path, rules, first_row)
    return times, " ".join(used), used, frame


def _what(cells):
    """ "number" or "text": how a column of times is written."""
    return "number" if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells) else "text"


def _search(frame):
    """``(name, what)`` of the column that holds the times, or None and ""."""
    for name in frame.columns:
        if _what(frame[name]) == "text" and not pd.api.types.is_bool_dtype(frame[name]) and _texts_are_times(frame[name]):
            return name, "text"
    for name in frame.columns:
        cells = frame[name]
        if _what(cells) == "number" and parsing.looks_like_time(name) and len(cells) > 2:
            values = cells.to_numpy(np.float64)
            steps = np.diff(values[np.isfinite(values)])
            if len(steps) and (steps >= 0).mean() > MOST and steps.max() > 0:
                epoch = parsing.from_numbers(values)[0] is not None
                if epoch or (steps > 0).all():
                    return name, "number"
            if _packed(cells):
                return name, "text"
    return None, ""


def _packed(cells):
    """True for days as numbers, 20240131."""
    values = cells.dropna()
    return len(values) > 2 and bool(((values >= 19000101) & (values <= 21001231) & (values == values // 1)).all())


def _texts_are_times(cells):
    known = cells.dropna()
    some = [str(cell).strip() for cell in pd.concat([known.iloc[:LOOKED_AT], known.iloc[-20:]])]
    some = [cell for cell in some if not is_missing(cell)]
    dates = sum(is_time(cell) and STAMP.fullmatch(cell) is not None or _is_stamp(cell) for cell in some)
    return bool(some) and dates >= MOST * len(some)


def _is_stamp(cell):
    return is_time(cell) and CLOCK.fullmatch(cell) is None


def _clock_beside(frame, name, times):
    """Name of the column of times of day that belongs to one of days, or None."""
    known = times[~np.isnat(times)]
    if not len(known) or (known != known.astype("datetime64[D]")).any():
        return None
    at = list(frame.columns).index(name)
    for other in [*frame.columns[at + 1 : at + 3], *frame.columns[max(at - 1, 0) : at]]:
        if pd.api.types.is_numeric_dtype(frame[other]):
            if str(other).casefold() in HOURS and known.size > len(np.unique(known)) and _of_day(frame[other]) is not None:
                return other
            continue
        some = [str(cell).strip() for cell in frame[other].dropna().iloc[:LOOKED_AT]]
        if some and sum(CLOCK.fullmatch(cell) is not None for cell in some) >= MOST * len(some):
            return other
    return None


def _of_day(cells):
    """Times of day of whole numbers, hours (13) or hours and minutes (1330), timedelta64[ns] ``(rows,)``; None if they are
    neither."""
    values = cells.to_numpy(np.float64)
    known = values[np.isfinite(values)]
    if not len(known) or (known != np.floor(known)).any() or known.min() < 0 or known.max() > 2400:
        return None
    minutes = values * 60 if known.max() <= 24 else values // 100 * 60 + values % 100
    if known.max() > 24 and (known % 100 >= 60).any():
        return None
    times = np.nan_to_num(minutes).astype("timedelta64[m]").astype("timedelta64[ns]")
    times[np.isnan(minutes)] = np.timedelta64("NaT", "ns")
    return times


def _without_footer(frame, name, notes):
    """The frame without rows at its end that have a word instead of a time, such as a sum or a signature."""
    last, cells = len(frame), frame[name]
    while last and last > len(frame) - 20 and kind(str(cells.iloc[last - 1]).strip()) == "word":
        last -= 1
    if last < len(frame):
        count = len(frame) - last
        notes.add(
            f"{rows_text(count)} at the end {'is' if count == 1 else 'are'} left out, the first is "
            f"{str(frame[name].iloc[last])!r}"
        )
    return frame.iloc[:last]


def _of_numbers(cells, name, named, notes):
    values = cells.to_numpy(np.float64 if cells.isna().any() or cells.dtype.kind == "f" else np.int64)
    times, what = parsing.from_numbers(values)
    if times is None:
        return cells.to_numpy(np.float64)
    notes.add(f"column {name!r} is read as {what}")
    return times


def _of_parts(frame, notes):
    """``(times, names)`` of columns of year, month, day and so on; None and an empty list if there are none."""
    found = _parts_of(frame, PARTS)
    of_year = next((name for name in frame.columns if str(name).casefold() in OF_YEAR and _what(frame[name]) == "number"), None)
    if of_year is not None and "year" in found and "month" not in found:
        found = {"year": found["year"], "day": of_year, **_parts_of(frame, PARTS[3:])}
    elif len(found) < 3:
        return None, []
    if not frame[found["year"]].dropna().between(1678, 2200).all():
        return None, []
    values = {part: frame[name].to_numpy(np.float64) for part, name in found.items()}
    if "month" in found:
        days = parsing._days(values["year"], values["month"], values["day"])
    else:
        one = np.ones(len(frame))
        days = parsing._days(values["year"], one, one) + np.nan_to_num(values["day"] - 1).astype("timedelta64[D]")
    rest = sum(
        np.nan_to_num(values[part]) * size for part, size in (("hour", 3600), ("minute", 60), ("second", 1)) if part in values
    )
    times = days.astype("datetime64[ns]") + (np.asarray(rest * np.ones(len(frame))) * 1e9).astype("timedelta64[ns]")
    names = list(found.values())
    notes.add(f"columns {', '.join(map(repr, names[:-1]))} and {names[-1]!r} are read as one time")
    return times, names


def _parts_of(frame, parts):
    """dict part -> name of its column, up to the first that lacks."""
    found = {}
    for part, names in parts:
        columns = [name for name in frame.columns if str(name).casefold() in names and _what(frame[name]) == "number"]
        if not columns:
            break
        found[part] = columns[0]
    return found


def _without_zone(times, name, path, rules, first_row):
    """Times in UTC, by the zone that the rules name.

    Raises:
        LiteFormerError: no zone is named and an hour comes twice, as in local time.
    """
    if rules.timezone:
        return zones.to_utc(times, rules.timezone)
    row = zones.twice_an_hour(times)
    if row is not None:
        stamp = pd.Timestamp(times[row])
        raise LiteFormerError(
            f"{path}, row {row + first_row + 1}: the hour from {stamp:%H:%M} on {stamp:%Y-%m-%d} comes twice in column "
            f"{name!r}, as in local time when summer time ends; name the zone with --timezone NAME, such as "
            "--timezone Europe/Berlin"
        )
    return times
