# SPDX-License-Identifier: BSD-2-Clause
"""Windows for a device from a data set or a CSV, with their truth, classes or anomalies if known."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from liteformer.accel.decision import continues
from liteformer.accel.errors import LiteFormerError
from liteformer.train.data import registry
from liteformer.train.data.dataset import truth_of
from liteformer.train.data.labels import anomaly_labels, class_key
from liteformer.train.data.prepare import prepare
from liteformer.train.data.rare import by_class
from liteformer.train.data.series import Series, shortage, split, usable_starts
from liteformer.train.loop.options import READING, TrainOptions


@dataclass(frozen=True)
class Window:
    """One window for a device.

    Args:
        raw: int64 ``(window, features)``; follows: it is contiguous with the one before.
        truth: float64 ``(outputs,)``, physical units, NaN where unknown, or None; in a stream it is filled as rows arrive.
        label: class index or 1 where the last row is anomalous, else 0; -1 where unknown; or None.
    """

    raw: np.ndarray
    follows: bool
    truth: np.ndarray | None = None
    label: int | None = None


@dataclass(frozen=True)
class Replay:
    """N windows in order of time.

    Args:
        raw: int64 ``(N, window, features)``. truth: float64 ``(N, outputs)``, physical units, NaN where unknown, or None.
        labels: int64 ``(N,)``, class index or 1 where the last row is anomalous, else 0; -1 where unknown; or None.
        unit: of the outputs, may be empty. source: a word for their origin. left_out: windows with a gap.
        notes: sentences on what was left out, for the user. rows: int64 ``(N,)``, row of the file that each window ends with,
        None where there is none.
    """

    raw: np.ndarray
    truth: np.ndarray | None = None
    labels: np.ndarray | None = None
    unit: str = ""
    source: str = "the data"
    left_out: int = 0
    notes: list = field(default_factory=list)
    rows: np.ndarray | None = None

    def __len__(self):
        return len(self.raw)

    def windows(self):
        """Yields each as a Window."""
        for index, (raw, follows) in enumerate(zip(self.raw, continues(self.raw))):
            yield Window(raw, follows, None if self.truth is None else self.truth[index],
                         None if self.labels is None else int(self.labels[index]))

    def first(self, count, spread=False):
        """The first ``count`` windows, or evenly spread ones; all for None.

        Raises:
            LiteFormerError: there are fewer.
        """
        if count is None:
            return self
        if count > len(self):
            raise LiteFormerError(f"{self.source} has {len(self)} windows, fewer than the {count} asked for")
        at = np.arange(count) * len(self) // count if spread else np.arange(count)
        parts = {name: None if getattr(self, name) is None else getattr(self, name)[at]
                 for name in ("raw", "truth", "labels", "rows")}
        return Replay(**vars(self) | parts)


def trained_options(model):
    """Options of the training that made a model, a dict; empty if the model file does not contain them."""
    return model.provenance.get("options") or {}


def horizon_of(model):
    """Steps ahead that a model forecasts; 0 is the window's last row; None if the model file does not say, or names a data
    set that is not registered here."""
    options = trained_options(model)
    source = registry.REGISTRY.get(options.get("data"))
    if source is None:
        return None
    task = model.config.task
    if task == "classification" or (task == "forecast" and source.last_row):
        return 0
    return 1 if options["horizon"] is None else options["horizon"]


def target_columns(model):
    """Columns that a model forecasts, each once, whatever the number of steps."""
    steps = max(horizon_of(model) or 1, 1)
    return [name.removesuffix("+1") if steps > 1 else name for name in model.config.target_names[::steps]]


def load_replay(model, data=None, path=None, reading=None):
    """Windows of a data set or of a CSV.

    Args:
        model: QuantizedModel. data: a name of `liteformer train --data`, whose test windows are taken; None with a path for
            every window of that CSV; None without a path for what the model was trained on.
        path: of the data. reading: dict of options on how the CSV is read, which replace those of the training.
    Returns:
        Replay.
    Raises:
        LiteFormerError: bad input, one sentence.
    """
    reading = {name: value for name, value in (reading or {}).items() if value is not None}
    return _plain(model, path, reading) if path and not data else _data_set(model, data, path, reading)


def _data_set(model, data, path, reading):
    config, options = model.config, trained_options(model)
    if not options:
        raise LiteFormerError("the model file does not say what it was trained on; give a CSV with --path, without --data")
    if data and data != options["data"]:
        any_columns = registry.find(data).any_columns
        targets = target_columns(model) if config.task == "forecast" and any_columns else None
        options = options | {"features": config.feature_names if any_columns else None, "target": targets, "timestamp": None,
                             "sensor": None, "path": None, "data": data}
    options = TrainOptions.stored(options | {"path": path or options["path"]} | reading)
    series = registry.load_series(options)
    if list(series.names) != config.feature_names:
        raise LiteFormerError(f"data {options.data} has the features {', '.join(series.names)}; the model takes "
                              f"{', '.join(config.feature_names)}")
    if series.classes and list(series.classes) != config.class_names:
        raise LiteFormerError(f"data {options.data} has the classes {', '.join(series.classes)}; the model distinguishes "
                              f"{', '.join(config.class_names)}")
    starts = usable_starts(series, config.window)
    train, _, test = split(series, config.window, starts, options.validation_fraction)
    shares = by_class(series, options, starts, train, test)
    test = test if shares is None else shares[2]
    labels = series.targets[:, 0] if config.task == "classification" else series.anomalous
    return _replay(model, series, test, f"the test part of {options.data}", labels, series.unit, series.notes)


def _plain(model, path, reading):
    """Every window of a CSV whose columns are the model's features, read as the model's own data were."""
    config, options = model.config, trained_options(model)
    data = _read(model, path, reading)
    values = data.numbers(_names(model, data.table, path))
    series = Series(values=values, names=config.feature_names, targets=np.zeros((len(values), 0)), target_names=[],
                    follows=data.follows, horizon=0, scaling="standard", boundary=0, steps=data.steps, filled=data.filled)
    starts = usable_starts(series, config.window)
    if not len(starts):
        raise LiteFormerError(f"{path} holds no window of {config.window} successive rows: {shortage(series, config.window)}; "
                              "fill the gaps or give another --path")
    known, labels = _known(model, data, options.get("label"))
    notes = [*data.notes, *_unknown(labels, starts + config.window - 1, path)]
    replay = _replay(model, Series(**vars(series) | known), starts, str(path), labels, notes=notes)
    return Replay(**vars(replay) | {"left_out": len(values) - config.window + 1 - len(starts),
                                    "rows": data.table.lines[starts + config.window - 1]})


def _read(model, path, reading):
    """Prepared data of a CSV: by the options that trained the model, those that ``reading`` names, and what the reader found in
    the model's own data."""
    options = trained_options(model)
    own = {name: options.get(name) for name in READING if name not in ("layout", "strict")}
    own |= reading
    own |= {"fill": own.get("fill") or 0, "every": own.get("every"), "features": model.config.feature_names, "path": path,
            "timestamp": options.get("timestamp")}
    return prepare(SimpleNamespace(**own), learned=model.provenance.get("reader") or {}, optional=True)


