# SPDX-License-Identifier: BSD-2-Clause
"""The Series of each task from the columns of a data set; the options choose features and targets among them."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import table
from liteformer.train.data.recordings import parts_by_group, starts_of
from liteformer.train.data.series import Series


def unique_names(names, what):
    """The names as a list.

    Raises:
        LiteFormerError: a name occurs twice; ``what`` is the word for them.
    """
    if len(set(names)) < len(names):
        raise LiteFormerError(f"a {what} is named twice: {', '.join(names)}; name each once")
    return list(names)


def horizon(options):
    """Steps ahead to forecast; 1 unless the options say otherwise."""
    return 1 if options.horizon is None else options.horizon


def forecast_series(options, frame, path, *, features, targets, follows, **fields):
    """Series that forecasts columns of a table.

    Args:
        options: TrainOptions; frame: DataFrame; path: what it was read from, for errors.
        features, targets: names of columns, unless ``options.features`` or ``options.target`` name others.
        follows: bool ``(rows,)``, contiguous: one time step after the row before.
        fields: of the Series, such as ``steps`` from ``table.time_steps``, or where the data set has its own protocol;
            otherwise ``options.horizon`` and ``options.test_fraction`` count and features have mean 0 and deviation 1.
    Raises:
        LiteFormerError: no such column, a cell that is not a number, a repeated name.
    """
    features, targets = options.features or features, options.target or targets
    values, names = table.columns(frame, path, features), unique_names(features, "feature")
    goals, target_names = table.columns(frame, path, targets), unique_names(targets, "target")
    return Series(**{"values": values, "names": names, "targets": goals, "target_names": target_names, "follows": follows,
                     "horizon": horizon(options), "scaling": "standard", "notes": _notes(fields.get("steps")),
                     "boundary": int(len(frame) * (1 - options.test_fraction))} | fields)


def unlabelled(labels, label):
    """Notes on rows without label: a list of one sentence, or of none."""
    count = int(np.isnan(labels).sum())
    return [f"{count} of {len(labels)} rows have no label in column {label!r}; they are in no window"] if count else []


def _notes(steps):
    return [] if steps is None else steps.notes


def class_series(options, values, names, labels, classes, label, *, groups=None, follows=None, parts=None,
                 steps=None):
    """Series whose target is the class of the window's last row; no window contains two classes or two groups.

    Args:
        options: TrainOptions; values: float64 ``(rows, features)``; names: of the features, ``options.features`` chooses.
        labels: float64 ``(rows,)``, index into classes, NaN where unknown; label: name of their column.
        groups: ``(rows,)``, subject or recording; splits by group. Without groups and parts the split is in time.
        follows: bool ``(rows,)``, contiguous: one time step after the row before; parts: part of every row.
        steps: Steps from ``table.time_steps``, or None.
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
    # NaN differs from itself, so a row without label also ends a recording.
    follows &= ~starts_of(labels)
    if groups is not None:
        follows &= ~starts_of(groups)
        parts = parts_by_group(groups, options) if parts is None else parts
    return Series(values=values[:, [list(names).index(name) for name in chosen]], names=chosen, targets=labels[:, None],
                  target_names=[label], follows=follows, horizon=0, scaling="standard",
                  boundary=int(len(values) * (1 - options.test_fraction)), parts=parts, classes=list(classes),
                  stride=options.window_stride or max(options.window // 2, 1), steps=steps,
                  notes=[*unlabelled(labels, label), *_notes(steps)])


def anomaly_series(options, values, names, labels, label, follows, parts=None, steps=None):
    """Series that forecasts the targets one step ahead; they are all features unless ``options.target`` names some.

    Args:
        options: TrainOptions; values: float64 ``(rows, features)``; names: of the features, ``options.features`` chooses.
        labels: float64 ``(rows,)``, 1 where a row is anomalous, 0 where it is normal, NaN where that is not known: no window
            contains such a row; label: name of their column.
        follows: bool ``(rows,)``, contiguous with the row before; parts: part of every row, None splits in time.
        steps: Steps from ``table.time_steps``, or None.
    Raises:
        LiteFormerError: no row or every row is anomalous, an unknown feature, or a target that is not a feature.
    """
    known = ~np.isnan(labels)
    kinds = np.unique(labels[known])
    if len(kinds) < 2:
        held = f"one class only ({int(kinds[0])})" if len(kinds) else "no label"
        raise LiteFormerError(f"label column {label!r} holds {held}; to find anomalies both 0 and 1 are needed")
    values = np.where(known[:, None], values, np.nan)
    chosen = options.features or list(names)
    targets = unique_names(options.target or chosen, "target")
    missing = [name for name in [*chosen, *targets] if name not in names]
    if missing:
        raise LiteFormerError(f"there is no column {missing[0]!r}; there are: {', '.join(names)}")
    outside = [name for name in targets if name not in chosen]
    if outside:
        raise LiteFormerError(f"target {outside[0]!r} is not among the features, but its forecast is compared with the sample "
                              "that arrives; add it to --features")
    column = {name: values[:, index] for index, name in enumerate(names)}
    return Series(values=np.stack([column[name] for name in chosen], axis=1), names=unique_names(chosen, "feature"),
                  targets=np.stack([column[name] for name in targets], axis=1), target_names=targets, follows=follows,
                  horizon=1, scaling="standard", boundary=int(len(values) * (1 - options.test_fraction)), parts=parts,
                  anomalous=labels == 1, steps=steps, notes=[*unlabelled(labels, label), *_notes(steps)])
