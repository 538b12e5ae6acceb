# SPDX-License-Identifier: BSD-2-Clause
"""What a device learns about the residuals of an anomaly model after a restart, before it scores: their mean and spread.

The same integers as in ``liteformer_anomaly_update`` of ``sw/decision.c``.
"""

import numpy as np

MAX_CALIBRATION = 8     # Log2 of the samples of each of both parts.
LARGEST = (1 << 16) - 1  # A residual, and its distance from the mean, saturate to it.
MAX_GAIN = 7            # Largest left shift of an error.


class Calibration:
    """The residuals of a stretch of samples, one by one.

    The first ``1 << calibration`` samples give the mean residual of every target, as many after them the sum of the distances
    from it, and this sum the left shift: the largest that does not bring it above ``level``. From then on the error of a target
    is the distance of its residual from the mean, shifted.

    Args:
        calibration: log2 of the samples of each part; level: sum of distances that needs no shift.
    Attributes:
        seen: samples of the stretch, at most those of both parts; gains: int64 ``(targets,)``, None before they are known.
    """

    def __init__(self, calibration, level):
        self._calibration, self._level = calibration, level
        self.restart()

    def restart(self):
        """Forget everything: the next sample is the first of a stretch."""
        self.seen, self.gains, self._mean, self._spread = 0, None, 0, 0

    @property
    def done(self):
        """Whether the samples from the next one on are scored."""
        return self.seen == 2 << self._calibration

    def take(self, residual):
        """Errors of a sample.

        Args:
            residual: int64 ``(targets,)``, forecast minus what arrived, within ``LARGEST`` on both sides.
        Returns:
            int64 ``(targets,)``, shifted; 0 while it calibrates.
        """
        part = 1 << self._calibration
        if self.seen < part:
            self._mean = self._mean + residual
            if self.seen + 1 == part:
                self._mean = self._mean >> self._calibration
            self.seen += 1
            return np.zeros_like(residual)
        distance = np.minimum(np.abs(residual - self._mean), LARGEST)
        if not self.done:
            self._spread = self._spread + distance
            self.seen += 1
            if self.done:
                self.gains = sum(np.int64(self._spread <= self._level >> shift) for shift in range(1, MAX_GAIN + 1))
            return np.zeros_like(residual)
        return distance << self.gains


def scored(residuals, follows, calibration, level):
    """Errors of samples that a device gets in this order.

    Args:
        residuals: int64 ``(N, targets)``; follows: bool ``(N,)``, contiguous samples; calibration, level: as of Calibration.
    Returns:
        ``(errors, done)``: int64 ``(N, targets)``; bool ``(N,)``, samples that are scored.
    """
    state, errors, done = Calibration(calibration, level), np.zeros_like(residuals), np.zeros(len(residuals), bool)
    for n, residual in enumerate(residuals):
        if follows[n]:
            done[n] = state.done
            errors[n] = state.take(residual)
        else:
            state.restart()
    return errors, done
