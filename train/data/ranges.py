# SPDX-License-Identifier: BSD-2-Clause
"""The range that a feature's integers are made for: without outliers, counted from near its values."""

import numpy as np

LARGEST_OFFSET = 400  # Largest distance from zero, in training ranges, whose input bias fits its 28 bits.
OUTSIDE = 50  # An outlier is farther from the others than so many of their ranges between the hundredths.
MOST = 0.01  # Share of values at most that are outliers; more are a part of the data.


def offsets(values):
    """Value of every column whose count is 0: zero, or one amid the values where zero is too far from them.

    Args:
        values: float64 ``(rows, columns)``, no NaN.
    Returns:
        float64 ``(columns,)``, short decimal numbers.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    span = high - low
    far = np.maximum(abs(low), abs(high)) > LARGEST_OFFSET * span
    unit = 10.0 ** np.floor(np.log10(np.where(span > 0, span, 1)))
    middle = np.round(np.round((low + high) / 2 / unit) * unit, 12)
    return np.where(far & (span > 0), middle, 0.0)


def within(values, rows, names):
    """Values without outliers: those are moved to the range of the others.

    Args:
        values: float64 ``(n, columns)``, no NaN; rows: int64 ``(n,)``, row of the data of each, from 0; names: of the columns.
    Returns:
        ``(values, notes)``: a sentence for each column with outliers.
    """
    result, notes = values, []
    for column, name in enumerate(names):
        one = values[:, column]
        first, last = np.percentile(one, (1, 99))
        span = last - first
        outside = (one < first - OUTSIDE * span) | (one > last + OUTSIDE * span)
        count = int(outside.sum())
        if not span or not count or count > max(MOST * len(one), 1):
            continue
        low, high = one[~outside].min(), one[~outside].max()
        result = result.copy() if result is values else result
        result[:, column] = one.clip(low, high)
        at = int(np.flatnonzero(outside)[0])
        notes.append(
            f"column {name!r}: {count:,} value{'s' * (count > 1)} far outside {low:g} to {high:g} ({one[at]:g} in row "
            f"{rows[at] + 1} of the data{' is the first' * (count > 1)}) saturate{'s' * (count == 1)} at the input"
        )
    return result, notes
