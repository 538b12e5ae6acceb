# SPDX-License-Identifier: BSD-2-Clause
"""The product of two registers in two cycles, by as many of a family's multipliers as it takes."""

from migen import *

from litex.gen import *


class StagedProduct(LiteXModule):
    """``first * second`` with two registers behind those that hold the factors.

    Where one multiplier is enough, both factors have a second register, which its block may hold, then comes the product.
    Where it takes several, their products are registered first and added in the second cycle: a multiplier without registers
    of its own and an adder are not in one path.

        one multiplier:  first, second ------------> registers --> product
        several:         pieces of both, multiplied --> registers --> sum

    Args:
        first, second: signed registers. block: DspBlock.
    Attributes:
        load: statements that load the registers; value: signed.
    """

    def __init__(self, first, second, block):
        self.value = value = Signal((len(first) + len(second), True), reset_less=True)

        # # #

        # The wide port goes where it saves cuts.
        if _cuts(second, block.wide) * _cuts(first, block.narrow) < _cuts(first, block.wide) * _cuts(second, block.narrow):
            first, second = second, first
        if _cuts(first, block.wide) * _cuts(second, block.narrow) == 1:
            again = [Signal.like(factor, reset_less=True) for factor in (first, second)]
            self.load = [*(register.eq(factor) for register, factor in zip(again, (first, second))),
                         value.eq(again[0] * again[1])]
            return
        self.load, summed = [], 0
        for one, shift in self._pieces(first, block.wide):
            for other, more in self._pieces(second, block.narrow):
                product = Signal((len(one) + len(other), True), reset_less=True)
                self.load.append(product.eq(one * other))
                summed = summed + self._signed(Cat(Constant(0, shift + more), product) if shift + more else product)
        self.load.append(value.eq(summed))

    def _pieces(self, factor, port):
        """Pairs (signed piece, its shift) of a signed factor for a port of so many bits; only the highest can be negative."""
        step = port - 1
        lows = [step * cut for cut in range(_cuts(factor, port))]
        return [*((self._signed(Cat(factor[low:low + step], Constant(0, 1))), low) for low in lows[:-1]),
                (self._signed(factor[lows[-1]:]), lows[-1])]

    def _signed(self, value):
        signal = Signal((len(value), True))
        self.comb += signal.eq(value)
        return signal


def _cuts(factor, port):
    """Pieces of a factor that fit a port: each but the highest has a sign bit that it does not need."""
    return 1 + max(0, -(-(len(factor) - port) // (port - 1)))
