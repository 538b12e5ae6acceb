# SPDX-License-Identifier: BSD-2-Clause
"""The requantizer: accumulator to quantized result, one per cycle; the only rounding in the core."""

from migen import *

from litex.gen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.fabric import FabricProduct

# Cycles from the inputs to the clamp's selection, and to the result.
INPUT_TO_CLAMP  = 4
INPUT_TO_RESULT = 5


class Requantizer(LiteXModule):
    """``clamp((acc * M + (res * N << 8) + (B << 10) + half) >> 20)`` with a pipeline of five registers.

    All inputs are presented in cycle t; ``total`` (unclamped) and ``result`` are valid in t + 5:

        t + 1  acc, M, res, N, B registers
        t + 2  acc, M again     | res * N          | B + half
        t + 3  acc * M          | (res*N << 8) + (B << 10) + half
        t + 4  sum of both
        t + 5  shifted and clamped

    Args:
        acc_bits, multiplier_bits, residual_bits (of N), residual_operand_bits, offset_bits: widths.
        clamps: the widths a result can be clamped to, the last one selected by the highest ``clamp``.
    Attributes:
        awake: the pipeline moves; otherwise every register holds.
        clamp: index into ``clamps``, presented in cycle t + 4 (it belongs to the output side).
        result: signed, as wide as the widest clamp; total: signed, 32 bits, saturated.
    """

    def __init__(self, acc_bits, multiplier_bits, residual_bits, residual_operand_bits, offset_bits, clamps, with_total=False):
        self.acc                 = Signal((acc_bits, True))
        self.multiplier          = Signal((multiplier_bits, True))
        self.residual            = Signal((residual_operand_bits, True))
        self.residual_multiplier = Signal((residual_bits, True))
        self.offset              = Signal((offset_bits, True))
        self.clamp               = Signal(max=max(len(clamps), 2))
        self.result              = Signal((max(clamps), True))
        self.awake               = Signal(reset=1)

        # # #

        product_bits  = acc_bits + multiplier_bits
        constant_bits = max(residual_operand_bits + residual_bits + numerics.RESIDUAL_SHIFT,
                            offset_bits + numerics.OFFSET_SHIFT, numerics.SHIFT) + 2
        total_bits    = max(product_bits, constant_bits) + 1
        acc           = Signal((acc_bits, True))
        multiplier    = Signal((multiplier_bits, True))
        residual      = Signal((residual_operand_bits + residual_bits, True))
        product       = Signal((product_bits, True))
        constant      = Signal((constant_bits, True))
        half          = 1 << (numerics.SHIFT - 1 - numerics.OFFSET_SHIFT)
        rounding_bits = max(offset_bits, half.bit_length() + 1) + 1
        rounding      = Signal((rounding_bits, True))
        addend        = Signal((rounding_bits + numerics.OFFSET_SHIFT, True))
        scaled        = Signal((len(residual) + numerics.RESIDUAL_SHIFT, True))
        total         = Signal((total_bits, True))
        held_acc, held_multiplier = Signal.like(acc), Signal.like(multiplier)
        held_residual, held_scale = Signal.like(self.residual), Signal.like(self.residual_multiplier)
        held_offset     = Signal.like(self.offset)
        self.scaling    = scaling = FabricProduct(held_scale, held_residual)
        self.comb += [
            # One half is a whole number of bias units, so rounding needs no adder of full width.
            addend.eq(Cat(Constant(0, numerics.OFFSET_SHIFT), rounding)),
            scaled.eq(Cat(Constant(0, numerics.RESIDUAL_SHIFT), residual)),
        ]
        advance = [
            held_acc.eq(self.acc), held_multiplier.eq(self.multiplier), held_residual.eq(self.residual),
            held_scale.eq(self.residual_multiplier), held_offset.eq(self.offset),
            acc.eq(held_acc),
            multiplier.eq(held_multiplier),
            residual.eq(scaling.product + scaling.carry),
            rounding.eq(held_offset + half),
            product.eq(acc * multiplier),
            constant.eq(addend + scaled),
            total.eq(product + constant),
        ]
        results = [self.result.eq(_saturated(total, numerics.SHIFT, bits, max(clamps))) for bits in clamps]
        advance.append(Case(self.clamp, dict(enumerate(results[:-1])) | {"default": results[-1]}))
        if with_total:
            self.total = Signal((32, True))
            advance.append(self.total.eq(_saturated(total, numerics.SHIFT, 32, 32)))
        self.sync += If(self.awake, *advance)


def _saturated(value, shift, bits, length):
    """``value >> shift`` clamped to ``bits`` signed bits, as an expression of ``length`` bits."""
    sign  = value[len(value) - 1]
    upper = value[min(shift + bits, len(value)) - 1:]
    lower = Cat(value[shift:shift + bits - 1])
    if len(value) - shift > bits:
        lower = Mux((upper == 0) | (upper == (1 << len(upper)) - 1), lower, Replicate(~sign, bits - 1))
    return Cat(lower, Replicate(sign, length - len(lower)))
