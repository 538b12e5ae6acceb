# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of the registers behind the stand-alone core's Wishbone port."""

from functools import partial

from migen import *

from liteformer.accel.core import IDENTIFIER
from liteformer.flow.prove.control import tiny
from liteformer.flow.prove.proof import INDUCTION, Bench, Proof
from liteformer.soc.standalone import StandaloneCore


class RegistersBench(Bench):
    """One acknowledge a request within three cycles, whatever the byte selects; a write is kept if a byte is selected.

    Args:
        drops: requests may be dropped before their acknowledge; the bus then rests for two cycles.
    """

    def __init__(self, drops=False):
        super().__init__()
        self.core = core = StandaloneCore(tiny())
        bus, names = core.bus, [csr.name for csr in core.registers]
        cyc, stb, we, adr, data, sel = map(self.input, (bus.cyc, bus.stb, bus.we, bus.adr, bus.dat_w, bus.sel))
        request, waiting = Signal(), Signal()
        self.comb += request.eq(cyc & stb)
        before = self.past(request)
        self.comb += waiting.eq(before & ~self.past(bus.ack))
        held = Signal()
        self.comb += held.eq(request & (we == self.past(we)) & (adr == self.past(adr)) & (data == self.past(data))
                             & (sel == self.past(sel)))
        # The upper half of the port, that of the registers; the window has proofs of its own.
        here = 1 << len(adr) - 1
        self.assumed.append(adr[-1])
        if drops:
            dropped = Signal()
            self.comb += dropped.eq(waiting & ~request)
            self.assumed += [~waiting | held | ~request, ~self.past(dropped) | ~request, ~self.past(dropped, 2) | ~request]
            self.asserted.append(~bus.ack | ~request | (before & self.past(request, 2)))
        else:
            self.assumed.append(~waiting | held)
            self.asserted.append(~bus.ack | (request & before & self.past(request, 2)))
        waited = Signal(3)
        self.sync += If(request & ~bus.ack, If(waited != 7, waited.eq(waited + 1))).Else(waited.eq(0))
        self.asserted += [~bus.ack | ~self.past(bus.ack), waited <= 2]
        if not drops:
            self._contents(names, here, bus, sel)

    def _contents(self, names, here, bus, sel):
        """What a register reads, and what a write leaves in it."""
        def at(name):
            return bus.adr == (here | names.index(name))

        written = Signal(3)
        idle = self.core.bridge.fsm.ongoing("IDLE")
        storage = self.core.liteformer._self_test.storage
        taken = Signal()
        self.comb += taken.eq(bus.ack & bus.we & (sel != 0) & at("self_test"))
        self.sync += If(taken, written.eq(bus.dat_w))
        # Between accesses nothing is written, whatever stands on the bus.
        self.asserted += [~idle | (storage == written), ~idle | ~self.core.bridge.csr.we]
        seen = bus.ack & ~bus.we & (sel != 0)
        self.asserted += [~seen | ~at(name) | (value == wanted) for name, value, wanted in (
            ("identifier", bus.dat_r, IDENTIFIER), ("self_test", bus.dat_r, written), ("status", bus.dat_r[8:11], written))]


PROOFS = [
    Proof("registers", "one acknowledge a request within three cycles for every byte select and pause; reads give the "
          "register, writes with a byte selected are kept", "core", RegistersBench, INDUCTION, 8,
          (r"if \((\w+_self_test0_re)\) begin", r"if (\1 & in5[0]) begin")),
    Proof("registers, dropped requests", "no later request takes the acknowledge of one that was dropped, and none waits for "
          "ever", "core", partial(RegistersBench, True), INDUCTION, 8,
          (r"wishbone2csr_next_state <= 2'd2;", "if (in0) wishbone2csr_next_state <= 2'd2;")),
]
