# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of the arithmetic: requantizer, products, lanes."""

from functools import partial

from migen import *

from liteformer.accel import numerics
from liteformer.accel.devices import DSP48E1, DspBlock
from liteformer.accel.gateware.lane import ColumnPair, DspLanePair, LaneFlags, LutLane, pair_field
from liteformer.accel.gateware.product import StagedProduct
from liteformer.accel.gateware.requantizer import INPUT_TO_CLAMP, INPUT_TO_RESULT, Requantizer, ResidualScale
from liteformer.flow.prove.proof import INDUCTION, PIPELINE, Bench, Proof


def _signed(bits):
    return Signal((bits, True))


def written_out(bench, one, other, bits):
    """The signed product as the sum of what each bit of ``one`` contributes, which solvers decide faster than ``*``."""
    wide, summed = _signed(bits), 0
    bench.comb += wide.eq(other)
    for place in range(len(one)):
        term = _signed(bits)
        bench.comb += term.eq(Mux(one[place], wide << place, 0))
        summed = summed - term if place == len(one) - 1 else summed + term
    product = _signed(bits)
    bench.comb += product.eq(summed)
    return product


class RequantizerBench(Bench):
    """``result`` and ``total`` five cycles after any operands, against the contract written in one line.

    Args:
        widths: acc, multiplier, residual, residual multiplier, offset with the half; clamps; block: DspBlock.
    """

    PORTS = ("acc", "multiplier", "residual", "residual_multiplier", "offset")

    def __init__(self, widths, clamps, block=DSP48E1):
        super().__init__()
        acc, multiplier, residual, scale, offset = widths
        self.dut = dut = Requantizer(acc, multiplier, scale, residual, offset, clamps, block, with_total=True)
        seen = {}
        for name in self.PORTS:
            port = getattr(dut, name)
            seen[name] = self.past(self.input(port), INPUT_TO_RESULT)
        clamp = self.input(dut.clamp)
        self.assumed.append(clamp < len(clamps))
        clamped = self.past(clamp, INPUT_TO_RESULT - INPUT_TO_CLAMP)
        # Wide enough for every sum.
        bits  = max(acc + multiplier, residual + scale + numerics.RESIDUAL_SHIFT, offset + numerics.OFFSET_SHIFT) + 2
        whole, shifted, product = _signed(bits), _signed(bits), _signed(acc + multiplier)
        self.comb += [
            product.eq(seen["acc"] * seen["multiplier"]),
            whole.eq(product
                     + (written_out(self, seen["residual"], seen["residual_multiplier"], bits) << numerics.RESIDUAL_SHIFT)
                     + (seen["offset"] << numerics.OFFSET_SHIFT)),
            shifted.eq(whole >> numerics.SHIFT),
        ]
        for index, width in enumerate(clamps):
            limited = self._limited(shifted, width, bits)
            self.asserted.append((clamped != index) | (dut.result == limited))
        self.equal(dut.total, self._limited(shifted, 32, bits))

    def _limited(self, value, width, bits):
        low, high = (self.constant(bound, bits) for bound in numerics.signed_range(width))
        limited = _signed(bits)
        self.comb += limited.eq(Mux(value > high, high, Mux(value < low, low, value)))
        return limited


class ScaleBench(Bench):
    """``(residual * scale << 8) + (offset << 10)`` two cycles after the operands."""

    def __init__(self, residual_bits, scale_bits, offset_bits):
        super().__init__()
        residual, scale, offset = (self.input(_signed(bits)) for bits in (residual_bits, scale_bits, offset_bits))
        self.dut = dut = ResidualScale(residual, scale, offset)
        self.sync += dut.load
        # In units of 1 << RESIDUAL_SHIFT, and below them nothing.
        whole = _signed(max(residual_bits + scale_bits, offset_bits + 2) + 1)
        self.comb += whole.eq(written_out(self, self.past(residual, 2), self.past(scale, 2), len(whole))
                              + (self.past(offset, 2) << numerics.OFFSET_SHIFT - numerics.RESIDUAL_SHIFT))
        self.equal(dut.value[numerics.RESIDUAL_SHIFT:], whole[:len(dut.value) - numerics.RESIDUAL_SHIFT])
        self.equal(dut.value[:numerics.RESIDUAL_SHIFT], 0)


class ProductBench(Bench):
    """The product of several multipliers two cycles after its factors."""

    def __init__(self, first_bits, second_bits, block):
        super().__init__()
        first, second = self.input(_signed(first_bits)), self.input(_signed(second_bits))
        self.dut = dut = StagedProduct(first, second, block)
        self.sync += dut.load
        self.equal(dut.value, written_out(self, self.past(first, 2), self.past(second, 2), first_bits + second_bits))


