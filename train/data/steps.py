# SPDX-License-Identifier: BSD-2-Clause
"""The usual step of a column of times, and where it is kept."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TOLERANCE = 0.25        # Of the usual step; a lost row is a whole step. Months (28 to 31 days), quarters and years are within.
EARLY = 0.2             # Share of rows at most that come early; more are another step.
SAID = 0.001            # Deviations above this share are said; what is below is the rounding of numbers.
MONTH = 30.436875       # Days, mean of the calendar.
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1), ("millisecond", 1e-3), ("microsecond", 1e-6))


@dataclass(frozen=True)
class Steps:
    """Of a column of times.

    Args:
        column: its name; usual: the usual step in words; gaps: rows that come after another step or have no time.
        short: rows that come early, between two usual steps: no row is missing before one.
        deviation: largest share of the usual step by which a step that counts as equal differs from it.
    """

    column: str
    usual: str
    gaps: int
    deviation: float = 0.0
    short: int = 0

    @property
    def notes(self):
        """Sentences for the user."""
        said = []
        if self.gaps:
            rows = f"{self.gaps} rows come" if self.gaps > 1 else "1 row comes"
            said.append(f"{rows} after another step than the usual {self.usual} in column {self.column!r}; no window spans one")
        if self.short:
            rows = f"{self.short:,} rows come" if self.short > 1 else "1 row comes"
            said.append(f"{rows} after a shorter step than the usual {self.usual} in column {self.column!r}, between usual "
                        "ones; "
                        f"{'they are' if self.short > 1 else 'it is'} taken as equal")
        if self.deviation > SAID:
            said.append(f"steps in column {self.column!r} that differ from {self.usual} by up to {self.deviation:.1%} are "
                        "taken as equal")
        return said


def find_steps(stamps, column, breaks):
    """Where a series is contiguous.

    The usual step is the median of the differences; a row follows if its step differs by at most a quarter of that, or if it
    is shorter and those beside it are usual: then times are uneven, but no row is missing.

    Args:
        stamps: pandas Series of numbers or datetime64, ascending between breaks, missing ones allowed; column: its name.
        breaks: bool ``(rows,)``, rows that begin a recording, or None.
    Returns:
        ``(follows, steps)``: bool ``(rows,)``, Steps.
    """
    dates = pd.api.types.is_datetime64_any_dtype(stamps)
    difference = stamps.diff()
    difference = (difference.dt.total_seconds() if dates else difference).to_numpy(np.float64, copy=True)
    inside = np.arange(len(stamps)) > 0
    if breaks is not None:
        inside &= ~np.asarray(breaks)
    difference[~inside] = np.nan
    if np.isnan(difference).all():
        return np.zeros(len(stamps), bool), Steps(column, "unknown", int(inside.sum()))
    usual = float(np.nanmedian(difference))
    away = np.abs(difference - usual)
    follows = away <= TOLERANCE * usual
    early = (difference > 0) & (difference < usual) & ~follows
    lone = early & np.r_[True, ~early[:-1]] & np.r_[~early[1:], True]
    lone = lone if lone.sum() <= EARLY * len(stamps) else np.zeros(len(stamps), bool)
    months = round(usual / 86400 / MONTH) if dates and usual >= 28 * 86400 else 0
    deviation = 0.0 if months else float(away[follows].max(initial=0)) / usual
    words = _months(months) if months else duration(usual) if dates else f"{_rounded(usual):g}"
    follows |= lone
    return follows, Steps(column, words, int((inside & ~follows).sum()), deviation, int(lone.sum()))


def duration(seconds):
    """Seconds in words.

    >>> duration(3600), duration(90), duration(0.25)
    ('1 hour', '1.5 minutes', '250 milliseconds')
    """
    unit, size = next((entry for entry in UNITS if seconds >= entry[1]), UNITS[-1])
    return _counted(_rounded(seconds / size), unit)


def _rounded(number):
    """Five digits: a difference of large numbers has no more."""
    return float(f"{number:.5g}")


def _months(count):
    return _counted(count, "month") if count % 12 else _counted(count // 12, "year")


def _counted(number, unit):
    return f"{number:g} {unit}{'s' * (number != 1)}"
