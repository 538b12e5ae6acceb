# SPDX-License-Identifier: BSD-2-Clause
"""Pass 1 of the softmax: the maximum of each row, while its scores arrive."""

from migen import *

from litex.gen import *

from liteformer.accel.numerics import SCORE_BITS


class RowMaxima(LiteXModule):
    """Running maxima of all rows in a distributed RAM, a word for each group of P rows.

        scores, P x 10 bits --+--> compare --> larger one (first column: the score) --> maxima, groups x (P x 10 bits)
                              |       ^                                                   |  group
                              |       +---------------------------------------------------+--> (combinational)
                              |                                                           |  read_group
                              |                                                           +--> maximum, P x 10 bits

    Args:
        hw: Hardware.
        score: list of P Signals, signed 10 bits; group: Signal, the scores' group of rows.
    Attributes:
        valid, column_end, last: there is a group of scores; its column is complete; all columns are. After ``last`` the next
            score of a row starts a new maximum.
        restart: discard the columns so far.
        read_group: group to read; maximum: list of P, in the same cycle.
    """

    def __init__(self, hw, score, group):
        P, bits, depth = hw.requantizers, SCORE_BITS, max(hw.groups, 2)
        self.valid      = Signal()
        self.column_end = Signal()
        self.last       = Signal()
        self.restart    = Signal()
        self.read_group = Signal(max=depth)
        self.maximum    = [Signal((bits, True)) for _ in range(P)]

        # # #

        maxima = Memory(P * bits, depth)
        update = maxima.get_port(async_read=True)
        read   = maxima.get_port(async_read=True)
        write  = maxima.get_port(write_capable=True)
        self.specials += maxima, update, read, write
        first_column = Signal(reset=1)
        self.comb += [
            update.adr.eq(group),
            read.adr.eq(self.read_group),
            write.adr.eq(group),
            write.we.eq(self.valid),
        ]
        for p, (new, maximum) in enumerate(zip(score, self.maximum)):
            row, old = slice(p * bits, (p + 1) * bits), Signal((bits, True))
            self.comb += [
                old.eq(update.dat_r[row]),
                write.dat_w[row].eq(Mux(first_column | (new > old), new, old)),
                maximum.eq(read.dat_r[row]),
            ]
        self.sync += [
            If(self.valid,
                If(self.column_end, first_column.eq(0)),
                If(self.last, first_column.eq(1)),
            ),
            If(self.restart, first_column.eq(1)),
        ]
