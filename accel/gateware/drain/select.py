# SPDX-License-Identifier: BSD-2-Clause
"""Selection of sums: P of the R x C drain registers per cycle."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.fabric import choose


class SumSelector(LiteXModule):
    """First a column, then a group of rows: two multiplexers with a register each.

        cycle t      R x C drain registers, A bits | column
        cycle t + 1  R column registers, A bits    | group
        cycle t + 2  P sums, A bits

    The correction of a DSP lane's sum (``fixes``) takes the same path and is subtracted behind both multiplexers,
    so that P subtractors serve all lanes.

    Args:
        hw: Hardware; A is ``accumulator_bits``.
        sums: R x C drain registers, signed A bits.
        fixes: R x C Signals to subtract, signed, or None where there is none.
        select: dict of the drain's signals in cycle t: valid.
        column: dict of the drain's signals in cycle t + 1: valid, group. next_column: the column of cycle t + 1, in cycle t.
    Attributes:
        sums: list of P sums, those of the rows ``group * P`` to ``group * P + P - 1``, signed A bits.
    """

    def __init__(self, hw, sums, fixes, select, column, next_column):
        P = hw.requantizers
        self.sums = [Signal((hw.accumulator_bits, True), reset_less=True) for _ in range(P)]

        # # #

        # A copy of the column for each row.
        near   = [kept_copy(self, next_column) for _ in sums]
        rows   = [self._column(select["valid"], at, values) for at, values in zip(near, sums)]
        unused = [all(fix is None for fix in row) for row in fixes]
        fixes  = [0 if none else self._column(select["valid"], at, [0 if fix is None else fix for fix in row])
                  for none, at, row in zip(unused, near, fixes)]
        self._rows, self._fixes, self._unused, self._at = rows, fixes, unused, column
        for p, selected in enumerate(self.sums):
            load = choose(column["group"], rows[p::P], selected)
            if not all(unused[p::P]):
                load = selected.eq(self._corrected(p))
            self.sync += If(column["valid"], load)

    def _corrected(self, p):
        """Sum p before its register: expression."""
        P, group = len(self.sums), self._at["group"]
        chosen = Array(self._rows[p::P])[group]
        if all(self._unused[p::P]):
            return chosen
        # As long as a sum, because the uncorrected field may have wrapped.
        corrected = Signal.like(self.sums[p])
        self.comb += corrected.eq(chosen - Array(self._fixes[p::P])[group])
        return corrected

    def pairs(self):
        """Sums added up two by two, in the cycle of ``sums``: list of Signals, and the last sum alone where P is odd."""
        P, pairs = len(self.sums), []
        for p in range(0, P - 1, 2):
            pair = Signal((len(self.sums[p]) + 1, True), reset_less=True)
            self.sync += If(self._at["valid"], pair.eq(self._corrected(p) + self._corrected(p + 1)))
            pairs.append(pair)
        return [*pairs, *self.sums[P - P % 2:]]

    def _column(self, valid, column, values):
        """Register with the selected column of a row; ``values``: C Signals or constants."""
        row = Signal((max(len(value) for value in values if isinstance(value, Signal)), True), reset_less=True)
        self.sync += If(valid, choose(column, values, row))
        return row
