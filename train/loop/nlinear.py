# SPDX-License-Identifier: BSD-2-Clause
"""NLinear: a linear map of the window relative to its last row, added to the last value (arXiv 2205.13504).

The last row is subtracted from all features, and all features enter the map, not the target's alone.
"""

import torch
from torch import nn

from liteformer.train.loop.normalised import Normalised


class NLinear(Normalised):
    """Raw counts in, normalised forecasts out.

    Args:
        dataset: Dataset whose targets are features; seed: of the weights.
    """

    def __init__(self, dataset, seed):
        super().__init__(dataset)
        inputs, outputs = dataset.window * len(dataset.feature_names), len(dataset.target_names)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.map = nn.Linear(inputs, outputs)
        self.columns = list(dataset.target_features)
        # Normalised last value of a target in units of the normalised output; a difference needs none.
        unit = dataset.raw_scale[self.columns] * dataset.target_scale
        zero = (dataset.raw_offset[self.columns] - dataset.target_mean) / dataset.target_scale
        keep = not dataset.persistence
        self.register_buffer("gain", torch.as_tensor(keep * dataset.scale[self.columns] / unit, dtype=torch.float32))
        self.register_buffer("offset", torch.as_tensor(keep * (dataset.shift[self.columns] / unit + zero), dtype=torch.float32))

    def forward(self, raw):
        """float ``(batch, window, features)`` to ``(batch, outputs)``."""
        x = self.inputs(raw)
        return self.map((x - x[:, -1:]).flatten(1)) + x[:, -1, self.columns] * self.gain + self.offset
