"""The R x C array of multiply-accumulate lanes: R tokens times C channels, one k a cycle."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.lane import DspLanePair, LaneFlags, LutLane


class MatrixArray(LiteXModule):
    """Sums ``row[r] * column[g][c]`` over k for every row r and column c, where g is the row's group.

    Timing, with operands presented in cycle t (``row``, ``digit``, ``column``, and their flags):
    operand registers t + 1, product t + 2, accumulator t + 3, and after ``last`` the drain registers ``sums`` t + 4. They
    hold until the next ``last``.

    Attributes:
        row: list of R signed operands; digit: weight of the row operand, in digits; column: list of groups, each a list of C
            signed operands (one group where the build has no wide steps).
        valid: operands are there; first: clears the sums; shift: multiplies them by one digit before adding; last: captures
            them.
        sums: R x C list of signed drain registers.
    """

    def __init__(self, hw):
        groups      = hw.groups if hw.wide else 1
        self.row    = [Signal((hw.row_bits, True)) for _ in range(hw.rows)]
        self.digit  = Signal(max=max(hw.digits, 2))
        self.column = [[Signal((hw.column_bits, True)) for _ in range(hw.columns)] for _ in range(groups)]
        self.valid, self.first, self.shift, self.last = Signal(), Signal(), Signal(), Signal()
        self.sums   = [[None] * hw.columns for _ in range(hw.rows)]

        # # #

        # Flags reach the accumulator two cycles after the operand registers' input.
        flags = LaneFlags()
        first, shift, last = Signal(), Signal(), Signal(2)
        self.sync += [
            flags.multiply.eq(self.valid), flags.accumulate.eq(flags.multiply),
            first.eq(self.first), flags.first.eq(first),
            shift.eq(self.shift), flags.shift.eq(shift),
            last.eq(Cat(self.last, last)), flags.capture.eq(last[1]),
        ]

        columns = []
        for group in self.column:
            registers = [Signal.like(operand) for operand in group]
            self.sync += If(self.valid, *(register.eq(operand) for register, operand in zip(registers, group)))
            columns.append(registers)

        pairs = hw.dsp_lanes // 2
        for r in range(hw.rows):
            column  = columns[r // hw.requantizers if hw.wide else 0]
            row     = Signal.like(self.row[r])
            self.sync += If(self.valid, row.eq(self.row[r]))
            weighted = None
            c = 0
            while c < hw.columns:
                if pairs and c + 1 < hw.columns:
                    if weighted is None:
                        weighted = self._weighted_row(hw, r)
                    lane = DspLanePair(weighted, column[c:c + 2], flags, hw.accumulator_bits)
                    self.sums[r][c:c + 2] = lane.sums
                    pairs, c = pairs - 1, c + 2
                else:
                    lane = LutLane(row, column[c], flags, hw.accumulator_bits, hw.row_bits)
                    self.sums[r][c] = lane.sum
                    c += 1
                self.submodules += lane

    def _weighted_row(self, hw, r):
        """Register with row operand r times its digit's weight."""
        weighted = Signal((hw.row_bits * hw.digits, True))
        cases = {d: weighted.eq(self.row[r] << (hw.row_bits * d)) for d in range(hw.digits)}
        self.sync += If(self.valid, Case(self.digit, cases))
        return weighted
