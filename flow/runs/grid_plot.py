# SPDX-License-Identifier: BSD-2-Clause
"""Picture of the grid: time of every configuration against the paper's, area against the device."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from liteformer.accel.devices import DEVICES
from liteformer.flow.common.cache import whole_file

# (window, d, bits) -> microseconds on an XC7S15, arXiv 2407.11041.
PAPER = {(6, 64, 8): 2820.0, (12, 64, 6): 4610.0, (12, 32, 4): 1330.0}
COLORS = {6: "#2a6f97", 12: "#2a9d8f", 18: "#e07a1f", 24: "#c9184a"}
MARKERS = {4: "o", 6: "s", 8: "^"}
AREA = {"lut": "LUT", "ff": "flip-flops", "bram36": "BRAM36", "dsp": "DSP48E1"}


def draw(rows, device, path, paper=PAPER):
    """Write the picture as PNG.

    Args:
        rows: dicts with the keys of ``grid.COLUMNS``; device: name of the FPGA; path: file to write, completely or not at all;
        paper: times to compare with, as PAPER.
    """
    rows = [row for row in rows if row["cycles"] is not None]
    with_area = [row for row in rows if row["lut"] is not None]
    figure = Figure(figsize=(15, 11), layout="constrained")
    panels = figure.subplot_mosaic([["time"] * 2, ["lut", "ff"], ["bram36", "dsp"]], height_ratios=[1.5, 1, 1])
    _times(panels["time"], rows, paper)
    for name, title in AREA.items():
        _bars(panels[name], with_area, name, title, device)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _times(axes, rows, published):
    widths = sorted({row["d_model"] for row in rows} | {d for _, d, _ in published})
    windows = sorted(COLORS)

    def place(window, d, bits):
        # A group for each d, within it a place for each window, the widths of the bits side by side.
        return widths.index(d) + 0.19 * (windows.index(window) - 1.5) + 0.045 * (sorted(MARKERS).index(bits) - 1)

    times = {(row["window"], row["d_model"], row["bits"]): row["latency_us"] for row in rows}
    for key, time in times.items():
        axes.plot(place(*key), time, MARKERS.get(key[2], "o"), color=COLORS[key[0]], ms=7)
    for key, paper in published.items():
        x = place(*key)
        axes.plot(x, paper, "*", color="black", ms=13)
        note = f"paper {key}: {paper / 1000:.2f} ms"
        if key in times:
            axes.annotate("", (x, times[key] * 1.12), (x, paper * 0.9), arrowprops={"arrowstyle": "->", "color": "#777"})
            note += f"\n{paper / times[key]:.0f}x slower"
        left = key[0] == min(COLORS)
        axes.annotate(note, (x, paper), (-9 if left else 9, 0), textcoords="offset points", fontsize=9, va="center",
                      ha="right" if left else "left")
    axes.set_yscale("log")
    axes.set_xticks(range(len(widths)), [f"d = {d}" for d in widths])
    axes.set_xlim(-0.5, len(widths) - 0.35)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(ylabel="µs from start to done, 100 MHz", title="Time of one inference")
    axes.grid(axis="y", which="both", alpha=0.25)
    handles = [Line2D([], [], color=color, marker="o", ls="", label=f"window {window}") for window, color in COLORS.items()]
    handles += [Line2D([], [], color="#444", marker=marker, ls="", label=f"{bits} bits") for bits, marker in MARKERS.items()]
    if published:
        handles.append(Line2D([], [], color="black", marker="*", ls="", ms=11, label="paper, no CPU"))
    axes.legend(handles=handles, frameon=False, ncols=4, loc="upper left")


def _bars(axes, rows, name, title, device):
    capacity = getattr(DEVICES[device], name)
    places, ticks, labels, position = [], [], [], 0.0
    ordered = sorted(rows, key=lambda row: (row["d_model"], row["window"], row["bits"]))
    for row, before in zip(ordered, [None, *ordered]):
        if before and before["d_model"] != row["d_model"]:
            position += 1.2
        elif before and before["window"] != row["window"]:
            position += 0.4
        places.append(position)
        position += 1
    colors = [COLORS[row["window"]] for row in ordered]
    edges = ["red" if row[name] > capacity else color for row, color in zip(ordered, colors)]
    axes.bar(places, [row[name] for row in ordered], 0.9, color=colors, alpha=0.9, edgecolor=edges, linewidth=1.5)
    for d in sorted({row["d_model"] for row in ordered}):
        where = [place for place, row in zip(places, ordered) if row["d_model"] == d]
        ticks.append(sum(where) / len(where))
        labels.append(f"d = {d}")
    axes.axhline(capacity, color="black", lw=1.2, ls="--")
    axes.annotate(f"{device}: {capacity:,}", (0.005, capacity), (0, 3), xycoords=("axes fraction", "data"),
                  textcoords="offset points", fontsize=9)
    axes.set_xticks(ticks, labels)
    axes.set_ylim(0, max(capacity, *(row[name] for row in ordered)) * 1.15 if ordered else capacity)
    axes.set_title(f"{title} of the whole SoC; in each group windows 6 to 24, of these 4, 6 and 8 bits", fontsize=9.5)
    axes.grid(axis="y", alpha=0.25)