class LutLaneBench(Bench):
    """One step of a lane: the sum grows by the product of the operands, anew with ``first``, moved by a digit with ``shift``.

    The drain register follows the sum in every cycle, so that both are seen. A sum of any length is made of such steps.
    """

    def __init__(self, row_bits, column_bits, acc_bits):
        super().__init__()
        row, column = self.input(_signed(row_bits)), self.input(_signed(column_bits))
        active, first, shift = (self.input(Signal()) for _ in range(3))
        cycles  = 1 + max(1, -(-column_bits // 2) - 1)  # Hardware.product_cycles
        rows    = [self.past(row, n) for n in range(cycles)]
        columns = [self.past(column, n) for n in range(cycles)]
        flags   = LaneFlags(active, first, shift, Constant(1))
        self.dut = dut = LutLane(rows[:cycles - 1], columns[:cycles - 1], columns[cycles - 1][min(1, column_bits - 1)], flags,
                                 acc_bits, row_bits)
        before = self.past(dut.sum)
        kept, summed = Signal(acc_bits), Signal(acc_bits)
        moved = Signal(acc_bits + row_bits)
        self.comb += [
            moved.eq(Cat(Constant(0, row_bits), before)),
            kept.eq(Mux(self.past(first, 2), 0, Mux(self.past(shift, 2), moved, before))),
            summed.eq(kept + written_out(self, self.past(row, cycles + 1), self.past(column, cycles + 1),
                                         max(acc_bits, row_bits + column_bits))),
        ]
        moving = 1
        for cycle in range(2, cycles + 2):
            moving = moving & self.past(active, cycle)
        now = Signal(acc_bits)
        self.comb += now.eq(dut.sum)
        self.asserted += [~moving | (now == summed), self.past(active, 2) | (dut.sum == before)]


class DspPairBench(Bench):
    """Both sums of a DSP block are those of two accumulators, as long as these fit their width."""

    def __init__(self, row_bits, column_bits, acc_bits, block=DSP48E1):
        super().__init__()
        row = self.input(_signed(row_bits))
        columns = [self.input(_signed(column_bits)) for _ in range(2)]
        first = self.input(Signal())
        self.pair = pair = ColumnPair(columns, block)
        self.dut  = dut = DspLanePair(self.past(row), pair.packed, column_bits,
                                      LaneFlags(Constant(1), self.past(first, 2), None, Constant(1)), acc_bits, block)
        # Whether a sum has begun whose result is in the drain registers.
        begun = Signal()
        self.sync += If(self.past(first, 2), begun.eq(1))
        begun = self.past(begun)
        for number, column in enumerate(columns):
            ideal, step = _signed(acc_bits + 1), _signed(row_bits + column_bits)
            low, high = (self.constant(bound, acc_bits) for bound in numerics.signed_range(acc_bits))
            self.comb += step.eq(written_out(self, self.past(row, 2), self.past(column, 2), row_bits + column_bits))
            self.sync += ideal.eq(Mux(self.past(first, 2), 0, ideal) + step)
            self.assumed.append((ideal >= low) & (ideal <= high))
            got = _signed(acc_bits)
            fix = dut.fix if number and dut.fix is not None else 0
            self.comb += got.eq(dut.sums[number] - fix)
            self.asserted.append(~begun | (got == self.past(ideal)))


# A block of few bits, whose products take several of them.
TINY = DspBlock(wide=5, narrow=4, accumulator=0)
# A block whose low field is as tight for 4 x 4 bits as that of a DSP48E1 for 8 x 8.
SMALL = DspBlock(wide=13, narrow=4, accumulator=24)

PROOFS = [
    *(Proof(f"residual scale {residual} x {scale}", "residual times scale plus offset, by Booth digits, is the product",
            "requantizer", partial(ScaleBench, residual, scale, offset), PIPELINE, 2, (r"lowest <= ", "lowest <= ~"), 0)
      for residual, scale, offset in ((4, 16, 28), (6, 10, 20), (8, 6, 14))),
    Proof("residual scale 3 x 6", "residual times scale plus offset, by Booth digits, is the product", "requantizer",
          partial(ScaleBench, 3, 6, 11), PIPELINE, 2, (r"lowest <= ", "lowest <= ~"), 0, True),
    Proof("requantizer", "result and unclamped total are those of the contract, at the widths of a 4-bit model", "requantizer",
          partial(RequantizerBench, (13, 18, 4, 13, 20), (4, 10, 8)), PIPELINE, INPUT_TO_RESULT,
          (r"lowest <= ", "lowest <= ~"), 2),
    Proof("product of several multipliers", "its pieces add up to the product", "product", partial(ProductBench, 8, 6, TINY),
          PIPELINE, 2, (r"<<< 2'd3", "<<< 2'd2"), 1, True),
    Proof("LUT lane 4 x 4", "a step of the sum adds the product of the operands", "lane", partial(LutLaneBench, 4, 4, 13),
          PIPELINE, 8, (r"\? 13'd0 :", "? 13'd1 :"), None, True),
    Proof("LUT lane 6 x 6", "a step of the sum adds the product of the operands", "lane", partial(LutLaneBench, 6, 6, 16),
          PIPELINE, 10, (r"\? 16'd0 :", "? 16'd1 :"), None),
    Proof("DSP pair without wraps", "both sums are exact where they fit the low field", "lane",
          partial(DspPairBench, 4, 4, pair_field(DSP48E1, 4)), INDUCTION, 6, (r"1'd0, 20'd524288", "1'd0, 20'd1")),
    Proof("DSP pair with wraps", "both sums are exact with the counter of wraps", "lane",
          partial(DspPairBench, 4, 4, 11, SMALL), INDUCTION, 6, (r"== 2'd3", "== 2'd2")),
]
