# SPDX-License-Identifier: BSD-2-Clause
"""Rows from a stream of lines, as they arrive; the stream may be endless."""

from collections import deque

import numpy as np

from liteformer.flow.stream.lines import SOURCE, Rows
from liteformer.flow.stream.replay import Window, horizon_of


class LiveRows:
    """Windows out of lines of text, one row of physical values per line; ``lines.Rows`` reads them.

    No window holds a row with a missing value, as in a file. Held are the rows of one window and the truths that still wait for
    rows.

    Args:
        model: QuantizedModel. lines: iterable of text. rules: Rules of the user, or None.
    Attributes:
        delay: windows after which the truth of one is complete; unit, source, left_out, notes: as of a Replay.
    """

    unit, source = "", SOURCE

    def __init__(self, model, lines, rules=None):
        config, horizon = model.config, horizon_of(model)
        self._model, self._rows = model, Rows(config, lines, model.provenance.get("reader"), rules)
        self._count = self._windows = 0
        known = config.task != "classification" and config.target_features and horizon
        self.delay = horizon if known else 0
        self._targets = config.target_features[::horizon] if known else []
        self._waiting = deque(maxlen=self.delay)

    def windows(self):
        """Yields each as a Window as soon as its last line has arrived; its truth is filled by what arrives later.

        Raises:
            LiteFormerError: as Rows.
        """
        config, length = self._model.config, 0
        held = deque(maxlen=config.window)
        for row in self._rows:
            self._count += 1
            self._arrived(row)
            length = 0 if np.isnan(row).any() else length + 1
            held.append(config.counts(row))
            if length >= config.window:
                self._windows += 1
                yield Window(np.array(held, np.int64), length > config.window, self._truth())

    def _truth(self):
        """NaN for every target and step, float64 ``(outputs,)``, to be filled; None if the stream does not hold them."""
        if not self.delay:
            return None
        truth = np.full((len(self._targets), self.delay), np.nan)
        self._waiting.append((self._count, truth))
        return truth.reshape(-1)

    def _arrived(self, row):
        for last, truth in self._waiting:
            step = self._count - last
            if step <= self.delay:
                truth[:, step - 1] = row[self._targets]

    @property
    def left_out(self):
        """Windows so far with a missing value."""
        return max(self._count - self._model.config.window + 1, 0) - self._windows

    @property
    def notes(self):
        """Sentences on what was left out."""
        empty = self._rows.empty
        return self._rows.notes + (
            [f"{empty} of {self._count} rows of {SOURCE} have an empty cell; they are in no window"] if empty else [])