def _names(model, table, path):
    """Columns of a table that are the model's features, in its order."""
    config, names = model.config, list(table.columns)
    if config.feature_names and table.found["named"]:
        return config.feature_names
    if len(names) != config.features:
        count = len(names) + (0 if table.time is None else len(table.time.split()))
        raise LiteFormerError(f"{path} has {count} columns; the model takes {config.features}"
                              f"{': ' * bool(config.feature_names)}{', '.join(config.feature_names)}")
    return names


def _known(model, data, label):
    """``(fields, labels)``: fields of the Series, and a label of every row, -1 where unknown, from the other columns of a CSV;
    empty and None if there are none."""
    config, table, columns = model.config, data.table, target_columns(model)
    if config.task == "forecast" and columns and horizon_of(model) is not None and set(columns) <= set(table.columns):
        return {"targets": data.truths(columns), "horizon": horizon_of(model)}, None
    if config.task == "classification" and label in table.columns:
        index = {class_key(name): number for number, name in enumerate(config.class_names)}
        return {}, np.array([index.get(class_key(cell), -1) for cell in table.cells(label)])
    if config.task == "anomaly" and label in table.columns:
        labels = anomaly_labels(table, label)
        return {}, np.where(np.isnan(labels), -1, labels)
    return {}, None


def _unknown(labels, last, path):
    """Notes on windows whose label, that of their last row, is not known: a list of one sentence, or of none."""
    count = 0 if labels is None else int((labels[last] < 0).sum())
    return [f"{count} of {len(last)} windows of {path} have no label that the model knows in their last row; the figures are "
            "those of the others"] if count else []


def _replay(model, series, starts, source, labels=None, unit="", notes=()):
    """Replay of the windows of a Series at ``starts``; labels: of every row, or None."""
    config, last, truth = model.config, starts + model.config.window - 1, None
    raw = sliding_window_view(config.counts(series.values).astype(np.int64), config.window, axis=0)
    if config.task != "classification" and series.targets.shape[1] * max(series.horizon, 1) == config.outputs:
        truth = truth_of(series, config.window)[starts]
    labels = None if labels is None else labels[last].astype(np.int64)
    return Replay(raw.transpose(0, 2, 1)[starts], truth, labels, unit, source, notes=list(notes))
