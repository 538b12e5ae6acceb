# SPDX-License-Identifier: BSD-2-Clause
"""Picture of an exploration: every pair of objectives, the front in each, its points labelled."""

import io
import itertools

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from liteformer.flow.common.cache import whole_file
from liteformer.flow.explore.front import knee
from liteformer.flow.explore.show import titles
from liteformer.flow.explore.space import WIDTH, label
from liteformer.train.metrics.plots import plain_logarithmic

PALETTE = ("#9aa5b1", "#2a6f97", "#2a9d8f", "#e9a23b", "#e07a1f", "#c9184a", "#6a4c93")
MOST_LABELS = 14  # In one panel; more would overlap.


def widest(point):
    """Largest bit width of a point's tensors except the input and softmax weights."""
    return point["bits"] if "bits" in point else max(bits for name, bits in point.items() if name.startswith(WIDTH))


def draw(result, rows, path):
    """Write the picture as PNG, completely or not at all.

    Args:
        result: dict of ``run.results``; rows: of ``Exploration.rows``.
    """
    with whole_file(path) as temporary:
        figure_of(result, rows).savefig(temporary, format="png", dpi=120)


def svg(result, rows):
    """The picture as the text of an SVG element."""
    text = io.StringIO()
    figure_of(result, rows).savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg"):]


def figure_of(result, rows):
    """The picture as a matplotlib Figure."""
    columns, axis_title = result["columns"], titles(result)
    pairs = list(itertools.combinations(columns, 2)) or [("number", columns[0])]
    across = min(len(pairs), 3)
    down = -(-len(pairs) // across)
    figure = Figure(figsize=(8.5 if across == 1 else 6.5 * across, 5.6 * down + 0.7), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False).flatten()
    for panel in axes[len(pairs):]:
        panel.set_visible(False)
    found = [row for row in rows if row["state"] == "ok"]
    widths = sorted({widest(row["point"]) for row in found})
    colors = {bits: PALETTE[bits - 2] for bits in widths}
    chosen = knee(result["front"], columns)["number"] if result["front"] else None
    for panel, (x, y) in zip(axes, pairs):
        _panel(panel, found, result["front"], x, y, colors, chosen, short=len(pairs) > 1)
        panel.set(xlabel=axis_title.get(x, "trial"), ylabel=axis_title[y])
    done = result["trials"]
    figure.suptitle(f"{done['feasible']} points that fit {result['device']}, {done['infeasible']} that do not; "
                    f"fidelity {result['fidelity']}", fontsize=11)
    handles = [Line2D([], [], color=color, marker="o", ls="", label=f"{bits} bits") for bits, color in colors.items()]
    text = f"front; {'trial' if len(pairs) > 1 else 'window, d, bits'} next to it"
    handles += [Line2D([], [], color="black", marker="o", mfc="none", lw=1, label=text),
                Line2D([], [], color="black", marker="*", mfc="none", ms=12, ls="", label="knee")]
    figure.legend(handles=handles, frameon=False, ncols=4, loc="outside lower center", fontsize=9)
    figure.draw_without_rendering()
    for panel in axes[:len(pairs)]:
        _spread([text for text in panel.texts if text.get_text()])
    return figure


def _spread(labels):
    """Move labels down until none lies on one to its left."""
    placed = []
    for text in sorted(labels, key=lambda text: text.get_window_extent().x1):
        box = text.get_window_extent()
        while any(box.overlaps(other) for other in placed):
            x, y = text.get_position()
            text.set_position((x, y - 3))
            box = text.get_window_extent()
        placed.append(box)


def _value(row, name):
    return row["number"] if name == "number" else row["figures"][name]


def _panel(axes, found, front, x, y, colors, chosen, short):
    members = {row["number"] for row in front}
    for row in found:
        axes.plot(_value(row, x), _value(row, y), "o", ms=6 if row["number"] in members else 4.5,
                  color=colors[widest(row["point"])], alpha=1.0 if row["number"] in members else 0.45, zorder=3)
    line = sorted((_value(row, x), _value(row, y)) for row in front)
    if x != "number" and len(line) > 1:
        # In more than two dimensions the front is not a staircase of this pair: its points are only ringed.
        stairs = all(a[1] >= b[1] for a, b in itertools.pairwise(line))
        if stairs:
            axes.step(*zip(*line), where="post", color="black", lw=1, alpha=0.6, zorder=2)
    for row in front:
        place = (_value(row, x), _value(row, y))
        axes.plot(*place, "o", mfc="none", mec="black", ms=9, zorder=4)
        if row["number"] == chosen:
            axes.plot(*place, "*", color="black", ms=17, mfc="none", mew=1.6, zorder=5)
        if len(front) <= MOST_LABELS:
            # No point is below and left of a point of the front.
            text = str(row["number"]) if short else label(row["point"])
            axes.annotate(text, place, (-8, -5), textcoords="offset points", fontsize=8,
                          ha="right", va="top")
    for axis, name in ((axes.xaxis, x), (axes.yaxis, y)):
        if name == "number":
            axis.set_major_locator(MaxNLocator(integer=True))
            continue
        values = [_value(row, name) for row in found]
        if values and max(values) > 3 * min(values) > 0:
            plain_logarithmic(axis)
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.grid(which="both", alpha=0.2)
    axes.margins(0.15)
