# SPDX-License-Identifier: BSD-2-Clause
"""What is kept of a run: counters over all windows, and the first windows for lists and pictures."""

from dataclasses import dataclass

import numpy as np

from liteformer.accel import golden
from liteformer.accel.decision import Decider

BLOCK = 256             # Windows that are compared at once, at most: one by one the golden model takes seven times as long.
BLOCK_VALUES = 1 << 22  # Samples of a block, at most.
LISTED = 4096           # Windows of a stream that are listed and drawn; a picture shows fewer.


@dataclass(frozen=True)
class Listed:
    """The first N windows: ``forecasts`` float64 ``(N, outputs)``, ``truth`` likewise or None, ``decisions`` int64
    ``(N, words)``, ``labels`` int64 ``(N,)`` or None, as in a Replay."""

    forecasts: np.ndarray
    truth: np.ndarray | None
    decisions: np.ndarray
    labels: np.ndarray | None


class Tally:
    """Compares a device's answers with the golden model and with the truth, block by block.

    Args:
        model: QuantizedModel. limit: windows to list, None for all. delay: windows after which a truth is complete.
    Attributes:
        windows, mismatches: counts; mismatches is of numbers that differ: outputs, class, score, alarm.
        accelerator, end_to_end: cycles of the slowest window.
    """

    def __init__(self, model, limit=None, delay=0):
        self.windows = self.mismatches = self.accelerator = self.end_to_end = 0
        self._model, self._limit, self._delay = model, limit, delay
        config = model.config
        self._block = int(np.clip(BLOCK_VALUES // (config.window * config.features), 1, BLOCK))
        self._waiting, self._parts, self._squares = [], [], {}
        self._wanted, self._host = Decider(config), Decider(config)

    def add(self, window, result, followed):
        """Take in a window.

        Args:
            window: replay.Window; result: protocol.Result; followed: the device saw it as contiguous.
        """
        self.windows += 1
        self.accelerator = max(self.accelerator, result.accelerator_cycles)
        self.end_to_end = max(self.end_to_end, result.end_to_end_cycles)
        self._waiting.append((window, result, followed))
        if len(self._waiting) >= self._block + self._delay:
            self._compare(self._block)

    def close(self):
        """Compare what still waits."""
        while self._waiting:
            self._compare(self._block)

    def listed(self):
        """The first windows as Listed."""
        def joined(index):
            return None if self._parts[0][index] is None else np.concatenate([part[index] for part in self._parts])
        return Listed(*map(joined, range(4)))

    def rmse(self):
        """dict "device", "persistence" -> float, None where nothing is known."""
        return {name: _root(total.sum(), count.sum()) for name, (total, count) in self._known().items()}

    def rmse_by_step(self, horizon):
        """dict "device", "persistence" -> list of a float for each step ahead, None where nothing is known."""
        return {name: [_root(*step) for step in zip(*(part.reshape(-1, horizon).sum(axis=0) for part in parts))]
                for name, parts in self._known().items()}

    def _known(self):
        """dict "device", "persistence" -> sum of the squared errors and their count, by output."""
        return dict.fromkeys(("device", "persistence"), (np.zeros(self._model.config.outputs),) * 2) | self._squares

    def _compare(self, count):
        config, part = self._model.config, self._waiting[:count]
        raw = np.stack([window.raw for window, *_ in part])
        outputs = np.array([result.outputs for _, result, _ in part], np.int64)
        follows = np.array([followed for *_, followed in part], bool)
        expected = golden.infer(self._model, raw)
        wanted, decisions = self._wanted.decide(expected, raw, follows), self._host.decide(outputs, raw, follows)
        answered = np.array([result.decision for _, result, _ in part], np.int64).reshape(len(part), -1)
        on_device = answered.shape == wanted.shape
        decisions = answered if on_device else decisions
        forecasts = config.physical(outputs)
        truth, labels = (None if getattr(part[0][0], name) is None else np.array([getattr(window, name) for window, *_ in part])
                         for name in ("truth", "label"))
        predicted = {"device": forecasts}
        if len(config.target_features) == config.outputs:
            columns = np.array(config.target_features)
            predicted["persistence"] = raw[:, -1, columns] / np.asarray(config.raw_scale)[columns]
            if config.raw_offset:
                predicted["persistence"] = predicted["persistence"] + np.asarray(config.raw_offset)[columns]
        squares = {} if truth is None else {name: _add(self._squares.get(name, (0, 0)), np.square(values - truth))
                                            for name, values in predicted.items()}
        room = len(part) if self._limit is None else self._limit - sum(len(listed[0]) for listed in self._parts)
        differ = np.count_nonzero(outputs != expected) + on_device * np.count_nonzero(decisions != wanted)
        # From here on nothing takes time, so that Ctrl-C leaves whole blocks.
        self.mismatches += int(differ)
        self._squares = squares
        if room > 0:
            self._parts.append([None if values is None else values[:room] for values in (forecasts, truth, decisions, labels)])
        del self._waiting[:count]


def _add(before, squares):
    """``(sum, count)`` by output, with the squares that are not NaN added."""
    return before[0] + np.nansum(squares, axis=0), before[1] + np.count_nonzero(~np.isnan(squares), axis=0)


def _root(total, count):
    """Root of the mean, None of nothing."""
    return float(np.sqrt(total / count)) if count else None
