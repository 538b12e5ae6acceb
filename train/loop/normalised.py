# SPDX-License-Identifier: BSD-2-Clause
"""What the network of every baseline begins with: raw counts to the float model's inputs."""

import torch
from torch import nn


class Normalised(nn.Module):
    """Raw counts in, as for the Transformer.

    Args:
        dataset: Dataset.
    """

    def __init__(self, dataset):
        super().__init__()
        self.register_buffer("shift", torch.as_tensor(dataset.shift, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(dataset.scale, dtype=torch.float32))
        self.limits = [torch.as_tensor(limit, dtype=torch.float32) for limit in (dataset.raw_low, dataset.raw_high)]
        self.limits = self.limits if dataset.saturates else None

    def inputs(self, raw):
        """float ``(batch, window, features)``, both raw and normalised."""
        raw = raw if self.limits is None else raw.clamp(*self.limits)
        return (raw - self.shift) / self.scale
