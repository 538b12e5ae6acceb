# SPDX-License-Identifier: BSD-2-Clause
"""Registers that synthesis does not merge, in simulation; that it keeps them is in ``tests/flow/measure/test_area.py``."""

from migen import *

from liteformer.accel.gateware.copies import kept_copy

from .common import read_all, simulate

def test_a_cycle_later():
    dut, seen = Module(), []
    dut.value  = Signal(2)
    dut.copies = [kept_copy(dut, dut.value), kept_copy(dut, dut.value), kept_copy(dut, dut.value ^ 3)]

    def bench():
        for value in (1, 2, 3, 0):
            yield dut.value.eq(value)
            yield
            seen.append((yield from read_all(dut.copies)))

    simulate(dut, bench())
    assert seen == [[0, 0, 3], [1, 1, 2], [2, 2, 1], [3, 3, 0]]
