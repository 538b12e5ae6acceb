# SPDX-License-Identifier: BSD-2-Clause
"""LiteFormerCore through its registers alone, as the C driver sees it."""

from migen import *

from litex.soc.interconnect import csr_bus

from liteformer.accel.core import ERROR_ABORTED, ERROR_NOT_READY, IDENTIFIER, OUTPUT_WORD, VERSION, LiteFormerCore

from .common import simulate, wishbone_read, wishbone_write
from .test_core import COMPILED, EXPECTED, SERIES


class WithRegisters(Module):
    """A core with its CSRs in a bank, each a word; ``address`` by name."""

    def __init__(self):
        self.submodules.core = core = LiteFormerCore(COMPILED)
        self.csr = csr_bus.Interface(data_width=32, address_width=14)
        self.submodules.bank = bank = csr_bus.CSRBank(core.get_csrs(), bus=self.csr)
        self.address = {csr.name.rstrip("0"): index for index, csr in enumerate(bank.simple_csrs)}

    def read(self, name):
        yield self.csr.adr.eq(self.address[name])
        yield
        yield
        return (yield self.csr.dat_r)

    def write(self, name, value):
        yield from self.csr.write(self.address[name], value)
        yield


def test_registers():
    """The recipe of the driver, through registers alone: identify, push, start, wait for the event, read."""
    dut = WithRegisters()
    core = dut.core
    ready, done, model, error = 1, 4, 8, lambda code: code << 4

    def bench():
        assert (yield from dut.read("identifier")) == IDENTIFIER == int.from_bytes(b"LFMR", "big")
        assert (yield from dut.read("version")) == VERSION == 0x10000
        assert (yield from dut.read("model_id")) == int(COMPILED.model.id[:8], 16)
        assert (yield from dut.read("build")) == 0
        assert (yield from dut.read("shape")) == 2 | 2 << 11 | 2 << 20
        yield from dut.write("ev_enable", 3)
        # Started too early: error 1, and its event.
        yield from dut.write("control", 1)
        yield
        yield
        assert (yield from dut.read("status")) == model | error(ERROR_NOT_READY)
        assert (yield from dut.read("ev_pending")) == 2
        assert (yield core.ev.irq)
        yield from dut.write("ev_pending", 2)
        yield
        assert not (yield core.ev.irq)
        for row in SERIES[:2]:
            for feature, value in enumerate(row):
                yield from wishbone_write(core.bus, feature, value)
        yield from dut.write("control", 1)
        while not (yield core.ev.irq):
            yield
        yield
        assert (yield from dut.read("ev_pending")) == 1
        assert (yield from dut.read("status")) == model | ready | done
        assert (yield from dut.read("cycles")) == COMPILED.cycles
        for output in range(2):
            assert (yield from wishbone_read(core.bus, OUTPUT_WORD + output)) == EXPECTED[0][output]
        yield from dut.write("ev_pending", 1)
        # Abort, then clear.
        yield from dut.write("control", 1)
        yield
        yield from dut.write("control", 2)
        yield
        while (yield core.busy):
            yield
        assert (yield from dut.read("status")) == model | ready | error(ERROR_ABORTED)
        assert (yield from dut.read("ev_pending")) == 2
        yield from dut.write("control", 4)
        yield
        yield
        assert (yield from dut.read("status")) == model

    simulate(dut, bench())
