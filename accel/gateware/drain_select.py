"""Selection of sums: P of the R x C drain registers a cycle."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import choose


class SumSelector(LiteXModule):
    """First a column, then a group of rows: two multiplexers with a register each.

        cycle t      column_valid, column
        cycle t + 1  column registers, R x A bits | group_valid, group
        cycle t + 2  sums, P x A bits

    What a DSP lane's sum still needs subtracted (``fixes``) takes the same way and is subtracted behind both multiplexers,
    so that P subtractors do for all lanes.

    Args:
        hw: Hardware; A is ``accumulator_bits``.
        sums: R x C drain registers, signed A bits.
        fixes: R x C Signals to subtract, signed, or None where there is none.
    Attributes:
        column_valid, column: the column registers load this column.
        group_valid, group: the sums load the column's rows ``group * P`` to ``group * P + P - 1``.
        sums: list of P sums, signed A bits.
    """

    def __init__(self, hw, sums, fixes):
        P = hw.requantizers
        self.column_valid = Signal()
        self.column       = Signal(max=max(hw.columns, 2))
        self.group_valid  = Signal()
        self.group        = Signal(max=max(hw.groups, 2))
        self.sums         = [Signal((hw.accumulator_bits, True)) for _ in range(P)]

        # # #

        rows   = [self._column(values) for values in sums]
        unused = [all(fix is None for fix in row) for row in fixes]
        fixes  = [0 if none else self._column([0 if fix is None else fix for fix in row]) for none, row in zip(unused, fixes)]
        for p, selected in enumerate(self.sums):
            load = choose(self.group, rows[p::P], selected)
            if not all(unused[p::P]):
                load = selected.eq(Array(rows[p::P])[self.group] - Array(fixes[p::P])[self.group])
            self.sync += If(self.group_valid, load)

    def _column(self, values):
        """Register with the selected column of a row; ``values``: C Signals or constants."""
        row = Signal((max(len(value) for value in values if isinstance(value, Signal)), True))
        self.sync += If(self.column_valid, choose(self.column, values, row))
        return row
