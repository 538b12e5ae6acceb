# SPDX-License-Identifier: BSD-2-Clause
"""Multiplication in LUTs, written out so that no synthesizer spends a DSP block on it.

Radix-4 Booth: two bits of one factor choose 0, +-1 or +-2 times the other, which a single LUT6 per bit forms and adds to
the running sum. A negative multiple is the inverted positive one plus a carry into its adder.
"""

from migen import *

from litex.gen import *


class FabricProduct(LiteXModule):
    """Signed product as ``product + carry``, combinational; adding the carry is left to the adder that follows.

    Args:
        a, b: signed Signals; ``b`` is recoded, preferably the narrower.
    Attributes:
        product: signed, ``len(a) + len(b) + 1`` bits; carry: one bit. ``a * b == product + carry``.
    """

    def __init__(self, a, b):
        self.product = Signal((len(a) + len(b) + 1, True))
        self.carry   = Signal()

        # # #

        multiples, carries = [], []
        for low in range(0, len(b), 2):
            below  = b[low - 1] if low else 0
            middle = b[low]
            top    = b[min(low + 1, len(b) - 1)]
            once   = Signal((len(a) + 1, True))
            twice  = Cat(Constant(0, 1), a)
            # The multiple without its sign, then inverted where it is negative.
            bits = Signal(len(a) + 1)
            self.comb += [
                once.eq(a),
                bits.eq(Mux(middle ^ below, once, Mux(top ^ middle, twice, 0)) ^ Replicate(top, len(a) + 1)),
            ]
            multiples.append(bits)
            carries.append(top)
        total, lower = multiples[0], []
        for multiple, negative in zip(multiples[1:], carries[1:]):
            # One bit longer than both, with the carry entering through an extra lowest bit.
            length = max(len(total) - 2, len(multiple)) + 1
            summed = Signal(length + 1)
            self.comb += summed.eq(Cat(Constant(1, 1), _extended(total[2:], length))
                                   + Cat(negative, _extended(multiple, length)))
            lower.append(total[:2])
            total = summed[1:]
        whole  = Cat(*lower, total)
        signed = Signal((len(whole), True))
        self.comb += [signed.eq(whole), self.product.eq(signed), self.carry.eq(carries[0])]


class ProductRegister(LiteXModule):
    """The same product in registers that the user loads, for ``b`` of 3 or 4 bits without a signal in between.

    A simulator then evaluates nothing while the registers hold still.

    Args:
        a, b: as for FabricProduct.
    Attributes:
        load: statements that load the registers.
        bits: list of Signals that make up the product, lowest first, two's complement; carry: register of the carry.
    """

    def __init__(self, a, b):
        self.carry = Signal()

        # # #

        if len(b) in (3, 4):
            length = len(a) + 2
            first, second = (_multiple(a, b, low, length + 2) for low in (0, 2))
            low, upper = Signal(2), Signal(length + 1)
            self.load = [
                low.eq(first),
                upper.eq(Cat(Constant(1, 1), first >> 2) + Cat(b[len(b) - 1], second)),
                self.carry.eq(b[1]),
            ]
            self.bits = [low, upper[1:]]
        else:
            self.factors = factors = FabricProduct(a, b)
            product   = Signal(len(factors.product))
            self.load = [product.eq(factors.product), self.carry.eq(factors.carry)]
            self.bits = [product]


def _multiple(a, b, low, length):
    """The multiple of ``a`` that two bits of ``b`` choose, without its carry, as an expression of ``length`` bits."""
    below, middle, top = b[low - 1] if low else 0, b[low], b[min(low + 1, len(b) - 1)]
    sign  = a[len(a) - 1]
    once  = Cat(a, Replicate(sign, length - len(a)))
    twice = Cat(Constant(0, 1), a, Replicate(sign, length - len(a) - 1))
    return Mux(middle ^ below, once, Mux(top ^ middle, twice, 0)) ^ Replicate(top, length)


def _extended(value, length):
    """Sign extension of an unsigned slice."""
    return Cat(value, Replicate(value[len(value) - 1], length - len(value)))


def choose(index, values, target):
    """Statement that assigns ``values[index]``, the last one where the index is out of range.

    Inside a clocked ``If`` a simulator evaluates it only when the condition holds, unlike an ``Array``.
    """
    if len(values) == 1:
        return target.eq(values[0])
    return Case(index, {i: target.eq(value) for i, value in enumerate(values[:-1])} | {"default": target.eq(values[-1])})
