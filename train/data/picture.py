# SPDX-License-Identifier: BSD-2-Clause
"""Every column of a file over time, with gaps and outliers marked."""

import numpy as np
from matplotlib.figure import Figure

from liteformer.train.data.ranges import within

MOST = 24           # Columns that are drawn.
POINTS = 4000       # Of a line, at most: each is the smallest or the largest of its stretch.


def draw(path, data):
    """Write the picture.

    Args:
        path: PNG; data: Prepared.
    """
    table = data.table
    drawn = [column for column in table.columns.values() if column.values is not None and column.kind != "empty"][:MOST]
    figure = Figure(figsize=(10, 1.2 * len(drawn) + 0.8), layout="constrained")
    axes = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    place = np.arange(table.rows) if table.times is None else table.times
    gaps = np.flatnonzero(~data.follows[1:]) + 1
    for axis, column in zip(axes, drawn):
        at = _thinned(column.values)
        known = column.values[np.isfinite(column.values)]
        rows = np.flatnonzero(np.isfinite(column.values))
        clipped, outliers = (within(known[:, None], rows, [column.name]) if len(known) > 100 else (known[:, None], []))
        if outliers:
            far = rows[clipped[:, 0] != known]
            low, high = clipped.min(), clipped.max()
            axis.plot(place[far], np.where(column.values[far] > high, high, low), "x", color="tab:red", markersize=5)
            axis.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
        axis.plot(place[at], column.values[at], linewidth=0.7, color="tab:blue")
        for gap in gaps[:500]:
            axis.axvspan(place[gap - 1], place[gap], color="tab:orange", alpha=0.35, linewidth=0)
        axis.set_ylabel(column.name[:18], rotation=0, horizontalalignment="right", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0].set_title("columns over time; gaps in orange, values outside the range of the picture as red crosses", fontsize=9)
    axes[-1].set_xlabel(table.time or "row", fontsize=8)
    figure.savefig(path, dpi=110)


def _thinned(values):
    """int64 rows to draw: all, or the ends of every stretch."""
    count = len(values)
    if count <= POINTS:
        return np.arange(count)
    edges = np.linspace(0, count, POINTS // 2 + 1).astype(int)
    rows = []
    for begin, end in zip(edges, edges[1:]):
        part = values[begin:end]
        known = np.isfinite(part)
        if not known.any():
            rows.append(begin)
            continue
        ends = np.where(known, part, np.inf).argmin(), np.where(known, part, -np.inf).argmax()
        rows += sorted({begin + int(end) for end in ends})
    return np.array(rows)
