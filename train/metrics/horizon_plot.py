# SPDX-License-Identifier: BSD-2-Clause
"""Picture of a forecast of several steps: the error of each, and whole forecasts against the truth."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from liteformer.train.metrics.intervals import centre

WINDOWS = 240  # Most windows over which whole forecasts are shown; at least two forecasts are.
LINES = {"integer": ("integer", "tab:orange", 2.2), "device": ("device", "tab:orange", 2.2),
         "float": ("float", "tab:blue", 1.2), "persistence": ("last value repeated", "black", 1.0),
         "least_squares": ("least squares", "tab:green", 1.0), "nlinear": ("NLinear", "tab:olive", 1.0),
         "lightgbm": ("LightGBM", "tab:red", 1.0), "mlp": ("MLP of the same size", "tab:purple", 1.0),
         "gru": ("GRU of the same size", "tab:brown", 1.0)}


def draw(path, errors, truth, forecast, name, unit, source="the test set"):
    """Draw the error of every step, and whole forecasts of the first target, one after another, against the truth.

    Args:
        path: PNG to write; errors: dict of ``rmse_by_step`` in metrics.json, lists of numbers or of dicts with mean.
        truth: float ``(N, outputs)``, NaN where unknown; forecast: of the integer model or the device, the same shape.
        name: of the target; unit: of its values, may be empty; source: of the windows.
    """
    known = {key: [centre(value) for value in errors[key]] for key in LINES if errors.get(key)}
    horizon = len(next(iter(known.values())))
    figure = Figure(figsize=(10, 7), layout="constrained")
    above, below = figure.subplots(2, 1)
    steps = np.arange(1, horizon + 1)
    for key, values in known.items():
        label, colour, width = LINES[key]
        above.plot(steps, np.asarray(values, float), color=colour, linewidth=width, label=label,
                   marker="." if horizon <= 24 else None)
    above.xaxis.set_major_locator(MaxNLocator(integer=True))
    unit = f" ({unit})" if unit else ""
    above.set(xlabel="steps ahead", ylabel=f"RMSE{unit}", title=f"Error by step, {len(truth):,} windows of {source}")
    above.set_ylim(0)
    above.legend(frameon=False, ncols=2, fontsize=9)
    origins = range(0, min(len(truth), max(WINDOWS, 2 * horizon)), horizon)
    for number, origin in enumerate(origins):
        rows = origin + steps
        own, true = forecast[origin, :horizon], truth[origin, :horizon]
        below.plot(rows, true, color="black", linewidth=1.6, label="truth" if not number else None)
        below.plot(rows, own, color="tab:orange", linewidth=1.2, label="forecast" if not number else None)
        below.axvline(origin + 0.5, color="0.85", linewidth=0.8, zorder=0)
    below.set(xlabel=f"window; a new forecast of {horizon} steps begins at each line", ylabel=f"{name}{unit}")
    below.margins(x=0.01, y=0.15)
    below.legend(frameon=False, ncols=2, loc="upper right")
    for axes in (above, below):
        axes.grid(alpha=0.3, axis="y")
    figure.savefig(path, dpi=120, format="png")
