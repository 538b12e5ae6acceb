# SPDX-License-Identifier: BSD-2-Clause
"""Operands of a requantizer besides the sum: factor, residual, bias."""

from migen import *

from litex.gen import *


class DrainOperands(LiteXModule):
    """Chooses the operands of P requantizers; combinational, in the cycle in which memories and rates deliver them.

        multiplier memory, M bits -------+--> factor of requantizer p, signed max(M, W + 1) bits
        reciprocal of row p, W bits -----+    (a reciprocal is unsigned)

        residual memory, R x b bits --+--> row group * P + p --+--> residual of requantizer p, signed b bits
                                      +--> last row -----------+    (0 where the step has none)

    Args:
        hw: Hardware; b is ``row_bits``.
        parameters: words of the multiplier, bias (``offset``) and residual multiplier memories.
        residual: word of the residual memory, R x b bits.
        rates: list of reciprocals, unsigned W bits, of the first requantizers; no other one has any.
        stage: dict of the drain's signals in this cycle: valid, group, residual, reciprocal, spread.
    Attributes:
        factor: list of P Signals; residual: list of P Signals.
        multiplier, offset, residual_multiplier: the parameters as signed Signals.
    """

    def __init__(self, hw, parameters, residual, rates, stage):
        P, bits = hw.requantizers, hw.row_bits
        multiplier, offset, residual_multiplier = parameters
        self.multiplier          = Signal((len(multiplier), True))
        self.offset              = Signal((len(offset), True))
        self.residual_multiplier = Signal((len(residual_multiplier), True))
        self.factor              = [Signal((self.factor_bits(hw, rates), True)) for _ in range(P)]
        self.residual            = [Signal((bits, True)) for _ in range(P)]

        # # #

        self.comb += [
            self.multiplier.eq(multiplier),
            self.offset.eq(offset),
            self.residual_multiplier.eq(residual_multiplier),
        ]
        rows = [residual[r * bits:(r + 1) * bits] for r in range(hw.rows)]
        for p in range(P):
            row = Array(rows[p::P])[stage["group"]]
            if hw.wide:
                # Residuals of one token are in the row of the last token of a window.
                row = Mux(stage["spread"], rows[-1], row)
            self.comb += [
                self.factor[p].eq(Mux(stage["valid"] & stage["reciprocal"], rates[p], self.multiplier)
                                  if p < len(rates) else self.multiplier),
                If(stage["valid"] & stage["residual"], self.residual[p].eq(row)),
            ]

    @staticmethod
    def factor_bits(hw, rates):
        """Width of the factor, multiplier or reciprocal with a sign."""
        return max(hw.multiplier_bits, *(len(rate) + 1 for rate in rates))
