# SPDX-License-Identifier: BSD-2-Clause
"""The float Transformer: the paper's encoder, with a choice of pooling (readout)."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from liteformer.accel.golden import patches
from liteformer.accel.model import count_tokens

MOMENTUM = 0.02  # Running statistics average about 100 batches: with PyTorch's 0.1 their noise alone moves the validation loss.


def sinusoids(tokens, d_model):
    """Sinusoidal positional encoding, float32 ``(tokens, d_model)``: sines in even channels, cosines in odd ones."""
    rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    angle = torch.arange(tokens)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model].contiguous()


class Encoder(nn.Module):
    """Self-attention and feed-forward, each followed by residual and BatchNorm over the channels."""

    def __init__(self, d_model, heads, ffn):
        super().__init__()
        self.heads = heads
        for name in ("query", "key", "value", "project"):
            setattr(self, name, nn.Linear(d_model, d_model))
        self.expand, self.contract = nn.Linear(d_model, ffn), nn.Linear(ffn, d_model)
        self.norm1, self.norm2 = (nn.BatchNorm1d(d_model, momentum=MOMENTUM) for _ in range(2))

    def forward(self, hidden, rows, keep):
        """Args:
            hidden: float ``(batch, tokens, d)``; rows: the tokens of it to compute, ``(batch, t, d)``.
            keep: ``keep(name, tensor)`` is called with every intermediate tensor.
        Returns:
            float ``(batch, t, d)``.
        """
        query, key, value = self.query(rows), self.key(hidden), self.value(hidden)
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (query, key, value))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        context = (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)
        attended = _normalise(self.norm1, rows + self.project(context))
        expanded = F.relu(self.expand(attended))
        out = _normalise(self.norm2, attended + self.contract(expanded))
        for name, tensor in (("query", query), ("key", key), ("value", value), ("context", context),
                             ("attended", attended), ("expanded", expanded), ("hidden", out)):
            keep(name, tensor)
        return out


def _normalise(norm, x):
    return norm(x.flatten(0, 1)).view_as(x)


class Transformer(nn.Module):
    """Windows to normalised forecasts.

    Args:
        features, outputs, window, patch, stride, d_model, heads, layers, ffn: sizes, as of ModelConfig; readout: "last" or
            "mean".
        shift, scale: float ``(features,)``, the input is ``(raw - shift) / scale``; low, high: range outside which raw counts
            saturate, as at the integer model's input, or None.
    """

    def __init__(self, *, features, outputs, window, patch, stride, d_model, heads, layers, ffn, readout, shift, scale,
                 low=None, high=None):
        super().__init__()
        self.readout, self.patch, self.stride = readout, patch, stride
        self.embed = nn.Linear(patch * features, d_model)
        self.layers = nn.ModuleList(Encoder(d_model, heads, ffn) for _ in range(layers))
        self.head = nn.Linear(d_model, outputs)
        self.register_buffer("position", sinusoids(count_tokens(window, patch, stride), d_model))
        self.register_buffer("shift", torch.as_tensor(shift, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))
        for name, limit in (("low", low), ("high", high)):
            # Of the data, not learned: no part of a file of weights.
            self.register_buffer(name, None if limit is None else torch.as_tensor(limit, dtype=torch.float32), persistent=False)

    def forward(self, raw, trace=None):
        """Args:
            raw: float ``(batch, window, features)``, raw counts; trace: optional dict, receives intermediate tensors.
        Returns:
            float ``(batch, outputs)``, normalised by target_mean and target_scale of the data set.
        """
        keep = (lambda name, tensor: None) if trace is None else trace.__setitem__
        if self.low is not None:
            raw = raw.clamp(self.low, self.high)
        hidden = self.embed(patches((raw - self.shift) / self.scale, self.patch, self.stride)) + self.position
        keep("hidden", hidden)
        for index, layer in enumerate(self.layers):
            last = self.readout == "last" and index == len(self.layers) - 1
            hidden = layer(hidden, hidden[:, -1:] if last else hidden,
                           lambda name, tensor, index=index: keep(f"layers.{index}.{name}", tensor))
        return self.head(hidden.mean(dim=1))


def build(options, dataset):
    """Transformer of a run, seeded by ``options.seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        return Transformer(
            features=len(dataset.feature_names), outputs=len(dataset.target_names), window=options.window,
            patch=options.patch, stride=options.stride, d_model=options.d_model, heads=options.heads,
            layers=options.layers, ffn=options.ffn_size,
            readout=options.readout, shift=dataset.shift, scale=dataset.scale,
            **({"low": dataset.raw_low, "high": dataset.raw_high} if dataset.saturates else {}))
