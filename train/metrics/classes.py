# SPDX-License-Identifier: BSD-2-Clause
"""Classification: metrics of a set of decisions, and the baselines."""

import numpy as np
import torch
from torch.nn import functional as F

DECAY = 1e-4    # Weight of the squared coefficients of the logistic regression.
STEPS = 100


def confusion(truth, decided, classes):
    """int64 ``(classes, classes)``: windows of class row that were decided to be class column."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (truth, decided), 1)
    return table


def class_figures(truth, decided, classes):
    """Accuracy and macro F1.

    Args:
        truth, decided: int64 ``(N,)``; classes: how many. A class that neither holds does not count in the mean of F1.
    Returns:
        dict accuracy, macro_f1; floats.

    >>> class_figures(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 3)
    {'accuracy': 0.75, 'macro_f1': 0.7333333333333334}
    """
    table = confusion(truth, decided, classes)
    right, held = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    f1 = 2 * right[held > 0] / held[held > 0]
    return {"accuracy": float(right.sum() / len(truth)), "macro_f1": float(f1.mean())}


def majority(dataset, starts, test):
    """The most frequent class of the training windows, for every test window; int64 ``(len(test),)``."""
    counts = np.bincount(dataset.truth[starts][:, 0].astype(np.int64), minlength=len(dataset.classes))
    return np.full(len(test), counts.argmax())


def logistic_regression(dataset, starts, test):
    """Multinomial logistic regression on all rows of a window.

    Args:
        dataset: Dataset; starts, test: int64 first rows to fit on and to decide.
    Returns:
        int64 ``(len(test),)``.
    """
    def inputs(first):
        x = dataset.inputs(first)
        return torch.as_tensor(np.concatenate([x.reshape(len(first), -1), np.ones((len(first), 1))], axis=1),
                               dtype=torch.float32)

    x, goal = inputs(starts), torch.as_tensor(dataset.truth[starts][:, 0]).long()
    weights = torch.zeros(x.shape[1], len(dataset.classes), requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(x @ weights, goal) + DECAY * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return (inputs(test) @ weights).argmax(dim=1).numpy()
