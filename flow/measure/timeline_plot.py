# SPDX-License-Identifier: BSD-2-Clause
"""Picture of a measured timeline: one line per step, the array's waits between steps, and the units that work in parallel."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from liteformer.flow.common.cache import whole_file
from liteformer.flow.measure.timeline import BUSY, REQUANTIZERS, SOFTMAX, START, STATES, UNDER_WAY

COLORS = {BUSY: "#2a6f97", REQUANTIZERS: "#e07a1f", UNDER_WAY: "#c9184a", SOFTMAX: "#7b2cbf", START: "#8d99ae"}
DRAIN, HIDDEN = "#f4c27a", "#b79ced"
KINDS = {"embed": "load and embed", "key": "keys", "query": "queries", "score": "scores", "value": "values",
         "context": "context", "project": "output projection", "expand": "feed-forward, expand",
         "contract": "feed-forward, contract", "head": "head"}


def _ranges(signal):
    """Runs of a bool array as (start, length)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], signal.astype(np.int8), [0]])))
    return [(int(begin), int(end - begin)) for begin, end in edges.reshape(-1, 2)]


def label(step):
    """Label of a step, with its layer and row tile."""
    prefix, _, last = step.name.rpartition(".")
    kind, _, tile = last.partition("[")
    text = KINDS.get(kind, kind)
    if tile:
        text += f", rows {tile.rstrip(']')}"
    return f"{text}, layer {prefix.split('.')[1]}" if prefix.startswith("layers.") and prefix != "layers.0" else text


def draw(timeline, title, path):
    """Write the picture as PNG.

    Args:
        timeline: Timeline; title: of the picture; path: file to write, completely or not at all.
    """
    steps, cycles = timeline.steps, timeline.cycles
    signals = timeline.signals
    units = [("requantizers take sums", signals["select"], DRAIN),
             ("softmax: scores arrive", signals["score"], HIDDEN),
             ("softmax: weights looked up", signals["weigh"], HIDDEN),
             ("softmax: row sums divided", signals["divide"], HIDDEN)]
    rows = 1 + len(steps) + len(units)
    figure = Figure(figsize=(14, 1.7 + 0.36 * rows), layout="constrained")
    axes = figure.add_subplot()

    def bar(y, signal, color, height=0.72, **style):
        axes.broken_barh(_ranges(signal), (y - height / 2, height), facecolors=color, **style)

    def text(y, begin, end, words):
        # Behind the bar, or in front of it where there is more room.
        left = cycles - end > begin
        axes.annotate(words, (end if left else begin, y), (5 if left else -5, 0), textcoords="offset points", va="center",
                      ha="left" if left else "right", fontsize=8, color="#333",
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})

    for code, color in COLORS.items():
        bar(0, timeline.state == code, color)
    names = ["array"]
    for number, step in enumerate(steps, 1):
        final = step is steps[-1]
        begin, end = (cycles - step.span + 1, cycles) if final else (step.last_issue - step.span + 1, step.last_issue)
        inside = np.zeros(cycles + 1, bool)
        inside[begin:end + 1] = True
        axes.barh(number + 0.27, step.last_select - step.first_select + 1, 0.18, left=step.first_select, color=DRAIN)
        for code, color in COLORS.items():
            bar(number - 0.08, inside & (timeline.state == code), color, 0.46)
        share = 100 * step.macs / (timeline.lanes * step.span)
        waits = [f"waits {step.span - step.issued}"] if step.span > step.issued else []
        reasons = "; ".join([*waits, *([step.idle] if step.idle else [])])
        text(number - 0.08, begin, max(end, step.last_select) + 1,
             f"{step.span:,} cycles, {share:.0f} % useful{f' ({reasons})' if reasons else ''}")
        names.append(label(step))
    for number, (words, signal, color) in enumerate(units, 1 + len(steps)):
        bar(number, signal, color)
        names.append(f"{words}, {np.count_nonzero(signal):,}")
    axes.axhline(0.5, color="#444", lw=0.8)
    axes.axhline(len(steps) + 0.5, color="#444", lw=0.8)
    axes.set(xlabel="clock cycles since start", xlim=(0, cycles + 1), ylim=(rows - 0.5, -0.6))
    axes.set_yticks(range(rows), names)
    axes.grid(axis="x", color="#ddd", lw=0.6)
    axes.set_axisbelow(True)
    used = [code for code in COLORS if np.any(timeline.state[1:] == code)]
    handles = [Patch(color=color) for color in (*(COLORS[code] for code in used), DRAIN)]
    counts = [f"array {STATES[code]}: {np.count_nonzero(timeline.state[1:] == code):,}" for code in used]
    figure.legend(handles, [*counts, "sums leave the drain registers"], loc="outside lower center", ncols=3, frameon=False)
    axes.set_title(title, loc="left", fontsize=11)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=130)
