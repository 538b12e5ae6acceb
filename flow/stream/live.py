# SPDX-License-Identifier: BSD-2-Clause
"""Rows from a stream of lines, as they arrive."""

import re

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.stream.replay import Replay, horizon_of
from liteformer.train.data.dataset import raw_counts, truth_of
from liteformer.train.data.series import Series


class LiveRows:
    """Windows out of lines of text, one row of physical values per line, separated by commas, semicolons or blanks.

    A first line with names puts the columns into the model's order; the others are ignored. Empty lines are skipped.

    Args:
        model: QuantizedModel. lines: iterable of text.
    """

    def __init__(self, model, lines):
        self._model, self._lines = model, lines
        self._columns = None
        self._rows = []

    def windows(self):
        """Yields ``(window, follows)`` as Replay does, each as soon as its last line has arrived.

        Raises:
            LiteFormerError: a line with another number of values, or a value that is not a number.
        """
        window = self._model.config.window
        for number, line in enumerate(self._lines, 1):
            cells = [cell for cell in re.split(r"[,;\s]+", line.strip()) if cell]
            if cells and not self._header(number, cells):
                self._rows.append(self._row(number, cells))
            else:
                continue
            if len(self._rows) >= window:
                yield self._raw(self._rows[-window:]), len(self._rows) > window

    def _header(self, number, cells):
        """True if this is a line of names."""
        names = self._model.config.feature_names
        if number > 1 or not names or all(_is_number(cell) for cell in cells):
            return False
        missing = [name for name in names if name not in cells]
        if missing:
            raise LiteFormerError(f"standard input has no column {missing[0]!r}; it has: {', '.join(cells)}")
        self._columns = [cells.index(name) for name in names]
        self._count = len(cells)
        return True

    def _row(self, number, cells):
        config = self._model.config
        expected = self._count if self._columns else config.features
        if len(cells) != expected:
            names = f" ({', '.join(config.feature_names)})" if config.feature_names and not self._columns else ""
            raise LiteFormerError(f"line {number} of standard input holds {len(cells)} values; {expected} are needed{names}")
        cells = [cells[column] for column in self._columns] if self._columns else cells
        bad = next((cell for cell in cells if not _is_number(cell)), None)
        if bad is not None:
            raise LiteFormerError(f"line {number} of standard input holds {bad!r}, which is not a number; send whole rows "
                                  "without missing values")
        return [float(cell) for cell in cells]

    def _raw(self, rows):
        return raw_counts(np.array(rows), self._model.config.raw_scale).astype(np.int64)

    def replay(self, count):
        """The first ``count`` windows so far as a Replay; the truth is what arrived later in the stream."""
        config, values = self._model.config, np.array(self._rows)
        horizon, truth = horizon_of(self._model), None
        raw = self._raw(self._rows)
        if config.task != "classification" and config.target_features and horizon:
            targets = values[:, config.target_features[::horizon]]
            series = Series(values=values, names=config.feature_names, targets=targets, target_names=[],
                            follows=np.ones(len(values), bool), horizon=horizon, scaling="standard", boundary=0)
            truth = truth_of(series, config.window)[:count]
        windows = np.lib.stride_tricks.sliding_window_view(raw, config.window, axis=0).transpose(0, 2, 1)[:count]
        return Replay(windows, truth, source="standard input")


def _is_number(cell):
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
