# SPDX-License-Identifier: BSD-2-Clause
"""Any CSV, for every task: the options name its columns, or the file says which they are."""

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.labels import anomaly_labels, class_labels
from liteformer.train.data.prepare import prepare
from liteformer.train.data.recordings import starts_of
from liteformer.train.data.series import Series
from liteformer.train.data.task_series import anomaly_series, class_series, horizon, unique_names

TARGETS = ("target", "y", "output")  # Names with which a file says what is to be forecast.
SPARSE = 0.1  # Share of missing cells above which a column is no feature unless it is named.
BESIDE_LABELS = (
    "changepoint",
    "change_point",
    "anomaly",
    "is_anomaly",
    "label",
    "outlier",
    "attack",
    "fault",
    "failure",
    "event",
    "class",
    "target",
)


def load_forecast(options):
    """Series that forecasts ``options.target``; features are all columns of numbers unless given.

    Raises:
        LiteFormerError: missing or bad file, no such column, one sentence.
    """
    data = prepare(options)
    table, boundary = data.table, int(data.table.rows * (1 - options.test_fraction))
    features = options.features
    if features is None:
        features = inputs(data, options.target or (), slice(0, boundary))
    targets = options.target or [_target(table, features)]
    if options.features is None:
        if horizon(options):
            features += [name for name in targets if name not in features]
        else:
            features = [name for name in features if name not in targets]
    follows = data.follows
    if data.groups is not None:
        follows = follows & ~starts_of(data.groups)
    return Series(
        values=data.numbers(features),
        names=unique_names(features, "feature"),
        targets=data.truths(targets),
        target_names=unique_names(targets, "target"),
        follows=follows,
        horizon=horizon(options),
        scaling="standard",
        boundary=boundary,
        steps=data.steps,
        notes=data.notes,
        filled=data.filled,
        reader=_reader(data, features),
        robust=True,
    )


def load_classes(options):
    """Series of the classes in ``options.label``, any text or number; NaN where a row has none.

    Raises:
        LiteFormerError: missing or bad file, no such column, one sentence.
    """
    if options.layout == "rows":
        from liteformer.train.data.row_windows import load_rows

        return load_rows(options)
    data = prepare(options, group=options.group)
    labels, classes = class_labels(data.table.cells(options.label), options.label, data.table.notes)
    names = _features(data, options, labels=False)
    series = class_series(
        options,
        data.numbers(names),
        names,
        labels,
        classes,
        options.label,
        groups=data.groups,
        follows=data.follows,
        steps=data.steps,
    )
    return _with(series, data, names)


def load_anomalies(options):
    """Series with the anomalies of ``options.label``; rows with an empty cell are in no window.

    Raises:
        LiteFormerError: missing or bad file, no such column, another label, one sentence.
    """
    data = prepare(options, group=options.group)
    follows = data.follows
    if data.groups is not None:
        follows = follows & ~starts_of(data.groups)
    labels = anomaly_labels(data.table, options.label)
    names = _features(data, options, labels=True)
    series = anomaly_series(options, data.numbers(names), names, labels, options.label, follows, steps=data.steps)
    return _with(series, data, names)


def _with(series, data, names):
    """The Series with what was read: notes of the reader before its own, filled rows, rules."""
    own = [text for text in series.notes if text not in data.notes]
    return Series(
        **vars(series) | {"notes": [*data.notes, *own], "filled": data.filled, "reader": _reader(data, names), "robust": True}
    )


def _reader(data, names):
    return data.table.learned(names) | {
        "time": data.table.time,
        **{key: data.table.found[key] for key in ("separator", "decimal", "encoding")},
    }


def _target(table, features):
    """The column to forecast where the user names none."""
    if len(features) == 1:
        return features[0]
    said = [name for name in features if name.casefold() in TARGETS]
    if len(said) == 1:
        table.notes.add(f"column {said[0]!r} is forecast; --target names another")
        return said[0]
    if not features:
        raise LiteFormerError(f"{table.path} has no column of numbers to forecast; it has: {', '.join(table.columns)}")
    raise LiteFormerError(f"{table.path} has the columns {', '.join(features)}; name the one to forecast with --target")


def inputs(data, besides=(), rows=None):
    """Names of the columns that are features unless the user names some; what is left out is said.

    Args:
        data: Prepared; besides: names that are features however many cells are missing; rows: slice of the training rows.
    """
    table, chosen = data.table, []
    for name in table.inputs(besides=(), rows=rows):
        missing = 1 - np.isfinite(table.columns[name].values).mean()
        if missing > SPARSE and name not in besides:
            table.notes.add(
                f"column {name!r} has no value in {missing:.0%} of the rows and is no feature; --features names it all "
                "the same, --fill N bridges short gaps"
            )
        else:
            chosen.append(name)
    return chosen


def _features(data, options, labels):
    """Names of the input columns of a task with labels."""
    table = data.table
    if options.features:
        return list(options.features)
    others = {options.label, options.group}
    if labels:
        beside = [
            name
            for name in table.columns
            if name not in others and name.casefold() in BESIDE_LABELS and _is_flag(table.columns[name])
        ]
        for name in beside:
            table.notes.add(f"column {name!r} looks like another label and is no feature; --features names it all the same")
        others |= set(beside)
    boundary = int(table.rows * (1 - options.test_fraction))
    hidden = {name: table.columns[name] for name in others if name in table.columns}
    for name in hidden:
        table.columns.pop(name)
    try:
        names = inputs(data, (), slice(0, boundary) if options.group is None else None)
    finally:
        table.columns.update(hidden)
    if not names:
        raise LiteFormerError(f"{table.path} has no numeric column besides the label; name the inputs with --features")
    return names


def _is_flag(column):
    if column.values is None:
        return True
    known = column.values[np.isfinite(column.values)]
    return bool(np.isin(known, (0, 1)).all())
