# SPDX-License-Identifier: BSD-2-Clause
"""Rows from a stream of lines, as they arrive."""

import numpy as np

from liteformer.flow.stream.lines import SOURCE, Rows
from liteformer.flow.stream.replay import Replay, horizon_of
from liteformer.train.data.dataset import raw_counts, truth_of
from liteformer.train.data.series import Series


class LiveRows:
    """Windows out of lines of text, one row of physical values per line; ``lines.Rows`` reads them.

    No window holds a row with a missing value, as in a file.

    Args:
        model: QuantizedModel. lines: iterable of text.
    """

    def __init__(self, model, lines):
        self._model, self._source = model, Rows(model.config, lines)
        self._rows, self._starts = [], []

    def windows(self):
        """Yields ``(window, follows)`` as Replay does, each as soon as its last line has arrived.

        Raises:
            LiteFormerError: as Rows.
        """
        window, length = self._model.config.window, 0
        for row in self._source:
            self._rows.append(row)
            length = 0 if np.isnan(row).any() else length + 1
            if length >= window:
                self._starts.append(len(self._rows) - window)
                yield self._raw(self._rows[-window:]), length > window

    def _raw(self, rows):
        return raw_counts(np.array(rows), self._model.config.raw_scale).astype(np.int64)

    def replay(self, count):
        """The first ``count`` windows so far as a Replay; the truth is what arrived later in the stream."""
        config, values = self._model.config, np.array(self._rows)
        horizon, truth, starts = horizon_of(self._model), None, self._starts[:count]
        left_out = len(self._rows) - config.window + 1 - len(self._starts)
        raw = self._raw(self._rows)
        if config.task != "classification" and config.target_features and horizon:
            targets = values[:, config.target_features[::horizon]]
            series = Series(values=values, names=config.feature_names, targets=targets, target_names=[],
                            follows=np.ones(len(values), bool), horizon=horizon, scaling="standard", boundary=0)
            truth = truth_of(series, config.window)[starts]
        windows = np.lib.stride_tricks.sliding_window_view(raw, config.window, axis=0).transpose(0, 2, 1)[starts]
        return Replay(windows, truth, source=SOURCE, left_out=left_out)

