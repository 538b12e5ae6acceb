# SPDX-License-Identifier: BSD-2-Clause
"""Anomaly detection: settings chosen on the validation part, metrics of a set of alarms, and the baseline."""

import numpy as np

from liteformer.accel import calibration, decision
from liteformer.accel.calibration import MAX_GAIN
from liteformer.accel.model import AnomalySettings

QUIET_SMOOTHING = 2     # Used if the validation part holds no anomaly.
CALIBRATION = 6         # Log2 of the rows of each part of a calibration.
CALIBRATED_SMOOTHING = 5    # Used with a calibration if the validation part holds no anomaly.
SCORED = 0.5            # Least share of rows after the calibration of their stretch.
QUIET_QUANTILE = 0.999  # Of its scores; the threshold is then this quantile.
SIGMAS = 3


def alarm_figures(truth, alarms):
    """Precision, recall and F1 of the alarms, row by row; 0 where there is nothing to divide by.

    Args:
        truth, alarms: ``(N,)``, nonzero where anomalous and where alarmed.

    >>> alarm_figures(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    {'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666}
    """
    truth, alarms = np.asarray(truth, bool), np.asarray(alarms, bool)
    hits = int((truth & alarms).sum())
    return {"precision": hits / max(int(alarms.sum()), 1), "recall": hits / max(int(truth.sum()), 1),
            "f1": 2 * hits / max(int(alarms.sum()) + int(truth.sum()), 1)}


def choose_settings(outputs, raw, config, labels):
    """Gains, smoothing, threshold and calibration from the validation part.

    The gains bring the mean error of every target on normal rows to about that of the worst one. Smoothing and threshold
    are those of the best F1, with or without a calibration after a restart; without an anomaly the threshold is a quantile of
    the scores, and there is a calibration where the stretches are long enough that most of their rows come after it.

    Args:
        outputs: int64 ``(N, targets)``, forecasts; raw: int64 ``(N, window, features)``, in order of time.
        config: ModelConfig; labels: bool ``(N,)``, whether the window's last row is anomalous.
    Returns:
        AnomalySettings.
    """
    follows = decision.continues(raw)
    shifts = [int(np.log2(config.raw_scale[feature] / scale)) for feature, scale in
              zip(config.target_features, config.output_scale)]
    residuals = decision.residuals(outputs, raw, config.target_features, shifts, follows)
    normal, errors = residuals[follows & ~labels], np.abs(residuals)
    mean = np.maximum(np.abs(normal).mean(axis=0), 0.5)
    gains = np.clip(np.round(np.log2(mean.max() / mean)), 0, MAX_GAIN).astype(int).tolist()
    spread = np.abs(normal - normal.mean(axis=0)).mean(axis=0).max()
    level = int(min(max(spread, 0.5) * (1 << CALIBRATION), (1 << 31) - 1))
    calibrated, scored = calibration.scored(residuals, follows, CALIBRATION, level)
    learned = {"shifts": shifts, "gains": [0] * len(shifts), "calibration": CALIBRATION, "level": level}
    plain = {"shifts": shifts, "gains": gains}
    if not labels.any():
        if scored.mean() > SCORED:
            scores = decision.smooth(calibrated, follows, learned["gains"], CALIBRATED_SMOOTHING)
            return AnomalySettings(**learned, smoothing=CALIBRATED_SMOOTHING,
                                   threshold=int(np.quantile(scores[scored], QUIET_QUANTILE)))
        scores = decision.smooth(errors, follows, gains, QUIET_SMOOTHING)
        return AnomalySettings(**plain, smoothing=QUIET_SMOOTHING, threshold=int(np.quantile(scores, QUIET_QUANTILE)))

    def best(values, fields):
        f1, threshold, smoothing = max(
            ((*_best_threshold(decision.smooth(values, follows, fields["gains"], smoothing), labels), -smoothing)
             for smoothing in range(decision.MAX_SMOOTHING + 1)), key=lambda entry: (entry[0], entry[2]))
        return f1, AnomalySettings(**fields, smoothing=-smoothing, threshold=threshold)

    found = [best(errors, plain), best(calibrated, learned)]
    return max(found, key=lambda entry: entry[0])[1]


def _best_threshold(scores, labels):
    """``(F1, threshold)`` of the best threshold; it lies in the middle between two scores."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(labels[order])
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + labels.sum())
    lower = np.append(ranked[1:], 0)
    f1[ranked == lower] = 0
    at = int(f1.argmax())
    return float(f1[at]), int((ranked[at] + lower[at]) // 2)


def three_sigma(dataset, starts, test):
    """Alarms where a target leaves its mean by more than three standard deviations of the training rows.

    Args:
        dataset: Dataset; starts, test: int64 first rows of the training windows and of those to judge by their last row.
    Returns:
        bool ``(len(test),)``.
    """
    columns = np.asarray(dataset.target_features)
    normal = dataset.raw[starts + dataset.window - 1][:, columns]
    last = dataset.raw[test + dataset.window - 1][:, columns]
    return (np.abs(last - normal.mean(axis=0)) > SIGMAS * normal.std(axis=0)).any(axis=1)
