# SPDX-License-Identifier: BSD-2-Clause
"""The MLP baseline of a forecast, with as many parameters as the Transformer."""

import torch
from torch import nn

from liteformer.train.loop.normalised import Normalised


class Perceptron(Normalised):
    """One hidden layer of ReLUs over the flattened window; raw counts in, normalised forecasts out.

    Args:
        dataset: Dataset; parameters: their approximate number; seed: of its weights.
    """

    def __init__(self, dataset, parameters, seed):
        super().__init__(dataset)
        inputs, outputs = dataset.window * len(dataset.feature_names), len(dataset.target_names)
        width = max(1, round((parameters - outputs) / (inputs + 1 + outputs)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, raw):
        """float ``(batch, window, features)`` to ``(batch, outputs)``."""
        return self.body(self.inputs(raw))
