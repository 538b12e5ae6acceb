# SPDX-License-Identifier: BSD-2-Clause
"""The GRU baseline of a forecast, with as many parameters as the Transformer."""

import math

import torch
from torch import nn

from liteformer.train.loop.normalised import Normalised


class Recurrent(Normalised):
    """One layer of gated recurrent units, a linear map of its last state; raw counts in, normalised forecasts out.

    Args:
        dataset: Dataset; parameters: their approximate number; seed: of its weights.
    """

    def __init__(self, dataset, parameters, seed):
        super().__init__(dataset)
        features, outputs = len(dataset.feature_names), len(dataset.target_names)
        # 3 h (h + features + 2) + (h + 1) outputs parameters.
        linear = 3 * (features + 2) + outputs
        width = max(1, round((math.sqrt(linear * linear + 12 * max(parameters - outputs, 0)) - linear) / 6))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body, self.head = nn.GRU(features, width, batch_first=True), nn.Linear(width, outputs)

    def forward(self, raw):
        """float ``(batch, window, features)`` to ``(batch, outputs)``."""
        return self.head(self.body(self.inputs(raw))[0][:, -1])
