# SPDX-License-Identifier: BSD-2-Clause
"""Registers that synthesis does not merge, in simulation; that it keeps them is in ``tests/flow/measure/test_area.py``."""

from migen import *

from litex.gen.fhdl.verilog import convert

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


def test_a_reset_where_it_is_asked_for():
    dut, seen = Module(), []
    dut.clock_domains.cd_sys = ClockDomain()
    dut.value  = Signal(reset=1)
    dut.copies = [kept_copy(dut, dut.value, reset=True), kept_copy(dut, dut.value)]

    def bench():
        for reset in (0, 1, 0):
            yield dut.cd_sys.rst.eq(reset)
            yield
            yield
            seen.append((yield from read_all(dut.copies)))

    simulate(dut, bench())
    assert seen == [[1, 1], [0, 1], [1, 1]]


def test_a_domain_without_a_reset():
    dut = Module()
    dut.clock_domains.cd_sys = ClockDomain(reset_less=True)
    value = Signal()
    copy = kept_copy(dut, value, reset=True)
    text = str(convert(dut, ios={value, copy, dut.cd_sys.clk}))
    assert "_kept <= value" in text and "if (" not in text
