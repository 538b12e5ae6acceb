"""Pictures of the results, written as PNG."""

import io

import numpy as np

from liteformer.flow.cache import write_atomically

COLOURS = ("#d1495b", "#00798c", "#edae49", "#66a182")


def forecast(path, truth, series, title, unit="", name="target"):
    """Draw forecasts against the truth, and their errors below.

    Args:
        path: PNG to write. truth: float ``(N,)`` in time order. series: dict label -> float ``(N,)``.
        title, unit, name: texts; ``name`` is what is forecast.
    """
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 5.5), dpi=110, layout="constrained")
    values, errors = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    steps = np.arange(len(truth))
    values.plot(steps, truth, color="0.25", linewidth=2.2, alpha=0.7, label="truth")
    for (label, prediction), colour in zip(series.items(), COLOURS):
        values.plot(steps, prediction, color=colour, linewidth=1.2, label=label)
        errors.plot(steps, prediction - truth, color=colour, linewidth=1)
    errors.axhline(0, color="0.25", linewidth=0.8)
    values.set_title(title)
    values.set_ylabel(f"{name} ({unit})" if unit else name)
    errors.set_ylabel("error")
    errors.set_xlabel("window of the test set")
    values.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    for axes in (values, errors):
        axes.grid(alpha=0.25)
        axes.margins(x=0.01)
        axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_atomically(path, picture.getvalue())
