# SPDX-License-Identifier: BSD-2-Clause
"""Classes that are rare, or in one part of the time only: each has its share of training, validation and test."""

import numpy as np

NOTE = ("a class has no window in the training or test part of the time, so training, validation and test are divided class by "
        "class, each in time")


def by_class(series, options, starts, train, test):
    """Parts with their share of every class; windows of different parts have no row in common.

    Args:
        series: Series; options: TrainOptions, for the fractions; starts: int64, first rows of all windows; train, test: of the
            division in time.
    Returns:
        ``(train, validation, test)``, int64 first rows; None where the division in time serves, or the data have their own.
    """
    if not series.classes or series.parts is not None:
        return None
    label = series.targets[:, 0][starts + options.window - 1].astype(np.int64)
    held = [set(series.targets[:, 0][part + options.window - 1].tolist()) for part in (train, test)]
    if all(len(kinds) == len(series.classes) for kinds in held):
        return None
    parts = [[], [], []]
    for index in range(len(series.classes)):
        own = starts[label == index]
        tested = max(round(len(own) * options.test_fraction), 1)
        checked = max(round((len(own) - tested) * options.validation_fraction), 1)
        ends = max(len(own) - tested - checked, 0), max(len(own) - tested, 0)
        pieces = own[:ends[0]], own[ends[0]:ends[1]], own[ends[1]:]
        for number, piece in enumerate(pieces):
            later = [other[0] for other in pieces[number + 1:] if len(other)]
            parts[number].append(piece[piece + options.window <= later[0]] if later else piece)
    return tuple(np.sort(np.concatenate(part)) for part in parts)
