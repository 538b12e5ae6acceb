# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of a report, as PNG in memory."""

import io
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from liteformer.flow.measure.blocks import BLOCKS
from liteformer.flow.measure.timeline_plot import draw as draw_timeline
from liteformer.flow.measure.timeline_plot import label
from liteformer.flow.report.collect import AREA_KEYS, integer_forecast

# As in train.plots.
FLOAT, INTEGER = "tab:blue", "tab:orange"
BAR, LIMIT, UNUSED = "#2a6f97", "#c9184a", "#e9ecef"
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
# One colour a block: CPU side grey to brown, core side blue to violet.
COLORS = dict(zip(BLOCKS, ("#5c677d", "#979dac", "#c9b79c", "#a98467", "#2a6f97", "#61a5c2", "#e07a1f", "#7b2cbf", "#2d6a4f",
                           "#b5179e", "#d4a017")))
RESOURCES = {"lut": "LUT", "lut_sites": "LUT sites", "lutram": "LUT as\nmemory", "ff": "flip-flops", "bram36": "BRAM36",
             "dsp": "DSP48E1"}


def _png(figure, dpi=150):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def _drawn(draw, *arguments):
    """Bytes written by a function that takes the path first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(path, *arguments)
        return path.read_bytes()


def pictures(report, material):
    """All pictures that the material allows.

    Args:
        report: dict of ``collect``; material: Material.
    Returns:
        list of ``(key, title, caption, png)``.
    """
    found = [*_of_test_set(report, material)]
    if report["area"]:
        found.append(("area", "Area against the device", "Shares of the device, by block. Every cell counts for one block; "
                      "LUT as memory is a part of LUT.", area_bars(report)))
    found.append(("timeline", "What the array does, cycle by cycle", "Recorded from the engine's own signals in one inference.",
                  timeline(report, material)))
    found.append(("lanes", "Lanes used against lanes available", "Height: multiply-accumulates per cycle, mean of the step; "
                  "width: its cycles; filled area: its multiply-accumulates. The line is the peak of the array.",
                  lanes(report, material)))
    if material.errors:
        found.append(("quantization", "Quantization error, tensor by tensor", "Root mean square of what rounding and clamping "
                      "change, over the tensor's standard deviation, in the integer model on test windows. Training lets a "
                      "tensor saturate where that helps.", quantization(material.errors, report["model"]["bits"])))
    return found


def _of_test_set(report, material):
    """Pictures that need the test set, by task."""
    from liteformer.train.metrics import horizon_plot, plots, task_plots
    run = material.run
    if run is None:
        return
    if run.options.task == "classification":
        yield ("confusion", "Confusion", "Windows of the test set, integer model.",
               _drawn(task_plots.confusion, run.metrics["confusion"], run.dataset.classes))
        return
    forecast = integer_forecast(run)
    names = {"float": run.float_prediction, "integer": forecast}
    yield ("forecast", "Forecast against truth", "The first windows of the test set, and the error below.",
           _drawn(plots.forecast, run.test_truth, names, run.dataset.target_names[0], run.unit))
    if report.get("rmse_by_step"):
        yield ("steps", "Error by step", "Test RMSE of every step ahead; below, whole forecasts of the integer model, one "
               "after another.", _drawn(horizon_plot.draw, report["rmse_by_step"], run.test_truth, forecast,
                                  run.dataset.target_names[0].removesuffix("+1"), run.unit))
    yield ("errors", "Error histogram", f"Forecast minus truth over all {len(run.test_truth):,} test windows.",
           error_histogram({name: values - run.test_truth for name, values in names.items()}, run.unit))
    if run.options.task == "anomaly":
        from liteformer.accel import golden
        from liteformer.accel.decision import decide
        from liteformer.train.metrics.tasks import labels_of
        yield ("alarms", "Score and alarms", "Integer model, threshold and true anomalies.",
               _drawn(task_plots.alarms, run.model,
                      decide(run.model.config, golden.infer(run.model, run.test_raw), run.test_raw),
                      labels_of(run.dataset, run.dataset.test)))


def error_histogram(errors, unit):
    """PNG of the errors' distribution; errors: dict label -> float ``(N, outputs)``, first output shown."""
    first = {name: values[:, 0] for name, values in errors.items()}
    spread = max(np.quantile(np.abs(values), 0.995) for values in first.values()) or 1.0
    edges = np.linspace(-spread, spread, 41)
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, values), color, style in zip(first.items(), (FLOAT, INTEGER), ("step", "bar")):
        rms = np.sqrt(np.mean(values ** 2))
        shown = np.clip(values, *edges[[0, -1]])
        options = {"color": color, "alpha": 0.45} if style == "bar" else {"color": color, "histtype": "step", "linewidth": 1.8}
        axes.hist(shown, edges, weights=np.full(len(shown), 1 / len(shown)), label=f"{name}, RMS {rms:.3g}, mean "
                  f"{values.mean():+.2g}", **options)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel=f"forecast - truth{f' ({unit})' if unit else ''}; the outermost bins include all values beyond",
             ylabel="share of windows")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return _png(figure)


