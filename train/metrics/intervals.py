# SPDX-License-Identifier: BSD-2-Clause
"""Uncertainty of a test error over test sets of the same kind, and metrics combined over several seeds."""

import numpy as np

LEVEL = 0.95  # Coverage of the interval.
DRAWS = 4000


def block_bootstrap(errors, seed=0):
    """Interval of the mean RMSE of some trainings over resampled test sets.

    Neighbouring windows overlap, so blocks of them are drawn, circular and about the square root of the number of windows
    long, the same blocks for every training.

    Args:
        errors: float ``(trainings, windows, outputs)``, prediction minus truth; seed: of the draws.
    Returns:
        dict: ``low`` and ``high`` (of the 95 % interval), ``std`` (over the draws), ``block`` (windows).
    """
    squares = np.mean(np.square(errors), axis=2)
    windows = squares.shape[1]
    block = max(1, round(windows ** 0.5))
    around = np.concatenate([squares, squares[:, :block]], axis=1)
    edges = np.concatenate([np.zeros((len(squares), 1)), np.cumsum(around, axis=1)], axis=1)
    sums = edges[:, block:block + windows] - edges[:, :windows]
    starts = np.random.default_rng(seed).integers(windows, size=(DRAWS, -(-windows // block)))
    drawn = np.mean([np.sqrt(row[starts].mean(axis=1) / block) for row in sums], axis=0)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"low": float(low), "high": float(high), "std": float(drawn.std()), "block": block}


def over_seeds(values, interval=None):
    """A metric of several trainings as one entry of metrics.json.

    Args:
        values: one number per seed; interval: result of ``block_bootstrap`` or None.
    Returns:
        dict: ``mean``, ``std`` (over the seeds, n - 1), ``values`` and, with an interval, its ``low`` and ``high``.
    """
    summary = {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "values": [float(v) for v in values]}
    return summary | ({key: interval[key] for key in ("low", "high")} if interval else {})


def centre(figure):
    """The number of an entry of ``rmse`` in metrics.json, which is a number or, over several seeds, a dict with its mean."""
    return figure["mean"] if isinstance(figure, dict) else figure
