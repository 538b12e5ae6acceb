# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of the reproduced tables: error of every point, time and area against the device, error against energy."""

from functools import partial

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from liteformer.flow.common.cache import whole_file
from liteformer.flow.measure import published
from liteformer.flow.publish import paper_quick_plot
from liteformer.flow.publish.paper_point import DEVICE
from liteformer.flow.publish.results import TITLES
from liteformer.flow.runs import grid_plot
from liteformer.flow.runs.grid_plot import COLORS, MARKERS

PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


def pictures(content, name):
    """File names by what they show: ``rmse``, ``energy`` and time with resources: ``hardware``, of the complete grid by
    data set."""
    sources = dict.fromkeys(result["point"]["data"] for result in content["points"])
    kinds = ("hardware",) if content["recipe"] == "quick" else sources
    return {kind: f"{name}-{kind}.png" for kind in ("rmse", "energy", *kinds)}


def draw(content, folder, name):
    """Write all pictures.

    Args:
        content: of ``paper_tables.record``; folder: Path; name: that theirs begin with.
    """
    built = [result for result in content["points"] if not result["error"]]
    makers = {"energy": partial(_energies, remark=", training shortened" * (content["recipe"] == "quick")), "rmse": _errors}
    if content["recipe"] == "quick":
        makers |= {kind: partial(maker, published=_published) for kind, maker in (
            ("rmse", paper_quick_plot.errors), ("hardware", paper_quick_plot.hardware))}
    for kind, file in pictures(content, name).items():
        if kind in makers:
            with whole_file(folder / file) as temporary:
                makers[kind](built).savefig(temporary, format="png", dpi=100, metadata={"Software": None})
        else:
            rows = [result["point"] | result["area"] | {"cycles": result["cycles"]["accelerator"],
                                                        "latency_us": result["latency_us"]}
                    for result in built if result["point"]["data"] == kind]
            grid_plot.draw(rows, DEVICE, folder / file, grid_plot.PAPER if kind == "airu" else {})


def _sources(built):
    return [source for source in TITLES if any(result["point"]["data"] == source for result in built)]


def _published(source):
    return published.PUBLISHED if source == published.DATA else ()


def _errors(built):
    """A row for each data set, a panel for each width: error over d, a line for each window."""
    sources = _sources(built)
    widths = sorted({result["point"]["d_model"] for result in built} | {one.d_model for one in published.PUBLISHED})
    figure = Figure(figsize=(13, 4.3 * len(sources)), layout="constrained")
    for row, source in zip(figure.subplots(len(sources), len(MARKERS), squeeze=False, sharey="row"), sources):
        for axes, bits in zip(row, MARKERS):
            _error_panel(axes, [result for result in built if (result["point"]["data"], result["point"]["bits"]) == (
                source, bits)], [one for one in _published(source) if one.bits == bits], widths)
            axes.set(title=f"{TITLES[source].partition(':')[0]}, {bits} bits", xlabel="d")
        row[0].set_ylabel(f"test RMSE, {TITLES[source].rpartition(' ')[2]}")
    figure.legend(handles=_legend(built, [
        Line2D([], [], color="#444", marker="o", label="integer"),
        Line2D([], [], color="#444", ls="--", marker="x", lw=1, label="FP32"),
        Line2D([], [], color="black", marker="*", ls="", ms=11, label="paper, best of 50 on test")], widths=False),
        loc="outside lower center", ncols=7, frameon=False)
    return figure


def _error_panel(axes, found, published, widths):
    for window, color in COLORS.items():
        line = sorted((result for result in found if result["point"]["window"] == window),
                      key=lambda result: result["point"]["d_model"])
        places = [widths.index(result["point"]["d_model"]) for result in line]
        axes.plot(places, [result["rmse"]["float"] for result in line], "x--", color=color, lw=1, ms=6)
        axes.plot(places, [result["rmse"]["integer"] for result in line], "o-", color=color, ms=7)
    for one in published:
        axes.plot(widths.index(one.d_model), one.rmse, "*", color="black", ms=13)
        axes.annotate(f"({one.window}, {one.d_model})", (widths.index(one.d_model), one.rmse), (-10, 0),
                      textcoords="offset points", fontsize=9, ha="right", va="center")
    axes.set_xticks(range(len(widths)), widths)
    axes.set_xlim(-0.5, len(widths) - 0.5)
    axes.grid(alpha=0.3)


def _energies(built, remark):
    """A panel for each data set: error against the energy estimate of an inference; remark: on the error."""
    sources = _sources(built)
    figure = Figure(figsize=(6.5 * len(sources), 5.4), layout="constrained")
    for axes, source in zip(figure.subplots(1, len(sources), squeeze=False, sharex=True)[0], sources):
        for result in (result for result in built if result["point"]["data"] == source):
            point, energy, error = result["point"], result["energy_uj"], result["rmse"]["integer"]
            spread = [[energy["typical"] - energy["low"]], [energy["high"] - energy["typical"]]]
            axes.errorbar(energy["typical"], error, xerr=spread, fmt=MARKERS[point["bits"]], color=COLORS[point["window"]],
                          ms=5 + point["d_model"] / 12, capsize=2, elinewidth=0.8, alpha=0.85)
        for one in _published(source):
            axes.plot(1000 * one.mj, one.rmse, "*", color="black", ms=13)
            axes.annotate(f"paper ({one.window}, {one.d_model}, {one.bits})", (1000 * one.mj, one.rmse), (-10, 0),
                          textcoords="offset points", fontsize=9, ha="right", va="center")
        axes.set_xscale("log")
        axes.margins(x=0.15, y=0.15)
        axes.xaxis.set_major_formatter(PLAIN)
        axes.set(title=TITLES[source].partition(":")[0], xlabel="energy estimate of an inference, µJ, low to high",
                 ylabel=f"test RMSE, integer model, {TITLES[source].rpartition(' ')[2]}{remark}")
        axes.grid(alpha=0.3)
    star = Line2D([], [], color="black", marker="*", ls="", ms=11, label="paper, as published")
    figure.legend(handles=_legend(built, [star]), loc="outside lower center", ncols=8, frameon=False,
                  title="the larger the mark, the larger d")
    return figure


def _legend(built, others, widths=True):
    """Handles for the windows, and with ``widths`` the bits, that there are, and others."""
    windows, bits = ({result["point"][name] for result in built} for name in ("window", "bits"))
    handles = [Line2D([], [], color=color, marker="o", ls="", label=f"window {window}")
               for window, color in COLORS.items() if window in windows]
    handles += [Line2D([], [], color="#444", marker=marker, ls="", label=f"{width} bits")
                for width, marker in MARKERS.items() if width in bits and widths]
    return handles + others
