# SPDX-License-Identifier: BSD-2-Clause
"""The gradient boosting baseline of a forecast: LightGBM on all rows of a window."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.metrics.baselines import rmse

ROUNDS, PATIENCE = 1000, 50     # Trees at most, and trees without a better validation error after which it stops.
SETTINGS = {"objective": "regression", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 20, "verbose": -1,
            "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.8, "deterministic": True, "force_row_wise": True,
            "seed": 1}


def boosting(dataset, refit=False, threads=1):
    """Forecasts of LightGBM for the test windows.

    One ensemble of trees for each output, as long as the validation error falls. Where the targets are features, others learn
    the difference to the last value; which of both is taken is decided by the validation windows too. With ``refit`` as many
    trees are then trained on the validation windows as well.

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
    settings = SETTINGS | {"num_threads": threads}

    def inputs(starts):
        return dataset.inputs(starts).reshape(len(starts), -1).astype(np.float32)

    def last(starts, differences):
        return dataset.last_values(starts) if differences else np.zeros((len(starts), len(dataset.target_names)))

    x, held, found = inputs(dataset.train), inputs(dataset.validation), []
    for differences in (False, True) if dataset.target_features else (False,):
        goal = dataset.truth[dataset.train] - last(dataset.train, differences)
        wanted = dataset.truth[dataset.validation] - last(dataset.validation, differences)
        trees = []
        for output in range(goal.shape[1]):
            known = lightgbm.Dataset(x, goal[:, output], free_raw_data=False)
            trees.append(lightgbm.train(
                settings, known, ROUNDS, valid_sets=[lightgbm.Dataset(held, wanted[:, output], reference=known)],
                callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)]))
        found.append((rmse(np.stack([one.predict(held) for one in trees], axis=1), wanted), differences, trees))
    _, differences, trees = min(found, key=lambda entry: entry[0])
    if refit:
        past = np.concatenate([dataset.train, dataset.validation])
        x, goal = inputs(past), dataset.truth[past] - last(past, differences)
        trees = [lightgbm.train(settings, lightgbm.Dataset(x, goal[:, output]), one.best_iteration or ROUNDS)
                 for output, one in enumerate(trees)]
    tested = inputs(dataset.test)
    return np.stack([one.predict(tested) for one in trees], axis=1) + last(dataset.test, differences)
