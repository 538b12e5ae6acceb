# SPDX-License-Identifier: BSD-2-Clause
"""The constants of all layers, computed together, against the same layer by layer: outputs and gradients."""

import math

import pytest
import torch
from torch.nn import functional as F

from liteformer.accel import numerics
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop import model as float_model
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.trainer import Windows
from liteformer.train.quant.qat import QuantTransformer
from liteformer.train.quant.quantizers import floor, integer_weights, round_clamp, softmax_weights

ONE = 1 << numerics.SHIFT
SHAPES = [{"readout": "last"}, {"readout": "mean", "heads": 2, "layers": 2},
          {"bits_of": {"ffn": 3, "layers.0.value": 6, "head": 5}, "layers": 2}, {"skip": "persistence", "bits": 8}]


def rounded(x, one, bits):
    return round_clamp(x * one, -numerics.signed_range(bits)[1], numerics.signed_range(bits)[1]) / one


class Plain:
    """Forward pass of a QuantTransformer with one layer after the other; ``fault`` is added to the scale of every residual."""

    def __init__(self, quantized, fault=0.0):
        self.model, self.fault = quantized, fault

    def linear(self, layer, x, source, out, residual=None, residual_grid=(None, None)):
        """``source``, ``residual_grid``: scale and zero; ``out``: scale, zero, lo, hi."""
        step = layer.log_step.exp()
        weight = integer_weights(layer.scaled(), step, layer.largest)
        zero = torch.as_tensor(source[1], dtype=x.dtype).expand(weight.shape[1])
        live = layer.live and layer.training
        gain, shift = (None, None) if live else layer.affine()
        gain, shift = (1.0, 0.0) if gain is None else (gain, shift)
        ratio = gain * step[:, 0] * source[0]
        offset = gain * layer.bias + shift - ratio * (weight @ zero)
        carry = gain * (residual_grid[0] + self.fault) if residual is not None else 0.0
        if residual is not None:
            offset = offset - carry * residual_grid[1]
        scale, out_zero, lo, hi = out
        if live:
            y = (F.linear(x, weight) * ratio + offset + residual * carry).flatten(0, -2)
            y = (y - y.mean(0)) / (y.var(0, unbiased=False) + layer.norm.eps).sqrt() * layer.norm.weight + layer.norm.bias
            return round_clamp(y / scale + out_zero, lo, hi).view(*x.shape[:-1], -1)
        y = F.linear(x, weight) * rounded(ratio / scale, ONE, layer.multiplier_bits)
        y = y + rounded(offset / scale + out_zero, 1 << numerics.OFFSET_SHIFT, numerics.OFFSET_BITS)
        if residual is not None:
            y = y + residual * rounded(carry / scale, 1 << (numerics.SHIFT - numerics.RESIDUAL_SHIFT), numerics.RESIDUAL_BITS)
        return round_clamp(y, lo, hi)

    @staticmethod
    def grid(activation):
        return activation.log_scale.exp(), activation.zero, activation.lo, activation.hi

    def encode(self, layer, x, rows, source):
        g = {name: self.grid(activation) for name, activation in layer.grids.items()}
        query, key, value = (self.linear(part, tokens, source, g[name]) for name, part, tokens in (
            ("query", layer.query, rows), ("key", layer.key, x), ("value", layer.value, x)))
        q, k, v = (tensor.unflatten(-1, (layer.heads, -1)).transpose(1, 2) for tensor in (query, key, value))
        softmax, limit = self.model.softmax(), numerics.signed_range(numerics.MULTIPLIER_BITS)[1]
        multiplier = round_clamp(g["query"][0] * g["key"][0] * ONE / (math.sqrt(layer.head_dim) * softmax["step"]), 1,
                                 layer.score_limit)
        scores = round_clamp(q @ k.transpose(-1, -2) * multiplier / ONE, *numerics.signed_range(numerics.SCORE_BITS))
        weights = softmax_weights(scores, **softmax)
        rate = floor(round_clamp(g["value"][0] / g["context"][0] * ONE, 1, limit) / weights.sum(-1, keepdim=True))
        context = round_clamp(weights @ v * (rate / ONE), *g["context"][2:]).transpose(1, 2).flatten(2)
        attended = self.linear(layer.project, context, g["context"], g["attended"], rows, source)
        expanded = self.linear(layer.expand, attended, g["attended"], g["expanded"])
        return self.linear(layer.contract, expanded, g["expanded"], g["hidden"], attended, g["attended"]), g["hidden"]

    def __call__(self, x):
        model, grid = self.model, self.grid(self.model.hidden)
        scale = model.position_log_step.exp()
        position = round_clamp(model.position / scale, model.position_lo, model.position_hi)
        x = self.linear(model.embed, x, (1.0, model.input_zero), grid, position, (scale, 0.0))
        for layer in model.layers:
            last = model.config.readout == "last" and layer is model.layers[-1]
            x, grid = self.encode(layer, x, x[:, -1:] if last else x, grid)
        source = grid[0] / model.tokens, grid[1] * model.tokens
        out = self.linear(model.head, x.sum(dim=1), source, (1.0, 0.0, model.output.lo, model.output.hi))
        return (out / model.output_scale - model.target_mean) / model.target_scale


