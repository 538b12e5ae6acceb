# SPDX-License-Identifier: BSD-2-Clause
"""Windows, targets and scales: a series made ready for the float, the quantized and the integer model alike.

All three use the same data, the raw integers that a device would send.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import raw_counts
from liteformer.train.data.ranges import offsets, within
from liteformer.train.data.rare import NOTE, by_class
from liteformer.train.data.registry import load_series
from liteformer.train.data.series import shortage, split, target_offsets, usable_starts

RAW_SPAN = 12          # The training range of a feature takes at least 1 << RAW_SPAN counts.
SMALLEST_SPAN = 11     # With fewer counts the multiplier of an 8-bit input would not fit its 17 bits.
LOGIT_SPAN = 16        # The range of logits, on both sides of zero, that the output's scale can hold.


@dataclass(frozen=True)
class Dataset:
    """A series cut into windows, in raw integers.

    Args:
        raw: int64 ``(rows, features)``, physical value times ``raw_scale``, within int32, 0 where missing.
        truth: float64 ``(rows, outputs)``, physical targets of the window that starts at the row, NaN where there is none.
        train, validation, test: int64 first rows of the windows.
        raw_scale: float64 ``(features,)``, powers of two, counts in one physical unit; raw_offset: float64 ``(features,)``, the
            value whose count is 0; output_offset: float64 ``(outputs,)``, the forecast whose count is 0.
        raw_low, raw_high: int64 ``(features,)``, range of the training windows in counts, without outliers.
        saturates: there are such outliers; every model's input saturates at that range.
        shift, scale: float64 ``(features,)``: the float model's input is ``(raw - shift) / scale``.
        target_mean, target_scale: float64 ``(outputs,)``: physical forecast = mean + scale * network output (+ last value).
        target_low, target_high: float64 ``(outputs,)``, range of the training targets.
        persistence: bool, the network forecasts the difference to the last value.
        classes: names of the classes; then truth ``(rows, 1)`` is their index and the outputs are one logit per class.
        anomalous: bool ``(rows,)`` or None; the windows of train and validation contain no such row.
        watched: int64 first rows of all windows of the validation part, with anomalies.
        notes: of the Series, and on outliers; reader: of the Series.
        horizon: steps that each target is forecast; outputs are target-major.
    """

    raw: np.ndarray
    truth: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    window: int
    raw_scale: np.ndarray
    raw_low: np.ndarray
    raw_high: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    target_mean: np.ndarray
    target_scale: np.ndarray
    target_low: np.ndarray
    target_high: np.ndarray
    persistence: bool
    feature_names: list
    target_names: list
    target_features: list
    unit: str
    classes: list = field(default_factory=list)
    anomalous: np.ndarray | None = None
    watched: np.ndarray | None = None
    notes: list = field(default_factory=list)
    raw_offset: np.ndarray = None
    output_offset: np.ndarray = None
    saturates: bool = False
    reader: dict = field(default_factory=dict)
    horizon: int = 1

    def __post_init__(self):
        for name, like in (("raw_offset", self.raw_scale), ("output_offset", self.target_mean)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(len(like)))

    def windows(self, starts):
        """Raw windows, int64 ``(len(starts), window, features)``."""
        return sliding_window_view(self.raw, self.window, axis=0).transpose(0, 2, 1)[starts]

    def last_values(self, starts):
        """Last value of every target inside the window, float64 ``(len(starts), outputs)``, physical; None without targets
        among the features."""
        if not self.target_features:
            return None
        columns = np.array(self.target_features)
        return self.raw[starts + self.window - 1][:, columns] / self.raw_scale[columns] + self.raw_offset[columns]

    def inputs(self, starts):
        """What the float model sees of windows, float64 ``(len(starts), window, features)``."""
        raw = self.windows(starts)
        if self.saturates:
            raw = raw.clip(self.raw_low, self.raw_high)
        return (raw - self.shift) / self.scale


def load_dataset(options):
    """Read, window, split and scale the data of a run.

    Args:
        options: TrainOptions.
    Returns:
        Dataset.
    Raises:
        LiteFormerError: bad input, one sentence.
    """
    series = load_series(options)
    starts = usable_starts(series, options.window)
    train, validation, test = split(series, options.window, starts, options.validation_fraction)
    shares = by_class(series, options, starts, train, test)
    if shares is not None:
        train, validation, test = shares
    watched = validation
    if series.anomalous is not None:
        train, validation, watched = _normal(series, options, train, validation)
    if len(train) < options.batch:
        raise LiteFormerError(f"only {len(train)} training windows, fewer than the batch of {options.batch}"
                              f"{_advice(series, options.window, 'give a longer series or a smaller --batch')}")
    if not len(validation) or not len(test):
        part = "validation" if not len(validation) else "test"
        raise LiteFormerError(f"no {part} window is left after the split in time"
                              f"{_advice(series, options.window, 'give a longer series')}")
    target_features = _target_features(series, options)
    used = _covered(len(series.values), np.concatenate([train, validation]), options.window)
    values, truth, outside = series.values[used], truth_of(series, options.window), []
    past = np.concatenate([train, validation])
    if series.robust:
        values, outside = within(values, np.flatnonzero(used), series.names)
        truth[past], beyond = within(truth[past], past, [name for name in series.target_names
                                                         for _ in range(max(series.horizon, 1))])
        told = {text.split(":")[0] for text in outside}
        outside += [text for text in beyond if text.split(":")[0] not in told]
    _check_features(series, values)
    raw_offset = offsets(values)
    span = _raw_span(options)
    spans = np.where(np.isin(np.arange(len(series.names)), target_features), span, RAW_SPAN)
    raw_scale = 2.0 ** np.ceil(spans - np.log2(np.ptp(values, axis=0)))
    raw = raw_counts(series.values, raw_scale, raw_offset)
    seen = raw_counts(values, raw_scale, raw_offset)
    if series.scaling == "minmax":
        shift, scale = seen.min(axis=0), np.ptp(seen, axis=0)
    else:
        shift, scale = seen.mean(axis=0), seen.std(axis=0)
    _check_labels(series, truth, train, test + options.window - 1)
    goal = truth[past]
    if options.skip == "persistence":
        last = series.values[past + options.window - 1]
        if outside:
            last = last.clip(values.min(axis=0), values.max(axis=0))
        goal = goal - _repeat(last, target_features)
    deviation = goal.std(axis=0)
    if not deviation.all():
        raise LiteFormerError(f"target {series.target_names[0]!r} is constant over the training rows; choose another --target")
    steps = max(series.horizon, 1)
    target_names = [name + (f"+{step + 1}" if steps > 1 else "") for name in series.target_names for step in range(steps)]
    goals = {"target_mean": goal.mean(axis=0), "target_scale": deviation, "target_low": truth[past].min(axis=0),
             "target_high": truth[past].max(axis=0)}
    output_offset = raw_offset[target_features] if target_features else offsets(truth[past])
    if series.classes:
        logits = np.ones(len(series.classes))
        target_names = list(series.classes)
        output_offset = 0 * logits
        goals = {"target_mean": 0 * logits, "target_scale": logits, "target_low": -LOGIT_SPAN * logits,
                 "target_high": LOGIT_SPAN * logits}
    return Dataset(
        raw=raw, truth=truth, train=train, validation=validation, test=test, window=options.window, raw_scale=raw_scale,
        raw_low=seen.min(axis=0), raw_high=seen.max(axis=0), shift=np.asarray(shift, np.float64),
        scale=np.asarray(scale, np.float64), **goals,
        persistence=options.skip == "persistence", feature_names=series.names,
        target_names=target_names,
        target_features=target_features, unit=series.unit, classes=series.classes, anomalous=series.anomalous,
        watched=watched, notes=[*series.notes, *([NOTE] if shares else []), *outside], raw_offset=raw_offset,
        output_offset=output_offset, saturates=bool(outside), reader=series.reader, horizon=steps)


def _advice(series, window, otherwise):
    """End of a sentence on too few windows: their number by gaps and what to do, or ``otherwise`` without gaps."""
    why = shortage(series, window)
    if why:
        return (f": {why}; bridge short gaps with --fill N, take longer steps with --every, name another --timestamp or choose "
                "a smaller --window or --batch")
    return f"; {otherwise}"


def _target_features(series, options):
    """Feature of every output, or an empty list; checks that the forecast is not among the inputs."""
    positions = series.target_features
    if series.horizon == 0 and positions:
        raise LiteFormerError(f"target {series.target_names[0]!r} is among the features, so the window's last row holds the "
                              "answer; choose a horizon of 1 or more or leave it out of --features")
    if options.skip == "persistence" and not positions:
        missing = next(name for name in series.target_names if name not in series.names)
        raise LiteFormerError(f"skip persistence needs target {missing!r} among the features; add it to --features or "
                              "choose --skip none")
    outputs = len(series.target_names) * max(series.horizon, 1)
    if outputs > 64:
        raise LiteFormerError(f"{len(series.target_names)} targets over {series.horizon} steps are {outputs} outputs; "
                              "at most 64 are possible")
    if len(series.names) > 256:
        raise LiteFormerError(f"{len(series.names)} features are more than the 256 that are possible; choose with --features")
    return [position for position in positions for _ in range(max(series.horizon, 1))]


def _without_anomaly(series, window, starts):
    """The windows that contain no anomalous row, their targets included."""
    span = window + series.horizon
    touched = sliding_window_view(series.anomalous, span).any(axis=1)
    return starts[~touched[starts]]


def _normal(series, options, train, validation):
    """``(train, validation, watched)``: the windows without anomaly of both parts, and all windows of validation.

    Where anomalies fill the validation part, it begins earlier, so that it holds its share of the normal windows.
    """
    normal = [_without_anomaly(series, options.window, part) for part in (train, validation)]
    if len(normal[1]) or not len(normal[0]) or series.parts is not None:
        return *normal, validation
    first = normal[0][int(len(normal[0]) * (1 - options.validation_fraction)):][:1]
    every = np.concatenate([train, validation])
    reach = options.window + series.horizon
    held = every[every >= first[0]] if len(first) else validation
    return normal[0][normal[0] + reach <= held[0] + options.window], normal[0][normal[0] >= held[0]], held


def _check_labels(series, truth, train, tested_rows):
    """Checks that every class has training windows, and that the test part has anomalies."""
    learned = np.unique(truth[train][:, 0]) if series.classes else ()
    for index, name in enumerate(series.classes):
        if index not in learned:
            raise LiteFormerError(f"class {name!r} of {series.target_names[0]!r} has no training window; give more rows of "
                                  "it, or name the column of recordings with --group, by which the data are divided then")
    if series.anomalous is not None and not series.anomalous[tested_rows].any():
        raise LiteFormerError("the test part holds no anomaly, so nothing could be measured; choose a larger --test-fraction")


def _check_features(series, values):
    low, high = values.min(axis=0), values.max(axis=0)
    for name, a, b in zip(series.names, low, high):
        if a == b:
            raise LiteFormerError(f"feature {name!r} is constant ({a:g}) over the training rows; leave it out")


def _raw_span(options):
    """Log2 of the number of counts in a target's range.

    With a persistence skip the head counts in raw samples and its multiplier is limited, so narrow models get fewer counts.
    """
    if options.skip != "persistence":
        return RAW_SPAN
    bits = options.tensor_bits
    reach = options.d_model * ((1 << (bits["head.weight"] - 1)) - 1) << (bits[f"layers.{options.layers - 1}.hidden"] - 1)
    return int(np.clip(np.log2(16 * reach), SMALLEST_SPAN, RAW_SPAN))


def _covered(rows, starts, window):
    """bool ``(rows,)``: rows that lie in one of the windows."""
    edges = np.zeros(rows + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + window, -1)
    return np.cumsum(edges[:-1]) > 0


def truth_of(series, window):
    """Targets by window start, float64 ``(rows, outputs)``, target-major, NaN where the series ends before."""
    rows, offsets = len(series.targets), target_offsets(window, series.horizon)
    truth = np.full((rows, series.targets.shape[1], len(offsets)), np.nan)
    for step, offset in enumerate(offsets):
        truth[:rows - offset, :, step] = series.targets[offset:]
    return truth.reshape(rows, -1)


def _repeat(values, target_features):
    return values[:, np.array(target_features)]
