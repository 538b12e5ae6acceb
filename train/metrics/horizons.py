# SPDX-License-Identifier: BSD-2-Clause
"""Errors of a forecast of several steps, step by step."""

from liteformer.train.metrics.baselines import rmse


def rmse_by_step(prediction, truth, horizon):
    """Root mean square error of each step, over all windows and targets.

    Args:
        prediction, truth: float ``(N, targets * horizon)``, target-major; prediction may be None.
    Returns:
        list of ``horizon`` floats, None without a prediction.

    >>> import numpy as np
    >>> rmse_by_step(np.array([[1.0, 4.0, 3.0, 0.0]]), np.zeros((1, 4)), 2)
    [2.23606797749979, 2.8284271247461903]
    """
    if prediction is None:
        return None
    steps = ((prediction - truth).reshape(len(truth), -1, horizon)[:, :, step] for step in range(horizon))
    return [rmse(errors, 0) for errors in steps]


def by_step(forecasts, truth, horizon):
    """dict name -> list of ``rmse_by_step``, under the name ``rmse_by_step`` of metrics.json; empty for a single step.

    Args:
        forecasts: dict name -> float ``(N, outputs)`` or None; truth: float ``(N, outputs)``.
    """
    return {"rmse_by_step": {name: rmse_by_step(values, truth, horizon) for name, values in forecasts.items()}} \
        if horizon > 1 else {}


def shown_steps(horizon):
    """Steps that a table shows: the first, the middle and the last.

    >>> shown_steps(24), shown_steps(3), shown_steps(2)
    ([1, 12, 24], [1, 3], [1, 2])
    """
    return sorted({1, horizon // 2, horizon})
