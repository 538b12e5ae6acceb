# SPDX-License-Identifier: BSD-2-Clause
"""A Table with other steps: short gaps bridged, rows averaged over a longer step."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.rules import rows_text
from liteformer.train.data.steps import TOLERANCE, duration

UNITS = {
    "ms": 1e-3,
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 7 * 86400,
    "week": 7 * 86400,
}


def seconds_of(text):
    """Seconds of a length of time.

    Raises:
        LiteFormerError: it is none.

    >>> seconds_of("1h"), seconds_of("15 min"), seconds_of("500ms")
    (3600.0, 900.0, 0.5)
    """
    found = (
        re.fullmatch(r"\s*(\d+(?:\.\d+)?)?\s*([A-Za-z]+?)s?\s*", text) if text not in UNITS else re.fullmatch(r"()(\w+)", text)
    )
    size = UNITS.get(found[2].lower()) if found else None
    number = float(found[1] or 1) if found else 0
    if size is None or not number:
        raise LiteFormerError(f"every is {text!r}; choose a length of time such as 10s, 15min, 1h or 1d")
    return number * size


def averaged(table, groups, every):
    """One row for each step: the mean of the numbers, the last of other cells.

    Args:
        table: Table in order; groups: ``(rows,)`` or None; every: length of the step, such as "1h".
    Returns:
        ``(table, groups)``.
    Raises:
        LiteFormerError: no times, or the step is shorter than that of the file.
    """
    size = seconds_of(every)
    if table.times is None or table.times.dtype.kind != "M":
        raise LiteFormerError(f"{table.path} has no column of times, which --every needs; name it with --timestamp")
    stamps = table.times.astype(np.int64)
    steps = np.diff(stamps)
    steps = steps[steps > 0]
    usual = float(np.median(steps)) / 1e9 if len(steps) else 0
    if usual > size * (1 + TOLERANCE):
        raise LiteFormerError(f"every is {every}, but {table.path} has a row every {duration(usual)}; choose a longer step")
    bins = stamps // int(size * 1e9)
    keys = np.zeros(len(bins), np.int64) if groups is None else pd.factorize(np.asarray(groups))[0]
    first = np.r_[True, (np.diff(bins) != 0) | (np.diff(keys) != 0)]
    number, starts = np.cumsum(first) - 1, np.flatnonzero(first)
    last = np.r_[starts[1:], len(bins)] - 1
    result = table.take(last)
    for name, column in table.columns.items():
        if column.kind in ("number", "count", "constant") and column.values is not None:
            known = np.isfinite(column.values)
            total = np.bincount(number, np.where(known, column.values, 0), len(starts))
            count = np.bincount(number, known, len(starts))
            result.columns[name].values = np.divide(total, count, out=np.full(len(starts), np.nan), where=count > 0)
            result.columns[name].cells = None
    result.times = (bins[starts] * int(size * 1e9)).astype("datetime64[ns]")
    table.notes.add(f"{rows_text(table.rows)} are averaged to {len(starts):,}, one every {duration(size)}")
    return result, None if groups is None else np.asarray(groups)[last]


def bridged(table, groups, most):
    """Gaps of up to ``most`` rows, and as many missing numbers in succession, filled by interpolation.

    Args:
        table: Table in order; groups: ``(rows,)`` or None; most: rows.
    Returns:
        ``(table, groups, filled, guessed)``: with the new rows; bool ``(rows,)``, rows in which something was filled; dict name
        -> bool ``(rows,)``, numbers that were filled.
    """
    count, gaps = table.rows, np.zeros(table.rows, np.int64)
    keys = np.zeros(count, np.int64) if groups is None else pd.factorize(np.asarray(groups))[0]
    inside = np.r_[False, np.diff(keys) == 0]
    if table.times is not None and count > 1:
        stamps = table.times.astype(np.int64) if table.times.dtype.kind == "M" else table.times
        steps = np.r_[0, np.diff(stamps)].astype(np.float64)
        usual = np.median(steps[inside]) if inside.any() else 0
        if usual > 0:
            multiple = np.round(steps / usual)
            fits = inside & (multiple > 1) & (multiple - 1 <= most) & (np.abs(steps - multiple * usual) <= TOLERANCE * usual)
            gaps[fits] = multiple[fits].astype(np.int64) - 1
    rows = np.repeat(np.arange(count), gaps + 1)
    new = np.ones(len(rows), bool)
    new[np.cumsum(gaps + 1) - 1] = False
    result = table.take(rows)
    places = np.arange(len(rows))
    if result.times is not None and new.any():
        stamps = table.times.astype(np.int64) if table.times.dtype.kind == "M" else table.times
        known = places[~new]
        base = stamps[0]
        times = np.interp(places, known, (stamps - base).astype(np.float64))
        result.times = (
            (base + np.round(times).astype(np.int64)).astype("datetime64[ns]")
            if table.times.dtype.kind == "M"
            else (base + times)
        )
        # Rows that were there keep their time to the nanosecond.
        result.times[known] = table.times
    groups = None if groups is None else np.asarray(groups)[rows]
    runs, guessed = keys[rows], {}
    for name, column in result.columns.items():
        if column.values is None:
            continue
        column.values = np.where(new, np.nan, column.values)
        if column.kind == "number":
            column.values, guessed[name] = _interpolated(column.values, runs, most)
        else:
            column.values = np.where(new, np.nan, column.values)
        if column.cells is not None:
            column.cells = column.cells.mask(new)
    for column in result.columns.values():
        if column.values is None and column.cells is not None:
            column.cells = column.cells.mask(new)
    cells = sum(int(mask[~new].sum()) for mask in guessed.values())
    if new.any() or cells:
        parts = [rows_text(int(new.sum()), "missing row")] * bool(new.any()) + [rows_text(cells, "missing number")] * bool(
            cells
        )
        table.notes.add(
            f"{' and '.join(parts)} in gaps of up to {most} {'is' if new.sum() + cells == 1 else 'are'} filled by "
            "interpolation; no forecast is measured against one"
        )
    filled = np.logical_or.reduce([new, *guessed.values()])
    return result if new.any() else replace(result, lines=table.lines), groups, filled, guessed


def _interpolated(values, runs, most):
    """``(values, filled)``: runs of up to ``most`` NaN between two numbers of the same recording, on a line between them."""
    missing = np.isnan(values)
    if not missing.any() or missing.all():
        return values, np.zeros(len(values), bool)
    at = np.flatnonzero(~missing)
    before = np.searchsorted(at, np.arange(len(values)), side="right") - 1
    after = before + 1
    possible = missing & (before >= 0) & (after < len(at))
    left, right = at[np.clip(before, 0, len(at) - 1)], at[np.clip(after, 0, len(at) - 1)]
    filled = possible & (right - left - 1 <= most) & (runs[left] == runs[right])
    line = np.interp(np.arange(len(values)), at, values[at])
    return np.where(filled, line, values), filled
