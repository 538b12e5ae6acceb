# SPDX-License-Identifier: BSD-2-Clause
"""The product in LUTs against Python's, exhaustively."""

import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.fabric import FabricProduct

from .common import simulate


class Product(Module):
    def __init__(self, a_bits, b_bits):
        self.a, self.b = Signal((a_bits, True)), Signal((b_bits, True))
        self.product = Signal((a_bits + b_bits, True))
        self.submodules.unit = unit = FabricProduct(self.a, self.b)
        self.comb += self.product.eq(unit.product + unit.carry)


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
                yield
                yield
                seen.append((yield dut.product))

    simulate(dut, bench())
    assert seen == [a * b for a in values(a_bits) for b in values(b_bits)]
    # Negative control: the unsigned product would be seen.
    assert seen != [abs(a) * b for a in values(a_bits) for b in values(b_bits)]
