# SPDX-License-Identifier: BSD-2-Clause
"""The million windows in small: everything that the long run does, on two shapes."""

import json

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.flow.verify import case, million, shapes, windows
from liteformer.soc.core_simulation import ABORT, CLEAR, EARLY, RUN

FIXED, LOADABLE = 11, 8     # Numbers of small cases of seed 1.


@pytest.fixture(autouse=True)
def quickly_compiled(monkeypatch):
    monkeypatch.setattr(case, "LEVEL", 0)


@pytest.mark.parametrize(("number", "loadable"), [(FIXED, False), (LOADABLE, True)])
def test_a_case(number, loadable):
    result = case.run_case(1, number, 120)
    counts = result["counts"]
    assert counts["windows"] == 120 and counts["mismatches"] == counts["wrong_cycles"] == 0
    assert result["loadable"] == loadable and result["control"] > 0, "no corrupted weight was seen"
    json.dumps(result)


@pytest.mark.slow
def test_a_case_through_the_soc():
    assert case.run_case(1, 10, 50, 50)["soc"] == {"windows": 50, "mismatches": 0}


def test_shapes_are_those_of_their_seed():
    one, other = shapes.draw(1, 7), shapes.draw(1, 7)
    assert one[1] == other[1] and one[0].model.id == other[0].model.id
    assert shapes.draw(2, 7)[1] != one[1]


def test_every_pattern_is_within_int32():
    model = shapes.draw(1, FIXED)[0].model
    for seed in range(5):
        samples, used = windows.rows(np.random.default_rng(seed), model, 400)
        assert samples.dtype == np.int32 and len(samples) == 400 == sum(used.values())
    for pattern in windows.PATTERNS.values():
        assert np.shape(pattern(np.random.default_rng(0), model, (9, model.config.features))) == (9, model.config.features)


def test_events_follow_the_window():
    """A run needs a whole window since the last clear; nothing else is refused."""
    compiled = shapes.draw(1, FIXED)[0]
    flags, _, ends = windows.events(np.random.default_rng(3), compiled, 5000)
    filled = 0
    for flag in flags:
        filled = 1 if flag & CLEAR else filled + 1
        full = filled >= compiled.model.config.window
        assert bool(flag & RUN) == full and not (full and flag & EARLY) and not (flag & ABORT and not full)
    assert ends.tolist() == np.flatnonzero(flags & RUN).tolist()
    assert all(np.count_nonzero(flags & flag) for flag in (RUN, CLEAR, ABORT, EARLY))


def test_expected_is_the_golden_model():
    compiled = shapes.draw(1, FIXED)[0]
    model, window = compiled.model, compiled.model.config.window
    samples, _ = windows.rows(np.random.default_rng(0), model, window + 3)
    ends = np.arange(window - 1, len(samples))
    wanted, seen = case.expected(model, samples, ends)
    assert wanted.tolist() == [golden.infer(model, samples[None, end + 1 - window:end + 1])[0].tolist() for end in ends]
    assert set(seen) < set(million.TOTALS)


def test_the_plan_has_every_window():
    points = million.plan(200, 1_000_000)
    assert sum(windows for _, windows, _ in points) == 1_000_000 and sum(soc for *_, soc in points) == 10_000
    assert million.plan(3, 1000) == [(0, 334, 10), (1, 333, 0), (2, 333, 0)]


def test_the_summary_adds_up_and_keeps_failures():
    counts = dict.fromkeys(million.TOTALS, 2) | {"patterns": {"zeros": 3}}
    one = {"number": 0, "shape": {}, "options": {}, "unusual": [], "array": [], "cycles": 5, "control": 1, "counts": counts,
           "seconds": 1.0, "soc": {"windows": 4, "mismatches": 1}}
    found = million.summary(7, "abc", [one, one | {"control": 0}, {"number": 2, "failure": "x"}])
    assert found["windows"] == found["mismatches"] == 4 and found["soc_mismatches"] == 2 and found["shapes"] == 2
    assert found["controls_seen"] == 1 and found["rows_by_pattern"] == {"zeros": 6} and len(found["failures"]) == 1
