# SPDX-License-Identifier: BSD-2-Clause
"""Windows of a running series for a device on any link: only new rows are sent, and lost replies are recovered."""

from dataclasses import dataclass

import numpy as np

from liteformer.accel.decision import continues
from liteformer.accel.errors import LiteFormerError

REBUILDS = 5  # Times that a window is sent again before the line is given up.


class LostReply(LiteFormerError):
    """The reply to a push or to an inference is missing; it is not known whether the device has taken the rows."""


@dataclass(frozen=True)
class Answers:
    """Of N windows: ``outputs`` int64 ``(N, outputs)``, ``decisions`` int64 ``(N, words)`` as in ``accel.decision.decide``,
    cycle counts int64 ``(N,)``; ``follows`` bool ``(N,)``, windows that the device saw as contiguous to the one before.
    """

    outputs: np.ndarray
    decisions: np.ndarray
    accelerator_cycles: np.ndarray
    end_to_end_cycles: np.ndarray
    follows: np.ndarray


class WindowStream:
    """Sends windows to a device; keeps the last Result only, so that a stream may be endless.

    A request whose reply is lost must not be executed twice, or a row would be in the window twice. ``result`` shows whether
    it was executed, by a Result that differs from the last one; otherwise the whole window is sent again after a reset.
    An anomaly score then restarts, as ``follows`` shows.

    Args:
        client: protocol.Client, or another with its ``task``, ``reset``, ``infer`` and ``result``.
    Attributes:
        last: protocol.Result of the last window, or None; followed: that window was contiguous for the device; lost: replies
            that were lost.
    """

    def __init__(self, client):
        self.last, self.followed, self.lost = None, False, 0
        self._client = client

    def infer(self, window, follows=False):
        """Run one window.

        Args:
            window: raw integers ``(window, features)``; follows: it is contiguous: the one before, moved on by one row.
        Returns:
            protocol.Result.
        Raises:
            LiteFormerError: the device answers with an error or stops answering.
        """
        follows = bool(follows and self.last is not None)
        if not follows and self._client.task == "anomaly":
            self._client.reset()
        try:
            result = self._client.infer(window[-1:] if follows else window)
        except LostReply:
            self.lost += 1
            result = self._executed()
            if result is None:
                result, follows = self._rebuild(window), False
        self.last, self.followed = result, follows
        return result

    def _executed(self):
        """The Result of the inference whose reply was lost, None if it may not have been executed."""
        if self.last is None:
            return None
        try:
            result = self._client.result()
        except LiteFormerError:
            # Also after a reset of the device; the next request detects a dead line.
            return None
        return None if _same(result, self.last) else result

    def _rebuild(self, window):
        for _ in range(REBUILDS - 1):
            self._client.reset()
            try:
                return self._client.infer(window)
            except LostReply:
                self.lost += 1
        self._client.reset()
        return self._client.infer(window)


def _same(one, other):
    return (np.array_equal(one.outputs, other.outputs) and np.array_equal(one.decision, other.decision)
            and (one.accelerator_cycles, one.end_to_end_cycles) == (other.accelerator_cycles, other.end_to_end_cycles))


def infer_windows(client, raw, progress=None, streaming=True):
    """Run windows through a device, from a reset on.

    Args:
        client: as of WindowStream. raw: integers ``(N, window, features)`` within int32.
        progress: callable(windows done) or None.
        streaming: push only the newest row of a window that continues the one before it; needed for anomalies, whose
            score restarts wherever a whole window is pushed.
    Returns:
        Answers.
    Raises:
        LiteFormerError: the device answers with an error or not at all.
    """
    client.reset()
    stream, results, followed = WindowStream(client), [], []
    for index, (window, follows) in enumerate(zip(raw, continues(raw) & streaming)):
        results.append(stream.infer(window, follows))
        followed.append(stream.followed)
        if progress is not None:
            progress(index + 1)
    count = len(results)
    return Answers(
        outputs=np.array([result.outputs for result in results], np.int64).reshape(count, -1),
        decisions=np.array([result.decision for result in results], np.int64).reshape(count, -1),
        accelerator_cycles=np.array([result.accelerator_cycles for result in results], np.int64),
        end_to_end_cycles=np.array([result.end_to_end_cycles for result in results], np.int64),
        follows=np.array(followed, bool))
