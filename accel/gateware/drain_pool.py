# SPDX-License-Identifier: BSD-2-Clause
"""Pooling: the sum of a column over all rows, for the head of a model with mean readout."""

from migen import *

from litex.gen import *


class RowPool(LiteXModule):
    """Adds up the groups of a column, one group of P rows per cycle; the total is complete with the last one.

        sums, P x A bits --> adder tree --> + --> total --+--> value (pool)
                  |                         ^-- running <-+
                  +--> first sum ----------------------------> value (otherwise)

    Args:
        sums: list of P Signals, signed A bits.
        bits: width of a sum over all rows, which cannot overflow.
    Attributes:
        first: this group is the first of its column.
        pool: choose the total, not the first sum.
        value: signed ``bits``, in the same cycle.
    """

    def __init__(self, sums, bits):
        self.first = Signal()
        self.pool  = Signal()
        self.value = Signal((bits, True))

        # # #

        running, total = Signal((bits, True), reset_less=True), Signal((bits, True))
        tree = sums[0]
        for value in sums[1:]:
            tree = tree + value
        self.comb += [
            total.eq(Mux(self.first, 0, running) + tree),
            self.value.eq(Mux(self.pool, total, sums[0])),
        ]
        self.sync += running.eq(total)
