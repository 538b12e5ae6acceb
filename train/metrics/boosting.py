# SPDX-License-Identifier: BSD-2-Clause
"""The gradient boosting baseline of a forecast: LightGBM on all rows of a window."""

import numpy as np

from liteformer.accel.errors import LiteFormerError

ROUNDS, PATIENCE = 1000, 50     # Trees at most, and trees without a better validation error after which it stops.
MANY = 8                        # Outputs: with more, a training would take minutes.
SETTINGS = {"objective": "regression", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "verbose": -1,
            "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.8, "deterministic": True, "force_row_wise": True,
            "seed": 1}


def boosting(dataset, refit=False, threads=1):
    """Forecasts of LightGBM for the test windows.

    One ensemble of trees for each output, as long as the validation error falls. Where the targets are features, others learn
    the difference to the last value; which of both is taken is decided by the validation windows too. With ``refit`` as many
    trees are then trained on the validation windows as well. More than ``MANY`` outputs learn twice as fast, half as patient,
    and three of them decide.

    Args:
        dataset: Dataset of a forecast; threads: of LightGBM.
    Returns:
        float64 ``(test windows, outputs)``, physical units.
    Raises:
        LiteFormerError: LightGBM is not installed.
    """
    try:
        import lightgbm
    except ImportError:
        raise LiteFormerError("LightGBM is not installed, so the forecast is not compared with it; in LiteFormer's folder run "
                              "pip install '.[baselines]'") from None
    outputs = len(dataset.target_names)
    settings, patience = SETTINGS | {"num_threads": threads}, PATIENCE
    if outputs > MANY:
        settings["learning_rate"], patience = 2 * SETTINGS["learning_rate"], PATIENCE // 2

    def inputs(starts):
        return dataset.inputs(starts).reshape(len(starts), -1).astype(np.float32)

    def last(starts, differences):
        return dataset.last_values(starts) if differences else np.zeros((len(starts), outputs))

    x, held = inputs(dataset.train), inputs(dataset.validation)

    def grown(output, differences):
        """``(trees, squared validation error)`` of an output."""
        goal, wanted = (dataset.truth[starts, output] - last(starts, differences)[:, output]
                        for starts in (dataset.train, dataset.validation))
        known = lightgbm.Dataset(x, goal, free_raw_data=False)
        trees = lightgbm.train(settings, known, ROUNDS, valid_sets=[lightgbm.Dataset(held, wanted, reference=known)],
                               callbacks=[lightgbm.early_stopping(patience, verbose=False)])
        return trees, np.mean((trees.predict(held) - wanted) ** 2)

    asked = range(outputs) if outputs <= MANY else sorted({0, outputs // 2, outputs - 1})
    found = [{output: grown(output, differences) for output in asked}
             for differences in ((False, True) if dataset.target_features else (False,))]
    differences = int(np.argmin([sum(error for _, error in one.values()) for one in found]))
    trees = [(found[differences].get(output) or grown(output, differences))[0] for output in range(outputs)]
    if refit:
        past = np.concatenate([dataset.train, dataset.validation])
        x, goal = inputs(past), dataset.truth[past] - last(past, differences)
        trees = [lightgbm.train(settings, lightgbm.Dataset(x, goal[:, output]), one.best_iteration or ROUNDS)
                 for output, one in enumerate(trees)]
    tested = inputs(dataset.test)
    return np.stack([one.predict(tested) for one in trees], axis=1) + last(dataset.test, differences)
