# SPDX-License-Identifier: BSD-2-Clause
"""Softmax weights as signed digits, the form in which the array takes them."""

from migen import *

from litex.gen import *

from liteformer.accel.numerics import digits_for


class DigitSplitter(LiteXModule):
    """Splits an unsigned weight into signed digits; combinational.

        weight --> lowest b bits --> digit 0
                   rest + top bit of digit 0 --> lowest b bits --> digit 1
                                                 rest + top bit of digit 1 --> ...

    A digit that is negative as a signed number borrows from the next higher one, hence the addition of its top bit.

    Args:
        weight: unsigned Signal; largest: the largest weight there is.
        digits: number of digits; bits: width of one.
    Attributes:
        field: the digits, lowest first, ``digits * bits`` bits.
    """

    def __init__(self, weight, largest, digits, bits):
        assert digits_for(largest, bits) <= digits

        # # #

        value, parts = Signal((digits + 1) * bits), []
        self.comb += value.eq(weight)
        for digit in range(digits):
            parts.append(value[:bits])
            if digit + 1 < digits:
                rest = Signal(len(value) - bits)
                self.comb += rest.eq(value[bits:] + value[bits - 1])
                value = rest
        self.field = Cat(*parts)
