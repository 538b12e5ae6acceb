# SPDX-License-Identifier: BSD-2-Clause
"""The R x C array of multiply-accumulate lanes: R tokens times C channels, one k per cycle."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.lane import DspLanePair, LaneFlags, LutLane


class MatrixArray(LiteXModule):
    """Sums ``row[r] * column[g][c]`` over k for every row r and column c, where g is the row's group.

    The operand registers are loaded from outside, so that their multiplexers need no evaluation while nothing is issued.
    Timing, with the operand registers loaded at the end of cycle t, in which ``valid`` and the flags are set: product t + 2,
    accumulator t + 3, and after ``last`` the drain registers ``sums`` t + 4. They hold until the next ``last``.

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
        self.row      = [Signal((hw.row_bits, True)) for _ in range(hw.rows)]
        self.weighted = [None] * hw.rows
        self.column   = [[Signal((hw.column_bits, True)) for _ in range(hw.columns)] for _ in range(groups)]
        self.valid, self.first, self.shift, self.last = Signal(), Signal(), Signal(), Signal()
        self.sums     = [[None] * hw.columns for _ in range(hw.rows)]
        self.fixes    = [[None] * hw.columns for _ in range(hw.rows)]

        # # #

        flags = LaneFlags()
        first, shift, last = Signal(), Signal(), Signal(2)
        self.sync += [
            flags.multiply.eq(self.valid), flags.accumulate.eq(flags.multiply),
            first.eq(self.first), flags.first.eq(first),
            shift.eq(self.shift), flags.shift.eq(shift),
            last.eq(Cat(self.last, last)), flags.capture.eq(last[1]),
        ]

        pairs = hw.dsp_lanes // 2
        for r in range(hw.rows):
            column = self.column[r // hw.requantizers if hw.wide else 0]
            c = 0
            while c < hw.columns:
                name = f"lane_{r}_{c}"
                if pairs and c + 1 < hw.columns:
                    if self.weighted[r] is None:
                        self.weighted[r] = Signal((hw.row_bits * hw.digits, True))
                    lane = DspLanePair(self.weighted[r], column[c:c + 2], flags, hw.accumulator_bits, hw.dsp_block)
                    self.sums[r][c:c + 2] = lane.sums
                    self.fixes[r][c + 1] = lane.fix
                    pairs, c = pairs - 1, c + 2
                else:
                    lane = LutLane(self.row[r], column[c], flags, hw.accumulator_bits, hw.row_bits)
                    self.sums[r][c] = lane.sum
                    c += 1
                self.add_module(name=name, module=lane)
