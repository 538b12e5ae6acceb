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
    Attributes:
        valid, score (list of P), group, group_end, last: one group of scores; ``group_end``: its column is complete,
            ``last``: all columns are. After ``last`` the next score of a row starts its maximum anew.
        restart: forget the columns so far.
        read_group: group to read; maximum: list of P, in the same cycle.
    """

    def __init__(self, hw):
        P, bits, depth = hw.requantizers, SCORE_BITS, max(hw.groups, 2)
        self.valid      = Signal()
        self.score      = [Signal((bits, True)) for _ in range(P)]
        self.group      = Signal(max=depth)
        self.group_end  = Signal()
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
            update.adr.eq(self.group),
            read.adr.eq(self.read_group),
            write.adr.eq(self.group),
            write.we.eq(self.valid),
        ]
        for p, (score, maximum) in enumerate(zip(self.score, self.maximum)):
            row, old = slice(p * bits, (p + 1) * bits), Signal((bits, True))
            self.comb += [
                old.eq(update.dat_r[row]),
                write.dat_w[row].eq(Mux(first_column | (score > old), score, old)),
                maximum.eq(read.dat_r[row]),
            ]
        self.sync += [
            If(self.valid,
                If(self.group_end, first_column.eq(0)),
                If(self.last, first_column.eq(1)),
            ),
            If(self.restart, first_column.eq(1)),
        ]
