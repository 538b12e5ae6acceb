# SPDX-License-Identifier: BSD-2-Clause
"""Which rows and features of a window move the outputs of the integer model: each is replaced, and the change measured."""

import numpy as np
from matplotlib.figure import Figure

from liteformer.accel import golden
from liteformer.accel.model import QuantizedModel


def influence(model: QuantizedModel, raw: np.ndarray, seed: int = 0) -> np.ndarray:
    """Root mean square change of the outputs where one sample of each window is that of another window.

    Args:
        raw: int64 ``(N, window, features)``; seed: of the choice of the other windows.
    Returns:
        float64 ``(window, features)``, in physical units, mean over the outputs.
    """
    config = model.config
    before = config.physical(golden.infer(model, raw))
    others = raw[np.random.default_rng(seed).permutation(len(raw))]
    changes = np.zeros((config.window, config.features))
    for place in np.ndindex(*changes.shape):
        changed = raw.copy()
        changed[:, *place] = others[:, *place]
        after = config.physical(golden.infer(model, changed))
        changes[place] = np.sqrt(np.square(after - before).mean(axis=0)).mean()
    return changes


def draw(model: QuantizedModel, changes: np.ndarray) -> Figure:
    """Heat map of ``influence``, with the sum over the rows for each feature."""
    config = model.config
    names = config.feature_names or [f"feature {number}" for number in range(config.features)]
    figure = Figure(figsize=(max(6.0, 2.5 + 0.35 * config.window), 1.6 + 0.35 * len(names)), layout="constrained")
    axes, total = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    image = axes.imshow(changes.T, aspect="auto", cmap="Blues", vmin=0,
                        extent=(-config.window + 0.5, 0.5, len(names) - 0.5, -0.5))
    axes.set_yticks(range(len(names)), names)
    what = "logits" if config.task == "classification" else "forecasts"
    axes.set(xlabel="row, 0 is the newest", title=f"Change of the {what} where a sample is another one")
    figure.colorbar(image, ax=axes, label="root mean square")
    total.barh(range(len(names)), np.sqrt(np.square(changes).sum(axis=0)), color="tab:blue")
    total.set(xlabel="all rows")
    return figure
