# SPDX-License-Identifier: BSD-2-Clause
"""What a device computes from the outputs: the class of a window, or the score and the alarm of a sample.

The same integers as ``liteformer_argmax`` and ``liteformer_anomaly_update`` in ``sw/liteformer.c``.
"""

import numpy as np

from liteformer.accel.calibration import LARGEST, Calibration

DECISIONS = {"forecast": (), "classification": ("class",), "anomaly": ("score", "alarm")}
TASKS = tuple(DECISIONS)

TOTAL_BITS = 24      # The sum of a sample's errors saturates to this width.
MAX_SHIFT = 24       # Largest right shift from raw counts to counts of an output.
MAX_SMOOTHING = 6    # Largest right shift of the smoothing; the score stays within 31 bits.


def continues(raw):
    """Whether each window is contiguous: the one before it, moved on by one row.

    Args:
        raw: integers ``(N, window, features)``.
    Returns:
        bool ``(N,)``; the first is False.
    """
    raw = np.asarray(raw)
    return np.array([n > 0 and np.array_equal(raw[n][:-1], raw[n - 1][1:]) for n in range(len(raw))], bool)


def argmax(outputs):
    """Index of the largest output, the first one if several are equal; int64 ``(N,)`` of ``(N, outputs)``."""
    return np.argmax(outputs, axis=-1)


def residuals(outputs, raw, target_features, shifts, follows, before=None):
    """The forecast of the window before minus the newest row, in counts of the output.

    Args:
        outputs: int64 ``(N, targets)``, forecasts; raw: int64 ``(N, window, features)``.
        target_features: feature of every target; shifts: right shift from its raw counts to those of the output.
        follows: bool ``(N,)``, contiguous windows, from ``continues``; before: int64 ``(targets,)``, outputs of the window
            before the first, None if there was none.
    Returns:
        int64 ``(N, targets)``, saturated to ``LARGEST`` on both sides; 0 where no forecast came before.
    """
    outputs = np.asarray(outputs, np.int64)
    found, first = np.zeros_like(outputs), int(before is None)
    forecasts = outputs[:-1] if before is None else np.concatenate([np.asarray(before)[None], outputs])[:len(outputs)]
    arrived = np.asarray(raw, np.int64)[first:, -1][:, np.asarray(target_features)] >> np.asarray(shifts, np.int64)
    found[first:] = np.where(follows[first:, None], forecasts - arrived, 0)
    return found.clip(-LARGEST, LARGEST)


def smooth(errors, follows, gains, smoothing, score=0):
    """Exponentially smoothed sum of errors: ``score += total - (score >> smoothing)``, 0 after a jump.

    Args:
        errors: int64 ``(N, targets)``; follows: bool ``(N,)``, contiguous windows; gains: left shift of every target's error.
        smoothing: right shift; a steady total gives the score ``total << smoothing``; score: before the first window.
    Returns:
        int64 ``(N,)``, within 31 bits.
    """
    totals = np.minimum((errors << np.asarray(gains, np.int64)).sum(axis=1), (1 << TOTAL_BITS) - 1)
    scores = np.zeros(len(totals), np.int64)
    for n, total in enumerate(totals.tolist()):
        score = score + total - (score >> smoothing) if follows[n] else 0
        scores[n] = score
    return scores


def decide(config, outputs, raw, follows=None):
    """Decisions of a device that gets the windows in this order.

    Args:
        config: ModelConfig; outputs: int64 ``(N, outputs)`` of the model; raw: int64 ``(N, window, features)``.
        follows: bool ``(N,)``, windows that the device sees as contiguous to the one before, default ``continues``.
    Returns:
        int64 ``(N, words)``: nothing for a forecast, the class, or score and alarm (``DECISIONS``).
    """
    return Decider(config).decide(outputs, raw, continues(raw) if follows is None else follows)


class Decider:
    """Decisions of a device that gets its windows in several parts; what is carried on is that of a device.

    Args:
        config: ModelConfig.
    """

    def __init__(self, config):
        self._config, self._before, self._score = config, None, 0
        settings = config.anomaly
        self._calibration = settings and settings.calibration and Calibration(settings.calibration, settings.level)

    def decide(self, outputs, raw, follows):
        """As the function, of the windows after those of the call before."""
        outputs, settings = np.asarray(outputs), self._config.anomaly
        if self._config.task == "classification":
            return argmax(outputs)[:, None]
        if self._config.task != "anomaly" or not len(outputs):
            return np.zeros((len(outputs), len(DECISIONS[self._config.task])), np.int64)
        found = residuals(outputs, raw, self._config.target_features, settings.shifts, follows, self._before)
        errors, gains = np.abs(found), settings.gains
        if self._calibration:
            errors, gains = self._calibrated(found, follows), 0
        scores = smooth(errors, follows, gains, settings.smoothing, self._score)
        self._before, self._score = np.array(outputs[-1]), int(scores[-1])
        return np.stack([scores, scores > settings.threshold], axis=1).astype(np.int64)

    def _calibrated(self, found, follows):
        errors = np.zeros_like(found)
        for n, residual in enumerate(found):
            if follows[n]:
                errors[n] = self._calibration.take(residual)
            else:
                self._calibration.restart()
        return errors
