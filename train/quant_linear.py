"""A quantized linear layer: integer weights and the requantizer behind them."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from liteformer.accel import numerics
from liteformer.train.quantizers import best_steps, fixed, integer_weights, round_clamp

ONE = 1 << numerics.SHIFT
RESIDUAL_ONE = 1 << (numerics.SHIFT - numerics.RESIDUAL_SHIFT)
OFFSET_ONE = 1 << numerics.OFFSET_SHIFT


class QuantLinear(nn.Module):
    """A linear layer as integer weights, multiplier, offset and residual multiplier per output channel.

    Args:
        linear: nn.Linear to start from; bits: of its weights; norm: the BatchNorm behind it, folded with its running
            statistics; columns: float ``(inputs,)``, scale of every input, None for a common one.
        multiplier_bits: width that the multipliers may take.

    While training with a norm, ``live`` means that statistics are those of the batch, as in the float model.
    """

    def __init__(self, linear, bits, multiplier_bits, norm=None, columns=None):
        super().__init__()
        self.largest, self.multiplier_bits = numerics.signed_range(bits)[1], multiplier_bits
        self.weight = nn.Parameter(linear.weight.detach().clone())
        self.bias = nn.Parameter(linear.bias.detach().clone())
        self.register_buffer("columns", None if columns is None else torch.as_tensor(columns, dtype=self.weight.dtype))
        self.log_step = nn.Parameter(best_steps(self.scaled().detach(), self.largest).log())
        self.norm = copy.deepcopy(norm)
        self.live = norm is not None
        # Set where something else than a BatchNorm follows; None is 1 and 0 without the arithmetic.
        self.register_buffer("gain", None)
        self.register_buffer("shift", None)

    def affine(self):
        """Factor and summand behind the linear layer, ``(outputs,)`` or None: the BatchNorm with its running statistics."""
        if self.norm is None:
            return self.gain, self.shift
        gain = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        return gain, self.norm.bias - gain * self.norm.running_mean

    def scaled(self):
        """Weights with the scales of the inputs, ``(outputs, inputs)``: what is divided by the step and rounded."""
        return self.weight if self.columns is None else self.weight * self.columns

    def quantized(self):
        """``(step (outputs, 1), integer weights (outputs, inputs))``."""
        step = self.log_step.exp()
        return step, integer_weights(self.scaled(), step, self.largest)

    def constants(self, source, out, residual=None):
        """What is exported: integer weights, and fixed-point numbers that the export turns into integers.

        Args:
            source, out, residual: Grid of the input, the output and the residual input.
        Returns:
            ``(weight (outputs, inputs), multiplier, offset, residual multiplier or None)``, the last three ``(outputs,)``,
            multiples of 1 / ONE, 1 / OFFSET_ONE and 1 / RESIDUAL_ONE in steps of the output.
        """
        gain, shift = self.affine()
        step, weight = self.quantized()
        ratio, offset = step[:, 0] * source.scale, self.bias
        if gain is not None:
            ratio, offset = gain * ratio, torch.addcmul(shift, gain, offset)
        offset = _without_zero(offset, ratio, weight, source.zero)
        carried = None
        if residual is not None:
            carry = (residual.scale if gain is None else gain * residual.scale)
            offset = _less(offset, carry, residual.zero)
            carried = fixed(carry / out.scale, RESIDUAL_ONE, numerics.RESIDUAL_BITS)
        offset = offset / out.scale if _is_zero(out.zero) else offset / out.scale + out.zero
        return (weight, fixed(ratio / out.scale, ONE, self.multiplier_bits), fixed(offset, OFFSET_ONE, numerics.OFFSET_BITS),
                carried)

    def forward(self, x, source, out, residual=None, residual_grid=None):
        """``numerics.requantize`` of the product; integers ``(..., inputs)`` to integers ``(..., outputs)``."""
        if self.training and self.live:
            return self._forward_live(x, source, out, residual, residual_grid)
        weight, multiplier, offset, carried = self.constants(source, out, residual_grid)
        y = F.linear(x, weight * multiplier[:, None], offset)
        if residual is not None:
            y = torch.addcmul(y, residual, carried)
        return round_clamp(y, out.lo, out.hi)

    def _forward_live(self, x, source, out, residual, residual_grid):
        """The same with the statistics of this batch and multipliers before rounding."""
        step, weight = self.quantized()
        ratio = step * source.scale
        offset = _less(_without_zero(self.bias, ratio[:, 0], weight, source.zero), residual_grid.scale, residual_grid.zero)
        y = F.linear(x, weight * ratio, offset)
        y = torch.addcmul(y, residual, residual_grid.scale.expand(1)).flatten(0, -2)
        y = F.batch_norm(y, self.norm.running_mean, self.norm.running_var, self.norm.weight / out.scale,
                         self.norm.bias / out.scale + out.zero, True, self.norm.momentum, self.norm.eps)
        return round_clamp(y, out.lo, out.hi).view(*x.shape[:-1], -1)


def _is_zero(zero):
    return isinstance(zero, float) and zero == 0


def _less(offset, scale, zero):
    """``offset - scale * zero``."""
    return offset if _is_zero(zero) else offset - scale * zero


def _without_zero(offset, ratio, weight, zero):
    """``offset`` less what the inputs' zero, a number or a tensor of one or of all inputs, contributes to every output."""
    if _is_zero(zero):
        return offset
    one = isinstance(zero, float) or not zero.ndim
    return offset - ratio * (weight.sum(dim=1) * zero if one else weight @ zero)
