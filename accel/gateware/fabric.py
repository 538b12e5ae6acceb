# SPDX-License-Identifier: BSD-2-Clause
"""Multiplication in LUTs, written out so that no synthesizer spends a DSP block on it.

Radix-4 Booth: two bits of one factor choose 0, +-1 or +-2 times the other, which a single LUT6 per bit forms and adds to
the running sum. A negative multiple is the inverted positive one plus a carry, which enters at the start of a carry chain:
as the third summand of an unsigned addition whose two others are as long as the sum, which costs no LUT.
"""

from migen import *

from litex.gen import *


def digit_count(bits):
    """Booth digits of a signed factor of ``bits`` bits."""
    return -(-bits // 2)


def multiple(a, b, digit, length):
    """The multiple of ``a`` that a Booth digit of ``b`` chooses, without its ``carry``; ``length`` bits, unsigned."""
    low = 2 * digit
    below, middle, top = b[low - 1] if low else 0, b[low], carry(b, digit)
    sign  = a[len(a) - 1]
    once  = Cat(a, Replicate(sign, length - len(a)))
    twice = Cat(Constant(0, 1), a, Replicate(sign, length - len(a) - 1))
    return Mux(middle ^ below, once, Mux(top ^ middle, twice, 0)) ^ Replicate(top, length)


def carry(b, digit):
    """What a multiple lacks: 1 where a Booth digit of ``b`` is negative."""
    return b[min(2 * digit + 1, len(b) - 1)]


def extended(value, length):
    """Sign extension of a Signal, a slice of one or a Cat, unsigned."""
    if len(value) >= length:
        return value[:length]
    return Cat(value, Replicate(value[len(value) - 1], length - len(value)))


class PipelinedProduct(LiteXModule):
    """Signed product of two operands without the carry of its lowest digit; an adder and a register for each further digit.

        stage 1     multiple 0 + (multiple 1 << 2)          (multiple 0 alone where b has one digit)
        stage s     the sum of stage s - 1 + (multiple s << 2 s)

    Args:
        a, b: lists of operands, signed Signals: entry s - 1 is what stage s takes, the first ones delayed by s - 1 cycles.
    Attributes:
        load: statements that load the registers of all stages.
        bits: list of Signals that make up the last sum, lowest first, two's complement, ``len(a) + len(b)`` bits or one more.
    """

    def __init__(self, a, b):
        length = len(a[0]) + 2
        first  = multiple(a[0], b[0], 0, length + 2)
        upper  = Signal(length, reset_less=True)
        if digit_count(len(b[0])) == 1:
            self.load, self.bits = [upper.eq(first)], [upper]
            return
        lowest = Signal(2, reset_less=True)
        self.load = [
            lowest.eq(first),
            upper.eq((first >> 2) + multiple(a[0], b[0], 1, length) + carry(b[0], 1)),
        ]
        low = [lowest]
        for stage in range(1, len(a)):
            passed  = Cat(*low, upper[:2])
            kept    = Signal(len(passed), reset_less=True)
            summed  = Signal(length, reset_less=True)
            self.load += [
                kept.eq(passed),
                summed.eq(extended(upper[2:], length) + multiple(a[stage], b[stage], stage + 1, length)
                          + carry(b[stage], stage + 1)),
            ]
            low, upper = [kept], summed
        self.bits = [*low, upper]


def choose(index, values, target):
    """Statement that assigns ``values[index]``, the last one where the index is out of range.

    Inside a clocked ``If`` a simulator evaluates it only when the condition holds, unlike an ``Array``.
    """
    if len(values) == 1:
        return target.eq(values[0])
    return Case(index, {i: target.eq(value) for i, value in enumerate(values[:-1])} | {"default": target.eq(values[-1])})
