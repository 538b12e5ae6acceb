# SPDX-License-Identifier: BSD-2-Clause
"""Multiply-accumulate lanes: one product per cycle each, built from LUTs or in pairs from one DSP48E1.

Both kinds take the same operands in the same cycle and have their sum ready in the same cycle:

    row (row_bits) --+--> product, hw.product_cycles --> accumulator --> drain register
    column (column_bits) --^                              ^ |
                                                          +-+  (x 2**row_bits where a lower digit of the row operand begins)

Between the products of a sum there is no pause, and nothing reads a sum after the next product but its drain register. So
products and sums may move on with whatever the operands hold, and one enable serves all of them.
"""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import PipelinedProduct, extended


def pair_field(block, column_bits):
    """Bits of the lower sum's field in a DspBlock; one below the wide port, since two most negative operands need a carry."""
    return block.wide - 1 - column_bits


class LaneFlags:
    """Commands to lanes: ``active``, products and sums move on in this cycle; ``first``, the sum starts with this product;
    ``shift``, it is multiplied by one digit before (None where operands have a single digit); ``capture``, the drain register
    takes the sum."""

    def __init__(self, active, first, shift, capture):
        self.active, self.first, self.shift, self.capture = active, first, shift, capture


class LutLane(LiteXModule):
    """A lane in fabric logic.

    Args:
        rows, columns: lists of operands as for PipelinedProduct; carry: that of the lowest digit, with the product.
        flags: LaneFlags; acc_bits: proven accumulator width; row_bits: width of a digit.
    Attributes:
        sum: drain register, signed ``acc_bits``.
    """

    def __init__(self, rows, columns, carry, flags, acc_bits, row_bits):
        self.sum = Signal((acc_bits, True), reset_less=True)

        # # #

        self.product = product = PipelinedProduct(rows, columns)
        # Unsigned, as long as both summands: the carry then costs no LUT.
        acc  = Signal(acc_bits, reset_less=True)
        kept = Mux(flags.first, Constant(0, acc_bits), acc)
        if flags.shift is not None:
            shifted = Cat(Constant(0, row_bits), acc[:acc_bits - row_bits]) if acc_bits > row_bits else Constant(0, acc_bits)
            kept = Mux(flags.first, Constant(0, acc_bits), Mux(flags.shift, shifted, acc))
        self.sync += [
            If(flags.capture, self.sum.eq(acc)),
            If(flags.active,
                acc.eq(extended(Cat(*product.bits), acc_bits) + kept + carry),
                *product.load,
            ),
        ]


class ColumnPair(LiteXModule):
    """The wide factor of a DspLanePair in a register: ``(c1 << field) + c0`` of two column operands, a cycle later.

    Args:
        columns: two signed operands; block: DspBlock of the device.
    Attributes:
        packed: signed, as wide as the wide port.
    """

    def __init__(self, columns, block):
        self.packed = Signal((block.wide, True), reset_less=True)

        # # #

        low, high = columns
        field = pair_field(block, len(low))
        sign  = low[len(low) - 1]
        upper = Signal(block.wide - field)
        self.comb += upper.eq(extended(high, len(upper)) + Replicate(sign, len(upper)))
        self.sync += self.packed.eq(Cat(extended(low, field), upper))


class PackedSums(LiteXModule):
    """Two sums in one register, ``(s1 << field) + s0``: what lanes in DSP blocks have in common.

    If both sums fit ``field`` bits, starting at half of the low field's range keeps s0 from borrowing from s1 and no correction
    is needed. If they do not, a small counter counts the wraps of the low field: a product is less than a quarter of the range,
    so the two top bits before and after show a wrap. Then s0 is counter and field, and s1 the upper part minus the counter, a
    subtraction left to the reader of the drain register (``fix``), which has one subtractor for many lanes.
    """

    @staticmethod
    def _start(field, acc_bits):
        """What the accumulator holds before the first product."""
        return 1 << (field - 1) if acc_bits <= field else 0

    def _split(self, drain, sums, field, flags, top):
        """Both sums of a drain register; returns what to subtract from the second, or None.

        Args:
            sums: two Signals to drive; flags: LaneFlags; top: the two top bits of the low field, in the accumulator.
        """
        acc_bits = len(sums[0])
        self.comb += sums[1].eq(drain[field:])
        if acc_bits <= field:
            sign = drain[acc_bits - 1]
            self.comb += sums[0].eq(Cat(drain[:acc_bits - 1], ~sign if acc_bits == field else sign))
            return None
        wraps = self._wraps(flags, top, acc_bits - field)
        fix   = Signal((acc_bits - field, True), reset_less=True)
        self.sync += If(flags.capture, fix.eq(wraps))
        self.comb += sums[0].eq(Cat(drain[:field], fix))
        return fix

    def _wraps(self, flags, top, bits):
        """Signed count of the low field's wraps since the first product, including its present value."""
        before, first = Signal(2, reset_less=True), Signal(reset_less=True)
        count, now    = Signal((bits, True), reset_less=True), Signal((bits, True))
        up, down      = Signal(), Signal()
        self.comb += [
            up.eq((before == 3) & (top == 0)),
            down.eq((before == 0) & (top == 3)),
            now.eq(Mux(first, 0, count) + up - down),
        ]
        self.sync += If(flags.active, first.eq(flags.first), before.eq(Mux(flags.first, 0, top)), count.eq(now))
        return now


class DspLanePair(PackedSums):
    """Two lanes of neighbouring columns in one DSP48E1: ``(c1 << field) + c0`` times the row operand.

    The row operand is already multiplied by its digit's weight, so the accumulator never shifts.

    Args:
        row: weighted row operand; packed: both columns (see ColumnPair), in the same cycle; both are registers.
        column_bits: width of a column operand; flags: LaneFlags; acc_bits: proven accumulator width.
        block: DspBlock of the device.
    Attributes:
        sums: two drain registers, signed ``acc_bits``; fix: None, or the value to subtract from the second.
    """

    def __init__(self, row, packed, column_bits, flags, acc_bits, block):
        field = pair_field(block, column_bits)
        assert field + acc_bits <= block.accumulator and len(row) <= block.narrow
        self.sums = [Signal((acc_bits, True)) for _ in range(2)]

        # # #

        start   = self._start(field, acc_bits)
        product = Signal((block.wide + len(row), True), reset_less=True)
        p       = Signal((block.accumulator, True), reset_less=True)
        drain   = Signal(field + acc_bits, reset_less=True)
        self.sync += [
            If(flags.capture, drain.eq(p)),
            If(flags.active,
                p.eq(product + Mux(flags.first, start, p)),
                product.eq(packed * row),
            ),
        ]
        self.fix = self._split(drain, self.sums, field, flags, p[field - 2:field])
