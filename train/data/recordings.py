"""Recordings in a row: where one ends, which are for training, and what is a window's class."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.series import TEST, TRAIN, VALIDATION, Series


def starts_of(keys):
    """bool ``(rows,)``: True where a key differs from the one before, and in the first row."""
    keys = np.asarray(keys)
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    return first


def unique_names(names, what):
    """The names as a list; an error if one stands there twice."""
    if len(set(names)) < len(names):
        raise LiteFormerError(f"a {what} is named twice: {', '.join(names)}; name each once")
    return list(names)


def parts_by_group(groups, options, tested=None):
    """Part of every row, so that no group is in two parts: the last groups test, those before them validate.

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


def class_series(options, values, names, labels, classes, label, *, groups=None, follows=None, parts=None):
    """Series whose target is the class of the window's last row; no window contains two classes or two groups.

    Args:
        options: TrainOptions; values: float64 ``(rows, features)``; names: of the features, ``options.features`` chooses.
        labels: float64 ``(rows,)``, index into classes, NaN where unknown; label: name of what they say.
        groups: ``(rows,)``, subject or recording; splits by group. Without groups and parts the split is in time.
        follows: bool ``(rows,)``, one time step after the row before; parts: part of every row.
    Raises:
        LiteFormerError: fewer than two classes, more than 64, or an unknown feature.
    """
    if len(classes) < 2:
        held = f"one class only ({classes[0]})" if classes else "no class"
        raise LiteFormerError(f"label column {label!r} holds {held}; a classification needs at least two")
    if len(classes) > 64:
        raise LiteFormerError(f"label column {label!r} holds {len(classes)} classes; at most 64 are possible")
    chosen = unique_names(options.features or names, "feature")
    missing = [name for name in chosen if name not in names]
    if missing:
        raise LiteFormerError(f"there is no column {missing[0]!r}; there are: {', '.join(names)}")
    follows = np.ones(len(values), bool) if follows is None else follows.copy()
    # NaN differs from itself, so that a row without label ends a recording too.
    follows &= ~starts_of(labels)
    if groups is not None:
        follows &= ~starts_of(groups)
        parts = parts_by_group(groups, options) if parts is None else parts
    return Series(values=values[:, [list(names).index(name) for name in chosen]], names=chosen, targets=labels[:, None],
                  target_names=[label], follows=follows, horizon=0, scaling="standard",
                  boundary=int(len(values) * (1 - options.test_fraction)), parts=parts, classes=list(classes),
                  stride=options.stride or max(options.window // 2, 1))
