# SPDX-License-Identifier: BSD-2-Clause
"""A quantized linear layer: its parameters, and the requantized product."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from liteformer.accel import numerics
from liteformer.train.quant.quantizers import best_steps, integer_weights, round_clamp


class QuantLinear(nn.Module):
    """A linear layer whose weights are integers times a step for each output channel.

    The constants of its requantizer also depend on the grids around it: ``train.quant.constants``.

    Args:
        linear: nn.Linear to start from; bits: of its weights; norm: the BatchNorm behind it, folded with its running
            statistics; columns: float ``(inputs,)``, scale of every input, None for a common one.
        multiplier_bits: width that the multipliers may take.

    While training with a norm, ``live`` means that the statistics are those of the batch, as in the float model.
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
        # Set if the next operation is not a BatchNorm; None is 1 and 0.
        self.register_buffer("gain", None)
        self.register_buffer("shift", None)

    def affine(self):
        """Factor and summand after the linear layer, ``(outputs,)`` or None: the BatchNorm with its running statistics."""
        if self.norm is None:
            return self.gain, self.shift
        gain = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        return gain, self.norm.bias - gain * self.norm.running_mean

    def scaled(self):
        """Weights with the scales of the inputs, ``(outputs, inputs)``, to be divided by the step and rounded."""
        return self.weight if self.columns is None else self.weight * self.columns

    def quantized(self):
        """``(step (outputs, 1), integer weights (outputs, inputs))``."""
        step = self.log_step.exp()
        return step, integer_weights(self.scaled(), step, self.largest)

    def forward(self, x, constants, out, residual=None):
        """``numerics.requantize`` of the product.

        Args:
            x: integers ``(..., inputs)``; constants: LinearConstants; out: Activation of the output, or anything with ``lo``
            and ``hi``; residual: integers ``(..., outputs)``.
        Returns:
            integers ``(..., outputs)``.
        """
        y = F.linear(x, constants.matrix, constants.offset)
        if residual is not None:
            y = torch.addcmul(y, residual, constants.carried)
        if self.training and self.live:
            y = self._normalised(y.flatten(0, -2), out).view(y.shape)
        return round_clamp(y, out.lo, out.hi)

    def _normalised(self, y, out):
        """The BatchNorm with the statistics of this batch, in steps of the output."""
        norm, scale = self.norm, out.log_scale.exp()
        return F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight / scale, norm.bias / scale + out.zero, True,
                            norm.momentum, norm.eps)
