"""Series with labels: classes of windows, or anomalies among the rows."""

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import activity, faults, skab, table
from liteformer.train.data.recordings import class_series, starts_of, unique_names
from liteformer.train.data.series import TEST, TRAIN, Series


def load_activity(options):
    values, labels, subjects = activity.synthetic_activity()
    return class_series(options, values, activity.NAMES, labels.astype(np.float64), activity.CLASSES, "activity",
                        groups=subjects)


def load_csv_classes(options):
    frame, path = table.read_table(options.path), options.path
    groups, follows = _order(frame, path, options)
    cells = table.cells(frame, path, options.label)
    values = sorted(cells.dropna().unique(), key=lambda value: (isinstance(value, str), value))
    labels = np.full(len(cells), np.nan)
    for index, value in enumerate(values):
        labels[cells.to_numpy() == value] = index
    classes = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    names = _features(frame, options)
    return class_series(options, _columns(frame, path, names), names, labels, classes, options.label, groups=groups,
                        follows=follows)


def load_csv_anomalies(options):
    frame, path = table.read_table(options.path), options.path
    groups, follows = _order(frame, path, options)
    if groups is not None:
        follows = follows & ~starts_of(groups)
    cells = table.cells(frame, path, options.label)
    numbers = pd.to_numeric(cells, errors="coerce")
    bad = np.flatnonzero(~numbers.isin((0, 1)) & cells.notna())
    if len(bad):
        raise LiteFormerError(f"{path}, row {bad[0] + 2}, column {options.label!r} holds {str(cells.iloc[bad[0]])!r}; an "
                              "anomaly label is 1, a normal one 0")
    names = _features(frame, options)
    return _anomaly_series(options, _columns(frame, path, names), names, numbers.fillna(0).to_numpy() == 1, options.label,
                           follows)


def load_faults(options):
    values, faulty = faults.synthetic_faults()
    return _anomaly_series(options, values, faults.NAMES, faulty, "fault", np.ones(len(values), bool))


def load_skab(options):
    values, names, anomalous, follows, trained = skab.load_skab(options)
    parts = np.where(trained, TRAIN, TEST)
    return _anomaly_series(options, values, names, anomalous, "anomaly", follows, parts)


def _order(frame, path, options):
    """``(groups, follows)``: the column of recordings or None, and where rows follow each other in time."""
    groups = None if options.group is None else table.cells(frame, path, options.group).astype(str).to_numpy()
    follows = np.ones(len(frame), bool)
    if options.timestamp:
        breaks = None if groups is None else starts_of(groups)
        _, follows = table.time_steps(frame, path, options.timestamp, breaks)
    return groups, follows


def _features(frame, options):
    """Names of the input columns; all numeric ones but label, group and time unless given."""
    others = (options.label, options.group, options.timestamp)
    return options.features or [str(name) for name in frame.columns
                                if name not in others and pd.api.types.is_numeric_dtype(frame[name])]


def _columns(frame, path, names):
    if not names:
        raise LiteFormerError(f"{path} has no numeric column beside the label; name the inputs with --features")
    return np.stack([table.column(frame, path, name) for name in names], axis=1)


def _anomaly_series(options, values, names, anomalous, label, follows, parts=None):
    """Series that forecasts the targets one step ahead, all features unless named."""
    kinds = np.unique(anomalous)
    if len(kinds) < 2:
        raise LiteFormerError(f"label column {label!r} holds one class only ({int(kinds[0])}); to find anomalies both 0 and "
                              "1 are needed")
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
                  anomalous=anomalous)
