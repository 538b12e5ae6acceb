# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of a few reproduced points: one column per point, the paper's figures as stars."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from liteformer.accel.devices import DEVICES
from liteformer.flow.publish.paper_point import DEVICE
from liteformer.flow.publish.results import TITLES

AREA = {"lut": "LUT", "ff": "flip-flops", "bram36": "BRAM36", "dsp": "DSP48E1"}
OURS, FP32 = "#2a6f97", "#e07a1f"
PAPER = {"marker": "*", "color": "black", "ms": 13, "ls": ""}


def errors(built, published):
    """Error of every point with its interval, a panel for each data set.

    Args:
        built: results of ``paper_point.measure``; published: function of a data set, its list of ``published.Published``.
    Returns:
        Figure.
    """
    groups = {source: [result for result in built if result["point"]["data"] == source] for source in TITLES}
    groups = {source: found for source, found in groups.items() if found}
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    panels = figure.subplots(1, len(groups), squeeze=False, width_ratios=[len(found) + 0.6 for found in groups.values()])[0]
    for axes, (source, found) in zip(panels, groups.items()):
        places, middle = range(len(found)), [result["rmse"]["integer"] for result in found]
        bounds = [result["interval"]["integer"] for result in found]
        spread = [[value - bound["low"] for value, bound in zip(middle, bounds)],
                  [bound["high"] - value for value, bound in zip(middle, bounds)]]
        axes.errorbar(places, middle, yerr=spread, fmt="o", color=OURS, ms=8, capsize=4, label="integer, 95 % interval")
        axes.plot([place + 0.12 for place in places], [result["rmse"]["float"] for result in found], "x", color=FP32, ms=8,
                  label="FP32")
        _stars(axes, found, {_key(one): one.rmse for one in published(source)}, "paper, best of 50 on test")
        _columns(axes, found)
        axes.set(title=TITLES[source].partition(":")[0], ylabel=f"test RMSE, {TITLES[source].rpartition(' ')[2]}")
    figure.suptitle("Training shortened")
    _legend(figure, panels[0])
    return figure


def hardware(built, published):
    """Time of every point, and what it takes of the device; arguments and result as of ``errors``."""
    figure = Figure(figsize=(10, 7.4), layout="constrained")
    time, area = figure.subplots(2, 1)
    time.plot(range(len(built)), [result["latency_us"] for result in built], "o", color=OURS, ms=8, label="simulated SoC")
    for place, result in enumerate(built):
        time.annotate(f"{result['latency_us']:.1f}", (place, result["latency_us"]), (9, 0), textcoords="offset points",
                      va="center")
        known = {_key(one): 1000 * one.ms for one in published(result["point"]["data"])}
        if found := known.get(_key_of(result)):
            time.plot(place, found, **PAPER, label="paper, no CPU")
            time.annotate(f"{found:,.0f}, {found / result['latency_us']:.0f}x slower", (place, found), (11, 0),
                          textcoords="offset points", va="center")
    time.set(yscale="log", ylabel="µs from start to done, 100 MHz", title="Time of one inference")
    time.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    time.margins(y=0.2)
    capacity = DEVICES[DEVICE]
    for number, (name, title) in enumerate(AREA.items()):
        shares = [100 * result["area"][name] / getattr(capacity, name) for result in built]
        bars = area.bar([place + 0.18 * (number - 1.5) for place in range(len(built))], shares, 0.16, color=f"C{number}",
                        label=f"{title} ({getattr(capacity, name):,})")
        area.bar_label(bars, [f"{result['area'][name]:,}" for result in built], fontsize=8, padding=-11, color="white")
    area.axhline(100, color="black", lw=1.2, ls="--")
    area.set(ylabel=f"% of {DEVICE.upper()}", title="Resources of the whole SoC", ylim=(0, 135))
    area.legend(ncols=len(AREA), loc="upper left", frameon=False)
    for axes in (time, area):
        _columns(axes, built, names=True)
    _legend(time, time, loc="upper left")
    return figure


def _key(published):
    return published.window, published.d_model, published.bits


def _key_of(result):
    return tuple(result["point"][name] for name in ("window", "d_model", "bits"))


def _stars(axes, found, known, label):
    for place, result in enumerate(found):
        if _key_of(result) in known:
            axes.plot(place - 0.12, known[_key_of(result)], **PAPER, label=label)


def _columns(axes, found, names=False):
    texts = [f"({', '.join(map(str, _key_of(result)))})" for result in found]
    if names:
        texts = [f"{TITLES[result['point']['data']].partition(':')[0]} {text}" for result, text in zip(found, texts)]
    axes.set_xticks(range(len(found)), texts)
    axes.set_xlim(-0.5, len(found) - 0.5)
    axes.set_xlabel("window, d, bits")
    axes.grid(axis="y", alpha=0.3)


def _legend(target, axes, loc="outside lower center"):
    """Each label once."""
    handles = {label: handle for handle, label in zip(*axes.get_legend_handles_labels())}
    target.legend(handles.values(), handles.keys(), loc=loc, ncols=len(handles), frameon=False)
