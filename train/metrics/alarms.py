# SPDX-License-Identifier: BSD-2-Clause
"""Anomaly detection: settings chosen on the validation part, metrics of a set of alarms, and the baseline."""

import numpy as np

from liteformer.accel import decision
from liteformer.accel.model import AnomalySettings

QUIET_SMOOTHING = 2     # Used if the validation part holds no anomaly.
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
    """Gains, smoothing and threshold from the validation part.

    The gains bring the mean error of every target on normal rows to about that of the worst one. Smoothing and threshold
    are those of the best F1; without an anomaly the threshold is a quantile of the scores.

    Args:
        outputs: int64 ``(N, targets)``, forecasts; raw: int64 ``(N, window, features)``, in order of time.
        config: ModelConfig; labels: bool ``(N,)``, whether the window's last row is anomalous.
    Returns:
        AnomalySettings.
    """
    follows = decision.continues(raw)
    shifts = [int(np.log2(config.raw_scale[feature] / scale)) for feature, scale in
              zip(config.target_features, config.output_scale)]
    errors = decision.errors(outputs, raw, config.target_features, shifts, follows)
    mean = np.maximum(errors[follows & ~labels].mean(axis=0), 0.5)
    gains = np.clip(np.round(np.log2(mean.max() / mean)), 0, decision.MAX_GAIN).astype(int).tolist()
    if not labels.any():
        scores = decision.smooth(errors, follows, gains, QUIET_SMOOTHING)
        return AnomalySettings(shifts=shifts, gains=gains, smoothing=QUIET_SMOOTHING,
                               threshold=int(np.quantile(scores, QUIET_QUANTILE)))
    best = max(((*_best_threshold(decision.smooth(errors, follows, gains, smoothing), labels), -smoothing)
                for smoothing in range(decision.MAX_SMOOTHING + 1)), key=lambda entry: (entry[0], entry[2]))
    return AnomalySettings(shifts=shifts, gains=gains, smoothing=-best[2], threshold=best[1])


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
