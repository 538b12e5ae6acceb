# SPDX-License-Identifier: BSD-2-Clause
"""Recordings in a row: where one ends, and which are for training."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.series import TEST, TRAIN, VALIDATION


def starts_of(keys):
    """bool ``(rows,)``: True where a key differs from the one before, and in the first row."""
    keys = np.asarray(keys)
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    return first


def parts_by_group(groups, options, tested=None):
    """Part of every row, so that no group is in two parts: the last groups are for testing, those before them for validation.

    Args:
        groups: ``(rows,)``, subject or recording; their order is that of appearance.
        options: TrainOptions, for the fractions; tested: bool ``(rows,)``, the test rows, if their owner named them.
    Returns:
        int64 ``(rows,)`` of TRAIN, VALIDATION, TEST.
    Raises:
        LiteFormerError: too few groups.
    """
    groups = np.asarray(groups)
    names = list(dict.fromkeys((groups if tested is None else groups[~tested]).tolist()))
    needed = 3 if tested is None else 2
    if len(names) < needed:
        raise LiteFormerError(f"{len(names)} groups of recordings cannot be divided into training, validation and test; give "
                              f"at least {needed}")
    if tested is None:
        names, last = _divide(names, options.test_fraction, most=len(names) - 2)
        tested = np.isin(groups, last)
    names, last = _divide(names, options.validation_fraction, most=len(names) - 1)
    return np.where(tested, TEST, np.where(np.isin(groups, last), VALIDATION, TRAIN))


def _divide(names, fraction, most):
    """The names and the last of them, about the fraction, at least one."""
    count = min(max(round(len(names) * fraction), 1), most)
    return names[:-count], names[-count:]
