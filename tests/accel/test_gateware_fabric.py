# SPDX-License-Identifier: BSD-2-Clause
"""The product in LUTs against Python's, exhaustively."""

import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.fabric import PipelinedProduct, carry, digit_count, extended

from .common import simulate


class Product(Module):
    """The product of operands that hold for all its stages, and its last carry added."""

    def __init__(self, a_bits, b_bits):
        self.a, self.b = Signal((a_bits, True)), Signal((b_bits, True))
        self.product = Signal((a_bits + b_bits, True))
        stages = max(1, digit_count(b_bits) - 1)
        self.submodules.unit = unit = PipelinedProduct([self.a] * stages, [self.b] * stages)
        self.sync += unit.load
        self.comb += self.product.eq(extended(Cat(*unit.bits), a_bits + b_bits) + carry(self.b, 0))
        self.cycles = stages + 1


def values(bits):
    """All integers of a narrow width, the corners of a wide one."""
    lo, hi = numerics.signed_range(bits)
    return range(lo, hi + 1) if bits <= 5 else [lo, lo + 1, lo // 3, -1, 0, 1, hi // 3, hi - 1, hi]


@pytest.mark.parametrize(("a_bits", "b_bits"),
                         [(2, 2), (2, 5), (5, 2), (3, 3), (4, 4), (5, 3), (8, 8), (16, 4), (16, 7), (7, 16)])
def test_product(a_bits, b_bits):
    dut, seen = Product(a_bits, b_bits), []

    def bench():
        for a in values(a_bits):
            for b in values(b_bits):
                yield dut.a.eq(a)
                yield dut.b.eq(b)
                for _ in range(dut.cycles):
                    yield
                seen.append((yield dut.product))

    simulate(dut, bench())
    assert seen == [a * b for a in values(a_bits) for b in values(b_bits)]
    # Negative control: the unsigned product would be seen.
    assert seen != [abs(a) * b for a in values(a_bits) for b in values(b_bits)]
