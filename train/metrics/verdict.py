# SPDX-License-Identifier: BSD-2-Clause
"""One sentence on which baselines forecast better than the integer model."""

from liteformer.train.metrics.intervals import centre

NEIGHBOURS = {"persistence": "the last value repeated", "least_squares": "least squares", "nlinear": "NLinear",
              "lightgbm": "LightGBM", "mlp": "an MLP of the same size", "gru": "a GRU of the same size"}


def behind(errors):
    """The sentence, or None where no baseline is better.

    Args:
        errors: dict ``rmse`` of metrics.json.

    >>> behind({"integer": 2.0, "mlp": 1.9, "persistence": None, "nlinear": 2.5})
    'better than this model (RMSE 2.000) on the test set: an MLP of the same size (1.900)'
    """
    own, known = centre(errors["integer"]), {name: centre(errors.get(name)) for name in NEIGHBOURS}
    better = sorted((error, NEIGHBOURS[name]) for name, error in known.items() if error is not None and error < own)
    listed = ", ".join(f"{name} ({error:.3f})" for error, name in better)
    return f"better than this model (RMSE {own:.3f}) on the test set: {listed}" if better else None
