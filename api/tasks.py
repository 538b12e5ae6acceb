# SPDX-License-Identifier: BSD-2-Clause
"""An estimator for each task: forecasts, classes of windows, alarms."""

from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.api.estimator import Estimator
from liteformer.flow.stream.replay import Replay
from liteformer.train.data.labels import class_key


class Forecaster(Estimator):
    """Forecasts columns of a table some steps ahead; options are those of Estimator, ``horizon`` and ``skip`` among them."""

    task = "forecast"
    columns = ("target", "features", "timestamp", "label", "group")

    def fit(self, data: pd.DataFrame | str | Path | None = None, target: str | list[str] | None = None, *,
            features: list[str] | None = None, timestamp: str | None = None, seeds: int = 1) -> Self:
        """Train in float, then quantization-aware.

        Args:
            data: a frame, rows in order of time, with its times as the index or as a column; a file; or None for the built-in
            series. target: columns to forecast. features: input columns, all columns of numbers if None. timestamp: column of
            times. seeds: how many trainings.
        Returns:
            self.
        Raises:
            LiteFormerError: bad input; the sentence of `liteformer train`.
        """
        return self._fit(data, seeds, {"target": target, "features": features, "timestamp": timestamp})

    def predict(self, data: Any, on: str = "integer", **options: Any) -> pd.DataFrame | np.ndarray:
        """Forecasts in physical units.

        Args:
            data: frame or file with the features, or windows, float ``(N, window, features)`` in physical units.
            on: "integer", the arithmetic of the core; "float"; or "soc", the simulated SoC with its firmware. **options: of the
            SoC: ``cpu``, ``device``.
        Returns:
            of a frame or file a DataFrame, a column for each output, each row that of the window's last one; of windows an
            array ``(N, outputs)``.
        """
        _, index, values, _ = self._answers(data, on, **options)
        return values if index is None else pd.DataFrame(values, index, self._names())

    def score(self, data: Any, on: str = "integer", **options: Any) -> float:
        """Coefficient of determination R2 over all outputs, 1 at best, as a regressor of scikit-learn.

        Raises:
            LiteFormerError: the data hold no truth.
        """
        replay, _, values, _ = self._answers(data, on, **options)
        truth = _known(replay, replay.truth, "target")
        rows = np.isfinite(truth).all(axis=1)
        truth, values = truth[rows], values[rows]
        spread = np.square(truth - truth.mean(axis=0)).sum(axis=0)
        return float(np.mean(1 - np.square(values - truth).sum(axis=0) / spread))

    def _names(self) -> list[str]:
        config = self.model.config
        return list(config.target_names) or [f"output {number}" for number in range(config.outputs)]


class Classifier(Estimator):
    """Decides the class of a window."""

    task = "classification"
    columns = ("target", "features", "timestamp", "label", "group")

    def fit(self, data: pd.DataFrame | str | Path | None = None, label: str | None = None, *, features: list[str] | None = None,
            group: str | None = None, timestamp: str | None = None, seeds: int = 1) -> Self:
        """Train on windows of one class each.

        Args:
            data, features, timestamp, seeds: as of ``Forecaster.fit``. label: column with the class of each row. group: column
            of subjects or recordings, by which the data are divided.
        """
        return self._fit(data, seeds, {"label": label, "features": features, "group": group, "timestamp": timestamp})

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the outputs."""
        return list(self.model.config.class_names)

    def predict(self, data: Any, on: str = "integer", **options: Any) -> pd.Series | np.ndarray:
        """Class of each window, by name; arguments as of ``Forecaster.predict``."""
        _, index, values, _ = self._answers(data, on, **options)
        names = np.asarray(self.classes)[values.argmax(axis=1)]
        return names if index is None else pd.Series(names, index, name="class")

    def decision_function(self, data: Any, on: str = "integer", **options: Any) -> pd.DataFrame | np.ndarray:
        """Logits, a column for each class."""
        _, index, values, _ = self._answers(data, on, **options)
        return values if index is None else pd.DataFrame(values, index, self.classes)

    def score(self, data: Any, labels: Any = None, on: str = "integer", **options: Any) -> float:
        """Share of the windows whose class is right.

        Args:
            labels: classes of windows that are an array; of a frame or file they are in its column.
        """
        replay, _, values, _ = self._answers(data, on, **options)
        if labels is None:
            truth = _known(replay, replay.labels, "label")
        else:
            keys = {class_key(name): number for number, name in enumerate(self.classes)}
            truth = np.array([keys.get(class_key(label), -1) for label in np.asarray(labels)])
            if len(truth) != len(values):
                raise LiteFormerError(f"there are {len(truth)} labels for {len(values)} windows; give one for each")
        known = truth >= 0
        if not known.any():
            raise LiteFormerError(f"none of the labels is a class of the model; it knows {', '.join(self.classes)}")
        return float((values.argmax(axis=1) == truth)[known].mean())


class AnomalyDetector(Estimator):
    """Alarms where the rows leave their forecasts."""

    task = "anomaly"
    columns = ("target", "features", "timestamp", "label", "group")

    def fit(self, data: pd.DataFrame | str | Path | None = None, label: str | None = None, *,
            target: str | list[str] | None = None, features: list[str] | None = None, group: str | None = None,
            timestamp: str | None = None, seeds: int = 1) -> Self:
        """Train on windows without anomaly.

        Args:
            data, features, timestamp, seeds: as of ``Forecaster.fit``. label: column with 1 where a row is anomalous.
            target: columns whose forecasts are watched, all features if None. group: column of recordings.
        """
        return self._fit(data, seeds, {"label": label, "target": target, "features": features, "group": group,
                                       "timestamp": timestamp})

    def predict(self, data: Any, on: str = "integer", **options: Any) -> pd.Series | np.ndarray:
        """1 where a device raises its alarm at a window's last row, else 0; ``on``: "integer" or "soc"."""
        _, index, decisions = self._decided(data, on, **options)
        return decisions[:, 1] if index is None else pd.Series(decisions[:, 1], index, name="alarm")

    def score_samples(self, data: Any, on: str = "integer", **options: Any) -> pd.Series | np.ndarray:
        """The smoothed error of the forecast, in counts; an alarm is above ``model.config.anomaly.threshold``."""
        _, index, decisions = self._decided(data, on, **options)
        return decisions[:, 0] if index is None else pd.Series(decisions[:, 0], index, name="score")

    def score(self, data: Any, on: str = "integer", **options: Any) -> float:
        """F1 of the alarms, row by row."""
        from liteformer.train.metrics.alarms import alarm_figures
        replay, _, decisions = self._decided(data, on, **options)
        truth = _known(replay, replay.labels, "label")
        return float(alarm_figures(truth[truth >= 0], decisions[truth >= 0, 1])["f1"])

    def _decided(self, data: Any, on: str, **options: Any) -> tuple[Replay, pd.Index | None, np.ndarray]:
        if on == "float":
            raise LiteFormerError("score and alarm are integers of the device; choose on='integer' or on='soc'")
        replay, index, _, decisions = self._answers(data, on, **options)
        return replay, index, decisions


def _known(replay: Replay, truth: np.ndarray | None, what: str) -> np.ndarray:
    if truth is None:
        raise LiteFormerError(f"{replay.source} hold{'' if replay.source == 'the windows' else 's'} no {what}, so there is "
                              "nothing to compare with; give a frame or a file that has its column")
    return truth
