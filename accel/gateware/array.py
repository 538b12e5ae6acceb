# SPDX-License-Identifier: BSD-2-Clause
"""The R x C array of multiply-accumulate lanes: R tokens times C channels, one k per cycle."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.lane import ColumnPair, DspLanePair, LaneFlags, LutLane
from liteformer.accel.gateware.pumped import DspLaneQuad, Halves, PumpedFlags, RowPair

# Loads that a net of operands or flags should have at most: its delay grows with them.
LOADS = 64
# Lanes of four that one copy of a flag serves.
QUADS = 4


class MatrixArray(LiteXModule):
    """Sums ``row[r] * column[g][c]`` over k for every row r and column c, where g is the row's group.

    The operand registers are loaded from outside, so that their multiplexers need no evaluation while nothing is issued.
    Timing, with the operand registers loaded at the end of cycle t, in which ``valid`` and the flags are set, and n cycles
    for a product (``hw.product_cycles``): copies of the operands near the lanes t + 2, product t + n + 1, accumulator
    t + n + 2, and after ``last`` the drain registers ``sums`` t + n + 3. They hold until the next ``last``.

    Attributes:
        row: list of R signed operand registers; weighted: the same times their digit's weight, for rows with DSP lanes
            (None elsewhere); column: list of groups, each a list of C signed operand registers (one group where the build
            has no wide steps).
        valid: operands are there; first: clears the sums; shift: multiplies them by one digit before adding; last: captures
            them.
        sums: R x C list of signed drain registers; fixes: the same shape, a value that the reader must subtract (or None).
    """

    def __init__(self, hw):
        groups        = hw.groups if hw.wide else 1
        self.row      = [Signal((hw.row_bits, True), reset_less=True) for _ in range(hw.rows)]
        self.weighted = [None] * hw.rows
        self.column   = [[Signal((hw.column_bits, True), reset_less=True) for _ in range(hw.columns)] for _ in range(groups)]
        self.valid, self.first, self.shift, self.last = Signal(), Signal(), Signal(), Signal()
        self.sums     = [[None] * hw.columns for _ in range(hw.rows)]
        self.fixes    = [[None] * hw.columns for _ in range(hw.rows)]

        # # #

        n = hw.product_cycles
        self._columns = {}
        self._pairs   = {}
        self._commands(n)
        quads, pairs = set(hw.quads), set(hw.pairs)
        if quads:
            self.halves = Halves()
        weighted = {}
        # Lanes that one copy of a flag serves, rows that one copy of a column operand serves.
        near  = max(1, LOADS // hw.accumulator_bits)
        block = max(1, LOADS // (2 * hw.row_bits + 4))
        for r in range(hw.rows):
            group = r // hw.requantizers if hw.wide else 0
            here  = group, r // block
            line  = self._delayed(self.row[r], n)
            active, capture = kept_copy(self, self._active), kept_copy(self, self._capture)
            c, lanes, four  = 0, 0, 0
            while c < hw.columns:
                if self.sums[r][c] is not None:
                    c += 2  # Of a block that began in the row above.
                    continue
                for line_of in [r, r + 1] if (r, c) in quads else [r] if (r, c) in pairs else []:
                    if line_of not in weighted:
                        self.weighted[line_of] = Signal((hw.row_bits * hw.digits, True), reset_less=True)
                        wide = self._delayed(self.weighted[line_of], n)
                        weighted[line_of] = wide[n - 1]
                if (r, c) in quads:
                    if four % QUADS == 0:
                        pumped = PumpedFlags(self, self._active, self._first, self._capture, self.halves)
                    if four == 0:
                        both = RowPair([weighted[r], weighted[r + 1]], pumped.second)
                        self.add_module(name=f"rows_{r}", module=both)
                    lane = DspLaneQuad(both.row, self._packed(hw, group, c, n), hw.column_bits, pumped, hw.accumulator_bits,
                                       hw.dsp_block)
                    for below, (sums, fix) in enumerate(zip(lane.sums, lane.fixes)):
                        self.sums[r + below][c:c + 2] = sums
                        self.fixes[r + below][c + 1] = fix
                    self.add_module(name=f"lane_{r}_{c}", module=lane)
                    c, four = c + 2, four + 1
                    continue
                if lanes % near == 0:
                    first = kept_copy(self, self._first)
                    shift = kept_copy(self, self._shift) if hw.digits > 1 else None
                    flags = LaneFlags(active, first, shift, capture)
                lanes += 1
                name = f"lane_{r}_{c}"
                if (r, c) in pairs:
                    lane = DspLanePair(weighted[r], self._packed(hw, group, c, n), hw.column_bits, flags,
                                       hw.accumulator_bits, hw.dsp_block)
                    self.sums[r][c:c + 2] = lane.sums
                    self.fixes[r][c + 1] = lane.fix
                    c += 2
                else:
                    columns = self._near(here, group, c, n)
                    lane = LutLane(line[1:n], columns[:n - 1], columns[n - 1][min(1, hw.column_bits - 1)], flags,
                                   hw.accumulator_bits, hw.row_bits)
                    self.sums[r][c] = lane.sum
                    c += 1
                self.add_module(name=name, module=lane)

    def _commands(self, n):
        """Sources of the lanes' flags, each a cycle before its copies are needed."""
        valid, first, shift, last = self.valid, self.first, self.shift, self.last
        busy = []
        for cycle in range(n + 1):
            stage = [Signal() for _ in range(4)]
            self.sync += [signal.eq(before) for signal, before in zip(stage, (valid, first, shift, last))]
            valid, first, shift, last = stage
            if cycle < n:
                busy.append(valid)
            if cycle == n - 1:
                self._first, self._shift = first, shift
        self._capture = last
        self._active  = Signal()
        # From the cycle after the operands are loaded until their product is in the sums.
        self.comb += self._active.eq(Cat(*busy) != 0)

    def _delayed(self, operand, n):
        """The operand and ``n - 1`` registers behind it."""
        line = [operand]
        for _ in range(n - 1):
            register = Signal.like(operand, reset_less=True)
            self.sync += register.eq(line[-1])
            line.append(register)
        return line

    def _near(self, place, group, c, n):
        """A column operand near a block of rows, from cycle t + 2 on: list of ``n`` Signals, a cycle apart."""
        if (place, c) not in self._columns:
            self._columns[place, c] = self._delayed(kept_copy(self, self.column[group][c]), n)
        return self._columns[place, c]

    def _packed(self, hw, group, c, n):
        """Two column operands packed for DSP lanes, a cycle before their product is."""
        if (group, c) not in self._pairs:
            operands = [self._delayed(self.column[group][c + i], n - 1)[-1] for i in range(2)]
            pair = ColumnPair(operands, hw.dsp_block)
            self.add_module(name=f"pair_{group}_{c}", module=pair)
            self._pairs[group, c] = pair.packed
        return self._pairs[group, c]