def gradients(quantized, forward, x, goal):
    """Loss and gradients by name."""
    quantized.zero_grad()
    loss = (forward(x) - goal).square().mean()
    loss.backward()
    return {"loss": loss.detach()} | {name: parameter.grad.clone() for name, parameter in quantized.named_parameters()
                                      if parameter.grad is not None}


def furthest(ours, theirs):
    """Largest distance of two gradients, relative to the larger of their own size and a thousandth of the largest of all."""
    assert set(ours) == set(theirs)
    floor_size = max(float(value.norm()) for value in theirs.values()) / 1000
    return max(float((ours[name] - value).norm()) / max(float(value.norm()), floor_size) for name, value in theirs.items())


@pytest.mark.parametrize("live", [True, False], ids=["live", "settled"])
@pytest.mark.parametrize("values", SHAPES, ids=str)
def test_equal_those_of_single_layers(values, live):
    options = TrainOptions(**{"window": 6, "d_model": 8, "bits": 4} | values)
    dataset = load_dataset(options)
    network, starts = float_model.build(options, dataset), torch.as_tensor(dataset.train)
    raw = torch.as_tensor(dataset.windows(dataset.train[:300]), dtype=torch.float32)
    quantized = QuantTransformer(network, options, dataset, raw).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in quantized.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
            parameter.add_(0.02 * noise * parameter.abs().clamp_min(0.1))
    data = Windows(torch.as_tensor(quantized.quantize_input(dataset.raw), dtype=torch.float64), dataset)
    if not live:
        quantized.settle(data.batch(part)[0] for part in starts[:512].split(256))
    quantized.train()
    x, goal = data.batch(starts[:64])
    together = gradients(quantized, quantized, x, goal)
    assert furthest(together, gradients(quantized, Plain(quantized), x, goal)) < 1e-6
    assert furthest(together, gradients(quantized, Plain(quantized, fault=0.02), x, goal)) > 1e-3


def test_gains_stay_within_the_multipliers():
    """A channel that hardly varies has a large gain; with its statistics it must still fit the residual's multiplier."""
    options = TrainOptions(window=6, d_model=8, bits=8)
    dataset = load_dataset(options)
    raw = torch.as_tensor(dataset.windows(dataset.train[:300]), dtype=torch.float32)
    quantized = QuantTransformer(float_model.build(options, dataset), options, dataset, raw).double().eval()
    layer, limit = quantized.layers[0].project, numerics.signed_range(numerics.RESIDUAL_BITS)[1]
    limit /= 1 << (numerics.SHIFT - numerics.RESIDUAL_SHIFT)

    def carried():
        ratio = quantized.hidden.log_scale.exp() / quantized.layers[0].grids["attended"].log_scale.exp()
        return (layer.affine()[0] * ratio).detach()

    with torch.no_grad():
        layer.norm.weight[2:] *= 0.5 / carried()[2:].abs()
    before = layer.norm.weight.detach().clone()
    quantized.constants.constrain()
    assert torch.equal(layer.norm.weight[2:], before[2:])
    with torch.no_grad():
        layer.norm.weight[0], layer.norm.weight[1], layer.norm.running_var[1] = 1e4, -1.0, 1e-12
    assert all(carried()[:2].abs() > 2 * limit)
    quantized.constants.constrain()
    assert carried()[0] > 0 > carried()[1] and all(carried().abs() <= limit * (1 + 1e-9))
