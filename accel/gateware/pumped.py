# SPDX-License-Identifier: BSD-2-Clause
"""Pumped lanes: one DSP block at twice the clock is four lanes, two rows times two columns.

The domain ``PUMPED`` has twice the frequency of ``sys`` and rises with it, so a cycle of sys has two halves:

    sys                   T            | T + 1        | T + 2        | T + 3
    operands a, b, pair   k            | k + 1        |              |
    row operand             -  |  a    |  b   |       |      |       |
    A, B of the block          |       |  a   |  b    |      |       |
    product                    |       |      |  a    |  b   |       |
    sum                        |       |      |       |  a   |  b    |
    other                      |       |      |       |      |  a    |  b
    drain registers            |       |      |       |      |       | a, b

The sum takes the other row's former sum, which waits in ``other``, so it is back after two halves. Towards the engine the lane
has the timing of a DspLanePair.
"""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.lane import LaneFlags, PackedSums, pair_field

PUMPED = "sys2x"


class Halves(LiteXModule):
    """Tells the halves of a cycle apart.

    Attributes:
        first: high in the first half of each cycle of ``sys``, an expression's Signal; ``second`` makes registers of it.
    """

    def __init__(self):
        self.first = Signal()

        # # #

        turn, before = Signal(reset_less=True), Signal(reset_less=True)
        self.sync += turn.eq(~turn)
        self.sync.sys2x += before.eq(turn)
        self.comb += self.first.eq(turn ^ before)

    def second(self, module):
        """A register of its own, high in the second half; it belongs to ``module``."""
        return kept_copy(module, self.first, PUMPED)


class PumpedFlags(LaneFlags):
    """LaneFlags of two rows, and ``second``, high in the second half of a cycle."""

    def __init__(self, module, active, first, capture, halves):
        """Registers of ``module`` that follow the Signals active, first and capture."""
        LaneFlags.__init__(self, kept_copy(module, active), kept_copy(module, first), None, kept_copy(module, capture))
        after = Signal(reset_less=True)
        module.sync += after.eq(self.active)
        # The product of the second row is a half behind.
        self.running = Signal()
        module.comb += self.running.eq(self.active | after)
        self.second = halves.second(module)


class RowPair(LiteXModule):
    """Two row operands one after the other in a register, a half later each.

    Args:
        rows: two Signals, registers of ``sys``; second: high in the second half.
    Attributes:
        row: rows[0] in the second half, rows[1] in the first half that follows.
    """

    def __init__(self, rows, second):
        self.row = Signal.like(rows[0], reset_less=True)

        # # #

        self.sync.sys2x += self.row.eq(Mux(second, rows[1], rows[0]))


class DspLaneQuad(PackedSums):
    """Four lanes, of two rows and two neighbouring columns, in one DSP48E1.

    Args:
        row: weighted operands of two rows (see RowPair); packed: both columns (see ColumnPair), a register of ``sys``.
        column_bits: width of a column operand; flags: PumpedFlags; acc_bits: proven accumulator width.
        block: DspBlock of the device.
    Attributes:
        sums: for each row two drain registers, signed ``acc_bits``; fixes: for each row None, or the value to subtract from the
            second.
    """

    def __init__(self, row, packed, column_bits, flags, acc_bits, block):
        field = pair_field(block, column_bits)
        assert field + acc_bits <= block.accumulator and len(row) <= block.narrow
        self.sums = [[Signal((acc_bits, True)) for _ in range(2)] for _ in range(2)]

        # # #

        bits    = field + acc_bits
        start   = self._start(field, acc_bits)
        a       = Signal.like(packed, reset_less=True)
        b       = Signal.like(row, reset_less=True)
        product = Signal((block.wide + len(row), True), reset_less=True)
        p       = Signal((block.accumulator, True), reset_less=True)
        other   = Signal((bits, True), reset_less=True)
        # The first row's last sum and the top of its field, which ``other`` loses where the next sum begins.
        held    = Signal(bits, reset_less=True)
        top     = Signal(2, reset_less=True)
        drains  = [Signal(bits, reset_less=True) for _ in range(2)]
        self.sync.sys2x += [
            If(flags.running,
                p.eq(product + other),
                product.eq(a * b),
                b.eq(row),
                top.eq(p[field - 2:field]),
            ),
            If(flags.second, a.eq(packed)),
            If(flags.first, other.eq(start)).Elif(flags.running, other.eq(p)),
            If(flags.capture, held.eq(p)),
        ]
        self.sync += If(flags.capture, drains[0].eq(held), drains[1].eq(p))
        self.fixes = [self._split(drain, sums, field, flags, now)
                      for drain, sums, now in zip(drains, self.sums, (top, p[field - 2:field]))]
