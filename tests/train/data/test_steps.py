# SPDX-License-Identifier: BSD-2-Clause
"""Times as people have them: fractions, jitter, months; and what is said where nothing usable is left."""

import numpy as np
import pandas as pd
import pytest

from liteformer.train.data import table
from liteformer.train.data.dataset import load_dataset
from liteformer.train.data.steps import Steps

from ...refusal import refusal


def steps_of(times, breaks=None):
    """``(follows, Steps)`` of a column of times."""
    return table.time_steps(pd.DataFrame({"time": times}), "times.csv", "time", breaks)[1:]


def jittered(size, rows=400):
    """Rows a second apart, each moved by up to ``size`` seconds."""
    moved = np.arange(rows) + np.random.default_rng(1).uniform(-size, size, rows)
    return pd.Timestamp("2024-01-01") + pd.to_timedelta(moved, unit="s")


REGULAR = {
    "fractions": (np.arange(400) * 0.1, "0.1"),
    "fractions of an epoch": (1.7e9 + np.arange(400) * 0.1, "0.1"),
    "rounded fractions": (np.round(np.arange(400) / 3, 2), "0.33"),
    "jitter": (jittered(0.002), None),
    "months": (pd.date_range("1999-01-01", periods=300, freq="MS"), "1 month"),
    "ends of months": (pd.date_range("1999-01-01", periods=300, freq="ME"), "1 month"),
    "months as text": (pd.date_range("1999-01-01", periods=300, freq="MS").strftime("%Y-%m"), "1 month"),
    "months as numbers of days": ((pd.date_range("1999-01-01", periods=300, freq="MS") - pd.Timestamp(0)).days, "31"),
    "quarters": (pd.date_range("1950-01-01", periods=200, freq="QS"), "3 months"),
    "years": (pd.date_range("1800-01-01", periods=200, freq="YS"), "1 year"),
    "hours": (pd.date_range("2024-01-01", periods=100, freq="h"), "1 hour"),
    "minutes": (pd.date_range("2024-01-01", periods=100, freq="15min"), "15 minutes")}


@pytest.mark.parametrize("kind", REGULAR)
def test_every_row_follows(kind):
    times, usual = REGULAR[kind]
    follows, steps = steps_of(times)
    assert follows.tolist() == [False] + [True] * (len(times) - 1) and steps.gaps == 0
    assert usual is None or steps.usual == usual


@pytest.mark.parametrize("kind", REGULAR)
def test_a_lost_row_is_a_gap(kind):
    """Negative control: row 50 is missing, row 51 comes after a gap."""
    times = np.delete(np.asarray(REGULAR[kind][0]), 50)
    follows, steps = steps_of(times)
    assert np.flatnonzero(~follows).tolist() == [0, 50] and steps.gaps == 1


@pytest.mark.parametrize(("share", "gap"), [(0.76, False), (1.24, False), (1.26, True)])
def test_the_tolerance_is_a_quarter(share, gap):
    times = np.arange(40.0)
    times[20:] += share - 1
    follows, steps = steps_of(times)
    assert (not follows[20], steps.gaps) == (gap, int(gap))


def test_a_shorter_step_between_usual_ones():
    """No row is missing before it; two in succession are another step."""
    times = np.arange(40.0)
    times[20:] -= 0.74
    follows, steps = steps_of(times)
    assert follows[1:].all() and (steps.gaps, steps.short) == (0, 1)
    assert steps.notes == ["1 row comes after a shorter step than the usual 1 in column 'time', between usual ones; it is "
                           "taken as equal"]
    times[21:] -= 0.74
    follows, steps = steps_of(times)
    assert not follows[20] and not follows[21] and steps.gaps == 2


def test_breaks_are_no_gaps():
    times, breaks = np.tile(np.arange(10.0), 3), np.arange(30) % 10 == 0
    follows, steps = steps_of(times, breaks)
    assert np.array_equal(follows, ~breaks) and steps == Steps("time", "1", 0)


def test_a_row_without_time_is_a_gap():
    follows, steps = steps_of([0.0, 1, np.nan, 3, 4, 5])
    assert (follows.tolist(), steps.gaps) == ([False, True, False, False, True, True], 2)
    assert steps_of([np.nan, np.nan])[1] == Steps("time", "unknown", 1)


def test_gaps_and_jitter_are_said():
    assert steps_of(np.arange(20))[1].notes == []
    assert steps_of(np.arange(20) * 0.1)[1].notes == []
    assert steps_of(np.delete(np.arange(20), 5))[1].notes == [
        "1 row comes after another step than the usual 1 in column 'time'; no window spans one"]
    times = np.arange(20.0)
    times[15:] += 0.05
    assert steps_of(np.delete(times, [3, 7]))[1].notes == [
        "2 rows come after another step than the usual 1 in column 'time'; no window spans one",
        "steps in column 'time' that differ from 1 by up to 5.0% are taken as equal"]


def test_windows_of_fractional_steps(csv, frame):
    """As many as with whole steps."""
    whole = load_dataset(csv(frame))
    frame["time"] = np.arange(400) * 0.1
    fractions = load_dataset(csv(frame))
    assert np.array_equal(fractions.train, whole.train) and np.array_equal(fractions.test, whole.test)
    assert not fractions.notes


def test_nothing_usable_is_explained(csv, frame):
    """Pairs of rows a minute apart, an hour between the pairs."""
    frame["time"] = np.arange(400) // 2 * 60 + np.arange(400) % 2
    assert refusal(load_dataset, csv(frame, features=["a", "b"])) == (
        "only 0 training windows, fewer than the batch of 32: of 400 rows 199 come after another step than the "
        "usual 1 in column 'time'; the longest stretch without one has 2 rows, and a window and its target need 13; bridge "
        "short gaps with --fill N, take longer steps with --every, name another --timestamp or choose a smaller --window or "
        "--batch")
    frame.loc[::3, "b"] = np.nan
    assert ("of 400 rows 134 hold a missing value and 199 come after another step than the usual 1 in column "
            "'time'; the longest stretch without either has 2 rows") in refusal(load_dataset, csv(frame, features=["a", "b"]))


def test_gaps_are_kept_with_the_data(csv, frame):
    gap = frame.drop(index=range(100, 103)).reset_index(drop=True)
    assert load_dataset(csv(gap)).notes == [
        "1 row comes after another step than the usual 1 hour in column 'time'; no window spans one"]
