# SPDX-License-Identifier: BSD-2-Clause
"""The requantizer: accumulator to quantized result, one per cycle; the only rounding in the core."""

from functools import reduce
from operator import or_

from migen import *

from litex.gen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.fabric import carry, choose, digit_count, extended, multiple
from liteformer.accel.gateware.product import StagedProduct

# Cycles from the inputs to the clamp's selection, and to the result.
INPUT_TO_CLAMP  = 4
INPUT_TO_RESULT = 5


class Requantizer(LiteXModule):
    """``clamp((acc * M + (res * N << 8) + (B << 10) + half) >> 20)`` with a pipeline of five registers.

    All inputs are presented in cycle t; ``total`` (unclamped) and ``result`` are valid in t + 5:

        t + 1  acc, M, res, N, B registers
        t + 2  StagedProduct    | terms of ResidualScale
        t + 3  acc * M          | (res*N << 8) + (B << 10) + half
        t + 4  sum of both
        t + 5  shifted and clamped

    Args:
        acc_bits, multiplier_bits, residual_bits (of N), residual_operand_bits, offset_bits: widths.
        clamps: the widths a result can be clamped to, the last one selected by the highest ``clamp``.
        block: DspBlock that multiplies.
    Attributes:
        acc, multiplier, residual, residual_multiplier; offset: B plus ``numerics.ROUNDING``, the half.
        awake: the pipeline moves; otherwise every register holds.
        clamp: index into ``clamps``, presented in cycle t + 4 (it belongs to the output side).
        result: signed, as wide as the widest clamp; total: signed, 32 bits, saturated.
    """

    def __init__(self, acc_bits, multiplier_bits, residual_bits, residual_operand_bits, offset_bits, clamps, block,
                 with_total=False):
        self.acc                 = Signal((acc_bits, True))
        self.multiplier          = Signal((multiplier_bits, True))
        self.residual            = Signal((residual_operand_bits, True))
        self.residual_multiplier = Signal((residual_bits, True))
        self.offset              = Signal((offset_bits, True))
        self.clamp               = Signal(max=max(len(clamps), 2))
        self.result              = Signal((max(clamps), True), reset_less=True)
        self.awake               = Signal(reset=1)

        # # #

        held = {name: Signal.like(getattr(self, name), reset_less=True)
                for name in ("acc", "multiplier", "residual", "residual_multiplier", "offset")}
        self.scale = scale = ResidualScale(held["residual"], held["residual_multiplier"], held["offset"])
        self.product = product = StagedProduct(held["acc"], held["multiplier"], block)
        total = Signal((max(len(product.value), len(scale.value)) + 1, True), reset_less=True)
        advance = [
            *(register.eq(getattr(self, name)) for name, register in held.items()),
            *product.load,
            *scale.load,
            total.eq(product.value + scale.value),
        ]
        advance.append(self.result.eq(self._clamped(total, clamps)))
        if with_total:
            self.total = Signal((32, True), reset_less=True)
            advance.append(self.total.eq(_saturated(total, numerics.SHIFT, 32, 32)))
        self.sync += If(self.awake, *advance)


    def _clamped(self, total, clamps):
        """``total`` shifted and clamped to the selected width: expression. Which width it is counts before single bits do."""
        sign  = total[len(total) - 1]
        # A width is exceeded where a bit above its sign differs from the next one. A LUT compares six of them; the groups of a
        # wide result are those of a narrow one too.
        over, differs, top = {}, Constant(0, 1), len(total) - 1
        for bits in sorted(clamps, reverse=True):
            lowest = min(numerics.SHIFT + bits, len(total)) - 1
            groups = []
            while top > lowest:
                bottom = max(lowest, top - 5)
                group  = total[bottom:top + 1]
                groups.append((group != 0) & (group != (1 << len(group)) - 1))
                top = bottom
            over[bits] = Signal()
            self.comb += over[bits].eq(reduce(or_, groups, differs))
            differs = over[bits]
        over = [over[bits] for bits in clamps]
        exceeds, inside = Signal(), Signal(max(clamps))
        self.comb += [
            choose(self.clamp, over, exceeds),
            # Bits below the sign of the selected width.
            choose(self.clamp, [Constant((1 << bits - 1) - 1, max(clamps)) for bits in clamps], inside),
        ]
        shifted = extended(total[numerics.SHIFT:], max(clamps))
        return Mux(exceeds, inside ^ Replicate(sign, max(clamps)), shifted)


class ResidualScale(LiteXModule):
    """``(residual * scale << 8) + (offset << 10)`` in two cycles, in LUTs.

    The multiples of ``scale`` that the Booth digits of ``residual`` choose (see ``fabric``) are added like this, each
    column an adder of the first cycle, the sum of the columns that of the second; offset counts four times as much:

        multiple 0 + (multiple 1 << 2)     offset + multiple 2 + (its carry)     multiple 3

    Args:
        residual, scale, offset: signed registers.
    Attributes:
        load: statements that load the registers; value: signed.
    """

    def __init__(self, residual, scale, offset):
        digits = digit_count(len(residual))
        first  = multiple(scale, residual, 0, len(scale) + 4)
        bits   = max(len(residual) + len(scale), len(offset) + 2) + 1
        value  = Signal(bits, reset_less=True)
        lowest = Signal(reset_less=True)
        self.value = Signal((bits + numerics.RESIDUAL_SHIFT, True))
        self.load  = [lowest.eq(carry(residual, 0))]

        # # #

        assert numerics.OFFSET_SHIFT == numerics.RESIDUAL_SHIFT + 2
        if digits == 1:
            pair = [Signal(len(first), reset_less=True)]
            self.load.append(pair[0].eq(first))
        else:
            pair = [Signal(2, reset_less=True), Signal(len(scale) + 2, reset_less=True)]
            self.load += [
                pair[0].eq(first),
                pair[1].eq((first >> 2) + multiple(scale, residual, 1, len(pair[1])) + carry(residual, 1)),
            ]
        if digits < 3:
            other = [Signal(len(offset), reset_less=True)]
        else:
            length = max(len(offset) - 2, len(scale) + 1) + 1
            other  = [Signal(2, reset_less=True), Signal(length, reset_less=True)]
            self.load.append(other[1].eq(extended(offset[2:], length) + multiple(scale, residual, 2, length)
                                         + carry(residual, 2)))
        self.load.append(other[0].eq(offset))
        # The carry of multiple 0 takes a free bit below the offset.
        summed = extended(Cat(*pair), bits) + extended(Cat(lowest, Constant(0, 1), *other), bits)
        if digits > 3:
            last, negative = Signal(len(scale) + 1, reset_less=True), Signal(reset_less=True)
            self.load += [last.eq(multiple(scale, residual, 3, len(last))), negative.eq(carry(residual, 3))]
            # 63 + 1 times the carry of multiple 3.
            summed += extended(Cat(Replicate(negative, 6), last), bits) + negative
        self.load.append(value.eq(summed))
        self.comb += self.value.eq(Cat(Constant(0, numerics.RESIDUAL_SHIFT), value))


def _saturated(value, shift, bits, length):
    """``value >> shift`` clamped to ``bits`` signed bits, as an expression of ``length`` bits."""
    sign  = value[len(value) - 1]
    upper = value[min(shift + bits, len(value)) - 1:]
    lower = Cat(value[shift:shift + bits - 1])
    if len(value) - shift > bits:
        lower = Mux((upper == 0) | (upper == (1 << len(upper)) - 1), lower, Replicate(~sign, bits - 1))
    return Cat(lower, Replicate(sign, length - len(lower)))
