# SPDX-License-Identifier: BSD-2-Clause
"""The front of an exploration: its knee, its picks, its picture."""

import itertools

import pytest

from liteformer.flow.explore import front, plot


def test_knee_where_an_error_is_zero():
    """No error at all is better than some, but not without bounds."""
    rows = [{"figures": {"error": error, "latency_us": time}} for error, time in ((0.0, 100), (0.01, 20), (0.2, 18))]
    assert front.knee(rows, ("error", "latency_us")) is rows[1]
    assert front.knee([rows[0]], ("error", "latency_us")) is rows[0]


@pytest.mark.parametrize("which, expected", [("knee", 1), ("latency", 2), ("rmse", 0), ("1", 1)])
def test_pick(which, expected):
    rows = [{"number": n, "figures": {"rmse": a, "latency_us": b}} for n, (a, b) in enumerate([(1, 100), (2, 3), (50, 2)])]
    assert front.pick(rows, which, ["rmse", "latency"], ["rmse", "latency_us"])["number"] == expected


def test_labels_of_the_picture_do_not_overlap(monkeypatch):
    rows = [{"number": number, "state": "ok", "figures": {"rmse": 4 + place, "latency_us": 10 - place},
             "point": {"window": 6, "d_model": 32, "bits": 4}} for number, place in enumerate((0, 0.02, 0.04, 2, 2.01, 3))]
    result = {"objectives": ["rmse", "latency"], "columns": ["rmse", "latency_us"], "fidelity": "train", "task": "forecast",
              "front": rows, "trials": {"feasible": 6, "infeasible": 0}, "device": "xc7s15"}

    def overlaps():
        boxes = [text.get_window_extent() for text in plot.figure_of(result, rows).axes[0].texts]
        assert len(boxes) == len(rows)
        return sum(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))

    assert overlaps() == 0
    monkeypatch.setattr(plot, "_spread", lambda labels: None)
    assert overlaps() > 0
