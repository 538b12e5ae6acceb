# SPDX-License-Identifier: BSD-2-Clause
"""The division of the softmax: one reciprocal multiplier per row."""

from migen import *

from litex.gen import *

# Cycles from the start of a division to the load of the first totals.
START_TO_LOAD = 2


class NumeratorTable(LiteXModule):
    """The layers' numerators, as constants or in a RAM that a loader writes.

    Args:
        hw: Hardware; numerators: integers of the layers.
        layer: Signal, whose numerator is read; loader: as for ``sequencer.Instruction``.
    Attributes:
        numerator: of the layer, unsigned ``numerator_bits``, in the same cycle.
    """

    def __init__(self, hw, numerators, layer, loader=None):
        numerators     = [int(value) for value in numerators]
        self.numerator = Signal(hw.numerator_bits)

        # # #

        if loader is None:
            self.comb += self.numerator.eq(Array(numerators)[layer] if hw.layers > 1 else numerators[0])
            return
        active, address, write, data = loader
        memory = Memory(hw.numerator_bits, max(hw.layers, 2), init=numerators)
        port   = memory.get_port(async_read=True, write_capable=True)
        self.specials += memory, port
        self.comb += [
            port.adr.eq(Mux(active, address, layer)), port.we.eq(write), port.dat_w.eq(data),
            self.numerator.eq(port.dat_r),
        ]


class RowDivider(LiteXModule):
    """``floor(numerator / total)`` of every row: restoring division, one quotient bit per cycle, P rows side by side.

        cycle t                  start
        cycle t + 2              group 0: totals are loaded, the numerator's top bits (less than any total) as remainder
        cycle t + 3 .. t + W + 2 a quotient bit each: remainder, next numerator bit - total; kept if not negative
        cycle t + W + 3          quotients are written, W bits per row
        cycle t + W + 4          group 1 is loaded ...

    A total is at least the table's first entry T, so W = ``numerator_bits - (T.bit_length() - 1)`` bits hold any quotient.

    Args:
        hw: Hardware.
        numerator: unsigned Signal, ``numerator_bits``.
        totals: list of P Signals or slices, the sums of the rows of ``group``, unsigned S bits.
    Attributes:
        start: pulse.
        head, group_top: of the sums; the last group of its rows.
        restart: stop and discard.
        dividing: a division is on its way; group: whose totals are read.
        rate_address: head * groups + group; two cycles later rate (list of P) is its reciprocal.
    """

    def __init__(self, hw, numerator, totals):
        P, G   = hw.requantizers, hw.groups
        bits   = self.rate_bits(hw)
        depth  = max(hw.heads * G, 2)
        self.start        = Signal()
        self.head         = Signal(max=max(hw.heads, 2))
        self.group_top    = Signal(max=max(G, 2))
        self.restart      = Signal()
        self.dividing     = Signal()
        self.group        = Signal(max=max(G, 2))
        self.rate_address = Signal(max=depth)
        self.rate         = [Signal(bits, reset_less=True) for _ in range(P)]

        # # #

        skipped = hw.numerator_bits - bits
        step    = Signal(max=bits + 2)
        pending = Signal()
        load    = Signal()
        store   = Signal()
        tail    = Signal(bits, reset_less=True)
        rates   = Memory(P * bits, depth)
        read    = rates.get_port()
        write   = rates.get_port(write_capable=True)
        self.specials += rates, read, write
        self.comb += [
            load.eq(self.dividing & (step == 0)),
            store.eq(self.dividing & (step == bits + 1)),
            write.adr.eq(self.group if hw.heads == 1 else self.head * G + self.group),
            write.we.eq(store),
            read.adr.eq(self.rate_address),
        ]
        self.sync += [
            pending.eq(self.start),
            If(pending, self.dividing.eq(1), self.group.eq(0), step.eq(0)),
            If(self.dividing,
                step.eq(step + 1),
                tail.eq(tail << 1),
                If(load, tail.eq(numerator)),
                If(store,
                    step.eq(0),
                    self.group.eq(self.group + 1),
                    If(self.group == self.group_top, self.dividing.eq(0)),
                ),
            ),
            If(self.restart, self.dividing.eq(0)),
        ]
        for p, total in enumerate(totals):
            divisor, rest = Signal(len(total), reset_less=True), Signal(len(total), reset_less=True)
            trial    = Signal(len(total) + 1)
            reduced  = Signal(len(total) + 2)
            quotient = Signal(bits, reset_less=True)
            fits     = Signal()
            self.comb += [
                trial.eq(Cat(tail[-1], rest)),
                reduced.eq(trial - divisor),
                fits.eq(~reduced[-1]),
                write.dat_w[p * bits:(p + 1) * bits].eq(quotient),
            ]
            self.sync += [
                If(load,
                    divisor.eq(total),
                    rest.eq(numerator[-skipped:] if skipped else 0),
                ).Elif(self.dividing,
                    rest.eq(Mux(fits, reduced, trial)),
                    quotient.eq(Cat(fits, quotient)),
                ),
                self.rate[p].eq(read.dat_r[p * bits:(p + 1) * bits]),
            ]

    @staticmethod
    def rate_bits(hw):
        """Width of a reciprocal multiplier."""
        return hw.numerator_bits - (hw.table_top.bit_length() - 1)

    @staticmethod
    def divide_cycles(hw):
        """Cycles to divide for one group of rows."""
        return RowDivider.rate_bits(hw) + 2
