# SPDX-License-Identifier: BSD-2-Clause
"""Labels of a logarithmic axis: plain numbers that do not touch each other."""

import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from liteformer.train.metrics.plots import plain_logarithmic


def labels(values, prepare):
    """Texts and boxes of the labels that are seen on the vertical axis of a plot of ``values``."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    axes.plot(values)
    prepare(axes.yaxis)
    canvas.draw()
    low, high = axes.get_ylim()
    ticks = [tick for tick in [*axes.yaxis.get_major_ticks(), *axes.yaxis.get_minor_ticks()] if low <= tick.get_loc() <= high]
    seen = [tick.label1 for tick in ticks if tick.label1.get_text()]
    return [label.get_text() for label in seen], [label.get_window_extent() for label in seen]


def overlapping(boxes):
    return any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("values", [[0.7, 95], [0.12, 0.45], [3e-4, 2.0], [40, 9000]])
def test_labels_are_plain_and_apart(values):
    texts, boxes = labels(values, plain_logarithmic)
    assert len(texts) >= 2
    assert all(float(text.replace(",", "")) > 0 and "e" not in text for text in texts)
    assert not overlapping(boxes)


def test_a_label_at_every_tick_would_overlap():
    def every(axis):
        axis.axes.set_yscale("log")
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))

    assert overlapping(labels([0.7, 95], every)[1])
