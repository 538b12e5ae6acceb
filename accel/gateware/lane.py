"""Multiply-accumulate lanes: one product a cycle each, built from LUTs or in pairs from one DSP48E1.

Both kinds take the same operands in the same cycle and have their sum ready in the same cycle:

    row (row_bits) --+--> product --> accumulator --> drain register
    column (column_bits) --^              ^ |
                                          +-+  (x 2**row_bits where a lower digit of the row operand begins)
"""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import fabric_product

DSP_A_BITS  = 25
DSP_P_BITS  = 48


def pair_field(column_bits):
    """Bits of the lower sum's field; one below the port's width, since two most negative operands need a carry."""
    return DSP_A_BITS - 1 - column_bits


class LaneFlags:
    """What the lanes do in this cycle: load the product, load the accumulator (``first`` from zero, ``shift`` after a shift
    by one digit), load the drain register."""

    def __init__(self):
        self.multiply, self.accumulate, self.first, self.shift, self.capture = (Signal() for _ in range(5))


class LutLane(LiteXModule):
    """A lane in fabric logic.

    Args:
        row: registered row operand; column: registered column operand; flags: LaneFlags; acc_bits: proven accumulator
            width; row_bits: width of a digit.
    Attributes:
        sum: drain register, signed ``acc_bits``.
    """

    def __init__(self, row, column, flags, acc_bits, row_bits):
        self.sum = Signal((acc_bits, True))

        # # #

        product = Signal((len(row) + len(column), True))
        acc     = Signal((acc_bits, True))
        self.sync += [
            If(flags.multiply, product.eq(fabric_product(row, column))),
            If(flags.accumulate, acc.eq(product + Mux(flags.first, 0, Mux(flags.shift, acc << row_bits, acc)))),
            If(flags.capture, self.sum.eq(acc)),
        ]


class DspLanePair(LiteXModule):
    """Two lanes of neighbouring columns in one DSP48E1: ``(c1 << field) + c0`` times the row operand.

    The sum of the lower lane stays in the low ``field`` bits because they start at half of their range; the upper lane then
    needs no correction. Both sums must fit ``field`` bits. The row operand comes already multiplied by its digit's weight, so
    the accumulator never shifts.

    Attributes:
        sums: two drain registers, signed ``acc_bits``.
    """

    def __init__(self, row, columns, flags, acc_bits):
        field = pair_field(len(columns[0]))
        assert acc_bits <= field and field + acc_bits <= DSP_P_BITS
        self.sums = [Signal((acc_bits, True)) for _ in range(2)]

        # # #

        a       = Signal((DSP_A_BITS, True))
        product = Signal((DSP_A_BITS + len(row), True))
        p       = Signal((DSP_P_BITS, True))
        drain   = Signal(field + acc_bits)
        upper   = Signal((field + len(columns[1]), True))
        self.comb += [
            upper.eq(Cat(Constant(0, field), columns[1])),
            a.eq(columns[0] + upper),
        ]
        self.sync += [
            If(flags.multiply, product.eq(a * row)),
            If(flags.accumulate, p.eq(product + Mux(flags.first, 1 << (field - 1), p))),
            If(flags.capture, drain.eq(p)),
        ]
        self.comb += [
            self.sums[0].eq(Cat(drain[:acc_bits - 1], drain[acc_bits - 1] ^ (1 if acc_bits == field else 0))),
            self.sums[1].eq(drain[field:]),
        ]
