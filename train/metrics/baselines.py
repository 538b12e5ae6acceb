# SPDX-License-Identifier: BSD-2-Clause
"""Baselines of a forecast: the last value repeated, and ordinary least squares on the whole window."""

import numpy as np


def rmse(prediction, truth):
    """Root mean square error over all windows and outputs; None without a prediction."""
    return None if prediction is None else float(np.sqrt(np.mean((prediction - truth) ** 2)))


def least_squares(dataset, starts, test):
    """Linear regression from all rows of a window to the targets.

    Args:
        dataset: Dataset; starts, test: int64 first rows to fit on and to forecast.
    Returns:
        float64 ``(len(test), outputs)``, physical units.
    """
    def inputs(first):
        x = dataset.inputs(first)
        return np.concatenate([x.reshape(len(first), -1), np.ones((len(first), 1))], axis=1)

    x = inputs(starts)
    weights, *_ = np.linalg.lstsq(x.T @ x, x.T @ dataset.truth[starts], rcond=None)
    return inputs(test) @ weights
