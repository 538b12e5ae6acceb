# SPDX-License-Identifier: BSD-2-Clause
"""Rounding with straight-through gradients, learned step sizes and the searches that calibrate them.

Everything here works on integers held in floating point: a quantized tensor is its integers; its scale is stored separately.
"""

import torch
from torch import nn

from liteformer.accel import numerics


class _RoundClamp(torch.autograd.Function):
    """``clamp(floor(x + 0.5), lo, hi)``; the gradient passes where the clamp is inactive."""

    @staticmethod
    def forward(ctx, x, lo, hi):
        ctx.save_for_backward(x)
        ctx.bounds = lo - 0.5, hi + 0.5
        return torch.add(x, 0.5).floor_().clamp_(lo, hi)

    @staticmethod
    def backward(ctx, grad):
        # One fused pass; a comparison and a product would take three.
        return torch.ops.aten.hardtanh_backward(grad, *ctx.saved_tensors, *ctx.bounds), None, None


class _Fixed(torch.autograd.Function):
    """``clamp(floor(x * one + 0.5), -limit, limit) / one`` as one node of the graph; ``x`` itself where a mask is true."""

    @staticmethod
    def forward(ctx, x, one, limit, mask):
        y = torch.mul(x, one).add_(0.5).floor_()
        bounded = y.clamp(-limit, limit)
        ctx.save_for_backward(y == bounded, mask)
        bounded.div_(one)
        return bounded if mask is None else torch.where(mask, x, bounded)

    @staticmethod
    def backward(ctx, grad):
        inside, mask = ctx.saved_tensors
        return grad * (inside if mask is None else inside | mask), None, None, None


class _Weights(torch.autograd.Function):
    """Integer weights ``clamp(floor(weight / step + 0.5), -largest, largest)`` with the gradients of weight and step."""

    @staticmethod
    def forward(ctx, weight, step, largest):
        ratio = weight / step
        ctx.save_for_backward(ratio, step)
        ctx.bound = largest + 0.5
        return torch.add(ratio, 0.5).floor_().clamp_(-largest, largest)

    @staticmethod
    def backward(ctx, grad):
        ratio, step = ctx.saved_tensors
        inner = torch.ops.aten.hardtanh_backward(grad, ratio, -ctx.bound, ctx.bound).div_(step)
        return inner, -(inner * ratio).sum(dim=1, keepdim=True), None


class _Floor(torch.autograd.Function):
    """``floor(x)``, gradient of the identity."""

    @staticmethod
    def forward(ctx, x):
        return torch.floor(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


class _SoftmaxWeights(torch.autograd.Function):
    """``numerics.softmax``: scores that count in table steps to table entries.

    The gradient is that of ``top * exp(-step * index)``; the row maximum gets none, because the normalised result does not
    depend on it.
    """

    @staticmethod
    def forward(ctx, scores, table, smooth, step):
        index = (scores.amax(dim=-1, keepdim=True) - scores).clamp_(max=len(table) - 1)
        if index.isnan().any():
            # NaN has no entry; it stays, and the loss shows it.
            ctx.mark_non_differentiable(index)
            return index
        index = index.long()
        ctx.save_for_backward(smooth[index])
        ctx.step = step
        return table[index]

    @staticmethod
    def backward(ctx, grad):
        (weights,) = ctx.saved_tensors
        return grad * weights * ctx.step, None, None, None


def round_clamp(x, lo, hi):
    """Nearest integer, halves upwards, clamped to ``[lo, hi]``, straight-through gradient."""
    return _RoundClamp.apply(x, lo, hi)


def fixed(x, one, limit, mask=None):
    """``x`` as fixed-point numbers, straight-through gradient.

    Args:
        one, limit: integer tensors that broadcast with ``x``: multiples of ``1 / one``, up to ``limit / one`` in size.
        mask: bool, where true ``x`` stays as it is; may be None.
    """
    return _Fixed.apply(x, one, limit, mask)


def integer_weights(weight, step, largest):
    """Integers ``-largest .. largest`` of a matrix ``(outputs, inputs)`` with steps ``(outputs, 1)``, straight-through."""
    return _Weights.apply(weight, step, largest)


def floor(x):
    """Largest integer not above ``x``, straight-through gradient."""
    return _Floor.apply(x)


def softmax_weights(scores, table, smooth, step):
    """Unnormalised softmax weights, float ``(..., keys)`` of integers, from ``table[max - score]``.

    Args:
        scores: integers ``(..., keys)``; table: ``numerics.exp_table``; smooth: the same before rounding, for the gradient.
        step: natural-log units of one index.
    """
    return _SoftmaxWeights.apply(scores, table, smooth, step)


class Activation(nn.Module):
    """Learned grid of one tensor: ``value = scale * (integer - zero)``, ``lo <= integer <= hi``.

    Args:
        bits: width; kind: "symmetric" (zero 0), "relu" (zero is the smallest integer, so the clamp is the ReLU) or "affine"
            (zero is learned; it need not be an integer, because only biases contain it).
    """

    def __init__(self, bits, kind):
        super().__init__()
        self.lo, self.hi = numerics.signed_range(bits)
        self.kind = kind
        self.log_scale = nn.Parameter(torch.zeros(()))
        # A number where it is not learned.
        self.zero = nn.Parameter(torch.zeros(())) if kind == "affine" else float(self.lo if kind == "relu" else 0)

    @torch.no_grad()
    def start(self, values):
        """Calibrate scale (and zero) for the least squared error over ``values``, a tensor of any shape."""
        x = values.flatten().double()
        if len(x) > 60000:
            x = x[:: len(x) // 30000]
        shrink = torch.linspace(0.15, 1.05, 91, dtype=x.dtype)
        if self.kind == "symmetric":
            scale = x.abs().max() / self.hi * shrink
            zero = torch.zeros_like(scale)
        else:
            low, high = (torch.zeros((), dtype=x.dtype), x.max()) if self.kind == "relu" else (x.min(), x.max())
            scale = (high - low) / (self.hi - self.lo) * shrink
            centre = torch.zeros_like(scale) if self.kind == "relu" else (low + high) / 2 * torch.ones_like(scale)
            zero = (self.lo + self.hi) / 2 - centre / scale.clamp_min(1e-12) if self.kind == "affine" else torch.full_like(
                scale, self.lo)
        scale = scale.clamp_min(1e-8)
        errors = [((torch.floor(x / s + z + 0.5).clamp(self.lo, self.hi) - z) * s - x).square().mean()
                  for s, z in zip(scale, zero)]
        best = int(torch.stack(errors).argmin())
        self.log_scale.fill_(scale[best].log())
        if self.kind == "affine":
            self.zero.fill_(zero[best])

    @torch.no_grad()
    def coarsen(self, scale):
        """Raise the scale to at least ``scale``."""
        self.log_scale.clamp_(min=float(scale.log()))


def best_steps(weight, largest):
    """Step size of every row of least squared error, float ``(rows, 1)``.

    Args:
        weight: ``(rows, columns)``; largest: largest integer, the grid is ``-largest .. largest``.
    """
    peak = weight.abs().amax(dim=1, keepdim=True).clamp_min(1e-8) / largest
    steps = peak * torch.linspace(0.3, 1.1, 81, dtype=weight.dtype)
    error = torch.stack([((weight / s).round().clamp(-largest, largest) * s - weight).square().sum(dim=1)
                         for s in steps.T[:, :, None]])
    return steps.gather(1, error.argmin(dim=0)[:, None])
