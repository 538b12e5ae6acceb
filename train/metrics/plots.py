# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of a training: its losses, and forecasts of the test set against the truth."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

WEEK = 168  # Most windows a forecast plot shows; the first ones of the test set.


def plain_logarithmic(axis):
    """Make an axis logarithmic with plain labels, such as 0.2 or 50, few enough not to touch each other.

    Args:
        axis: XAxis or YAxis of Matplotlib, its values plotted already.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7) if high < 1000 * low else (1, 3)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


def losses(path, history, name="mean squared error (variance of the target = 1)"):
    """Draw the loss of every epoch.

    Args:
        path: PNG to write; history: dict stage ("float", "qat") -> list of dicts epoch, loss and, if measured, validation.
        name: of the loss.
    """
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    start, names = 0, {"float": "float", "qat": "quantization-aware"}
    for stage, colour in (("float", "tab:blue"), ("qat", "tab:orange")):
        epochs = [start + entry["epoch"] for entry in history[stage]]
        axes.plot(epochs, [entry["loss"] for entry in history[stage]], color=colour, label=f"{names[stage]}, training")
        if "validation" in history[stage][0]:
            axes.plot(epochs, [entry["validation"] for entry in history[stage]], color=colour, linestyle="--",
                      label=f"{names[stage]}, validation")
        start += len(epochs)
    axes.set(xlabel="epoch", ylabel=name, title="Losses")
    plain_logarithmic(axes.yaxis)
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, format="png")


def forecast(path, truth, predictions, name, unit, source="the test set"):
    """Draw the first output for the first windows of a data set.

    Args:
        path: PNG to write; truth: float ``(N, outputs)``; predictions: dict label -> the same.
        name: of the target; unit: of its values, may be empty; source: of the windows.
    """
    count = min(WEEK, len(truth))
    figure = Figure(figsize=(10, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    steps = np.arange(count)
    above.plot(steps, truth[:count, 0], color="black", linewidth=1.6, label="truth")
    for (label, prediction), colour in zip(predictions.items(), ("tab:blue", "tab:orange")):
        above.plot(steps, prediction[:count, 0], color=colour, linewidth=1.2, label=label)
        below.plot(steps, prediction[:count, 0] - truth[:count, 0], color=colour, linewidth=1)
    below.axhline(0, color="black", linewidth=0.8)
    unit = f" ({unit})" if unit else ""
    above.set(ylabel=f"{name}{unit}", title=f"First {count} windows of {source}")
    below.set(ylabel=f"error{unit}", xlabel="window")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.margins(x=0.01)
    above.legend(frameon=False, ncols=3, loc="upper right")
    above.margins(y=0.18)
    figure.savefig(path, dpi=120, format="png")