def area_bars(report):
    """PNG of each resource's use, stacked by block, against the device."""
    area = report["area"]
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.add_subplot()
    totals = []
    for row, key in enumerate(AREA_KEYS):
        capacity, left = area["capacity"][key], 0.0
        for block, part in area["blocks"].items():
            share = part[key] / capacity
            axes.barh(row, share, left=left, height=0.62, color=COLORS[block], edgecolor="white", linewidth=0.4)
            left += share
        totals.append(left)
        axes.text(left + 0.012, row, f"{area[key]:,g} of {capacity:,}, {left:.0%}", va="center", fontsize=10, bbox=WHITE)
    axes.axvline(1, color=LIMIT, linewidth=1.4, zorder=1)
    axes.text(1, -0.68, f"all of the {report['device']}", color=LIMIT, ha="center", va="center", fontsize=10, bbox=WHITE)
    axes.set_yticks(range(len(AREA_KEYS)), [RESOURCES[key] for key in AREA_KEYS])
    axes.set(xlim=(0, 1.3 * max(1, *totals)), ylim=(len(AREA_KEYS) - 0.5, -1), xlabel="share of the device")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(handles=[Patch(color=COLORS[block], label=block) for block in area["blocks"]], loc="outside lower center",
                  ncols=4, frameon=False, fontsize=9)
    return _png(figure)


def timeline(report, material):
    """PNG of the recorded inference."""
    array = report["array"]
    title = (f"{report['cycles']['accelerator']:,} cycles, {array['rows']} x {array['columns']} lanes, "
             f"{report['utilization']:.1%} MAC utilization")
    return _drawn(lambda path: draw_timeline(material.timeline, title, path))


def lanes(report, material):
    """PNG of the multiply-accumulates per cycle over time against the array's lanes."""
    measured, peak = material.timeline, report["array"]["lanes"]
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.add_subplot()
    at = 0
    for step in measured.steps:
        used = step.macs / step.span
        axes.bar(at, peak, step.span, align="edge", color=UNUSED, edgecolor="white", linewidth=0.8)
        axes.bar(at, used, step.span, align="edge", color=BAR, edgecolor="white", linewidth=0.8)
        if step.span > 0.02 * measured.cycles:
            inside = used > 0.6 * peak
            axes.annotate(f"{label(step)}, {used:.0f}", (at + step.span / 2, used), (0, -6 if inside else 6), fontsize=9,
                          textcoords="offset points", ha="center", va="top" if inside else "bottom", rotation=90,
                          color="white" if inside else "black")
        at += step.span
    mean = sum(step.macs for step in measured.steps) / at
    axes.axhline(peak, color=LIMIT, linewidth=1.4)
    axes.annotate(f"{peak} lanes", (at, peak), (-3, 3), textcoords="offset points", ha="right", va="bottom", color=LIMIT)
    axes.set_title(f"{mean:.1f} of {peak} lanes used, mean of {at:,} cycles, {mean / peak:.0%}", loc="left", fontsize=11)
    axes.set(xlabel="clock cycles since start", ylabel="multiply-accumulates per cycle", xlim=(0, at), ylim=(0, 1.12 * peak))
    return _png(figure)


def quantization(errors, bits):
    """PNG of the quantization error of each activation; errors: dict tensor -> relative error; bits: dict tensor -> width."""
    names = list(errors)
    figure = Figure(figsize=(8, 1.1 + 0.34 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(names)), [errors[name] for name in names], 0.66, color=BAR)
    for row, name in enumerate(names):
        axes.annotate(f"{errors[name]:.1%}", (errors[name], row), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), [f"{name.replace('layers.', 'layer ')}, {bits[name]} bits" if name in bits else name
                                        for name in names])
    axes.set(xlabel="quantization error over standard deviation", ylim=(len(names) - 0.4, -0.6),
             xlim=(0, 1.14 * max(errors.values())))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    return _png(figure)
