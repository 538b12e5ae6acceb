# SPDX-License-Identifier: BSD-2-Clause
"""Pooling: the sum of a column over all rows, for the head of a model with mean readout."""

from migen import *

from litex.gen import *


class RowPool(LiteXModule):
    """Adds up the groups of a column, one group of P rows per cycle; the total is complete with the last one.

        terms --> adder tree --> + --> total --+--> value (pool)
                                 ^-- running <-+
        single -------------------------------------> value (otherwise)

    Args:
        terms: list of signed Signals that make up the sum of a group; single: the group's first sum, signed A bits.
        bits: width of a sum over all rows, which cannot overflow.
    Attributes:
        first: this group is the first of its column.
        pool: choose the total, not the first sum.
        value: signed ``bits``, in the same cycle.
    """

    def __init__(self, terms, single, bits):
        self.first = Signal()
        self.pool  = Signal()
        self.value = Signal((bits, True))

        # # #

        running, total = Signal((bits, True), reset_less=True), Signal((bits, True))
        tree = terms[0]
        for value in terms[1:]:
            tree = tree + value
        self.comb += [
            total.eq(Mux(self.first, 0, running) + tree),
            self.value.eq(Mux(self.pool, total, single)),
        ]
        self.sync += running.eq(total)
