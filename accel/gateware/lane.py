# SPDX-License-Identifier: BSD-2-Clause
"""Multiply-accumulate lanes: one product per cycle each, built from LUTs or in pairs from one DSP48E1.

Both kinds take the same operands in the same cycle and have their sum ready in the same cycle:

    row (row_bits) --+--> product --> accumulator --> drain register
    column (column_bits) --^              ^ |
                                          +-+  (x 2**row_bits where a lower digit of the row operand begins)
"""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import ProductRegister


def pair_field(block, column_bits):
    """Bits of the lower sum's field in a DspBlock; one below the wide port, since two most negative operands need a carry."""
    return block.wide - 1 - column_bits


class LaneFlags:
    """Commands to the lanes in this cycle: load the product, load the accumulator (``first`` from zero, ``shift`` after a shift
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

        self.product = product = ProductRegister(row, column)
        sign = product.bits[-1][len(product.bits[-1]) - 1]
        # The carry of the product enters through an extra lowest bit.
        acc  = Signal(acc_bits + 1)
        sums = acc[1:]
        kept = Mux(flags.first, 0, Mux(flags.shift, sums << row_bits, sums))
        self.sync += [
            If(flags.capture, self.sum.eq(sums)),
            If(flags.accumulate, acc.eq(Cat(Constant(1, 1), *product.bits, Replicate(sign, acc_bits))
                                         + Cat(product.carry, kept))),
            If(flags.multiply, *product.load),
        ]


class DspLanePair(LiteXModule):
    """Two lanes of neighbouring columns in one DSP48E1: ``(c1 << field) + c0`` times the row operand.

    The product register then holds ``(s1 << field) + s0`` for the two sums. If both sums fit ``field`` bits, starting at
    half of the low field's range keeps s0 from borrowing from s1 and no correction is needed. If they do not, a small
    counter counts the wraps of the low field: a product is less than a quarter of the range, so the two top bits before
    and after show a wrap. Then s0 is counter and field, and s1 the upper part minus the counter, a subtraction left to the
    reader of the drain register (``fix``), which has one subtractor for many lanes. The row operand is already multiplied by
    its digit's weight, so the accumulator never shifts.

    Args:
        row: weighted row operand; columns: two column operands; flags: LaneFlags; acc_bits: proven accumulator width;
        block: DspBlock of the device.
    Attributes:
        sums: two drain registers, signed ``acc_bits``; fix: None, or the value to subtract from the second.
    """

    def __init__(self, row, columns, flags, acc_bits, block):
        field = pair_field(block, len(columns[0]))
        assert field + acc_bits <= block.accumulator and len(row) <= block.narrow
        self.sums = [Signal((acc_bits, True)) for _ in range(2)]
        self.fix  = None

        # # #

        fits    = acc_bits <= field
        start   = 1 << (field - 1) if fits else 0
        a       = Signal((block.wide, True))
        product = Signal((block.wide + len(row), True))
        p       = Signal((block.accumulator, True))
        upper   = Signal((field + len(columns[1]), True))
        drain   = Signal(field + acc_bits)
        self.comb += [
            upper.eq(Cat(Constant(0, field), columns[1])),
            a.eq(columns[0] + upper),
        ]
        self.sync += [
            If(flags.capture, drain.eq(p)),
            If(flags.accumulate, p.eq(product + Mux(flags.first, start, p))),
            If(flags.multiply, product.eq(a * row)),
        ]
        self.comb += self.sums[1].eq(drain[field:])
        if fits:
            sign = drain[acc_bits - 1]
            self.comb += self.sums[0].eq(Cat(drain[:acc_bits - 1], ~sign if acc_bits == field else sign))
        else:
            wraps = self._wraps(flags, p[field - 2:field], acc_bits - field)
            self.fix = Signal((acc_bits - field, True))
            self.sync += If(flags.capture, self.fix.eq(wraps))
            self.comb += self.sums[0].eq(Cat(drain[:field], self.fix))

    def _wraps(self, flags, top, bits):
        """Signed count of the low field's wraps since the first product, including its present value."""
        before, updated, first = Signal(2), Signal(), Signal()
        count, now = Signal((bits, True)), Signal((bits, True))
        up, down   = Signal(), Signal()
        self.comb += [
            up.eq(updated & (before == 3) & (top == 0)),
            down.eq(updated & (before == 0) & (top == 3)),
            now.eq(Mux(first, 0, count) + up - down),
        ]
        self.sync += [
            updated.eq(flags.accumulate),
            first.eq(flags.accumulate & flags.first),
            If(flags.accumulate, before.eq(Mux(flags.first, 0, top))),
            count.eq(now),
        ]
        return now
