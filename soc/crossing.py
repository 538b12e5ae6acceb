# SPDX-License-Identifier: BSD-2-Clause
"""The core in a clock domain of its own; window, registers and interrupt stay in ``sys``.

Commands travel as one word with a handshake. While one is on its way, the core shows itself as busy, without result and without
error: a CPU that reads the status right after a start does not see that of the inference before it.
"""

from migen import *
from migen.genlib.cdc import MultiReg, PulseSynchronizer

from litex.gen import *

from litex.soc.interconnect import axi

from liteformer.accel.core import CoreInterface, LiteFormerCore

# Cycles of the core from a pulse until what it changes is registered for the crossing, and one to spare.
DELAY = 3


class CrossedCore(CoreInterface):
    """LiteFormerCore in another clock domain, for a SoC in ``sys``; the clocks may have any phase and ratio.

    Args:
        compiled: CompiledModel. clock_domain: that of the core, with a reset; the SoC's clock generator drives both.
        with_csr: add registers and events.
    Attributes:
        core: LiteFormerCore, in ``clock_domain``. ``cycles`` are cycles of its clock.
    """

    def __init__(self, compiled, clock_domain, with_csr=True):
        CoreInterface.__init__(self, compiled)

        # # #

        self.core = core = ClockDomainsRenamer(clock_domain)(LiteFormerCore(compiled, with_csr=False))
        self._cross_bus(core, clock_domain)
        hidden = self._cross_commands(core, clock_domain)
        self._cross_state(core, clock_domain, hidden)
        if with_csr:
            self.add_csr()

    def _cross_bus(self, core, clock_domain):
        """LiteX 2024.12 has a crossing for AXI-Lite, not for Wishbone."""
        near, far = axi.AXILiteInterface(), axi.AXILiteInterface(clock_domain=clock_domain)
        self.to_axi   = axi.Wishbone2AXILite(self.bus, near)
        self.crossing = axi.AXILiteClockDomainCrossing(near, far, "sys", clock_domain)
        self.from_axi = ClockDomainsRenamer(clock_domain)(axi.AXILite2Wishbone(far, core.bus))

    def _cross_commands(self, core, clock_domain):
        """Returns a signal: a command has not yet reached the core."""
        new, waiting, travelling, away = Signal(3), Signal(3), Signal(3), Signal()
        self.request = PulseSynchronizer("sys", clock_domain)
        self.answer  = PulseSynchronizer(clock_domain, "sys")
        answered = Signal()
        self.comb += [
            new.eq(Cat(self.start, self.abort, self.clear)),
            self.request.i.eq(~away & (waiting != 0)),
            # Stable since before the request came through.
            Cat(core.start, core.abort, core.clear).eq(Replicate(self.request.o, 3) & travelling),
        ]
        self.sync += [
            waiting.eq(waiting | new),
            If(self.request.i,
                waiting.eq(new), travelling.eq(waiting), away.eq(1)),
            answered.eq(self.answer.o),
            If(answered, away.eq(0)),
        ]
        self.comb += self.answer.i.eq(self._delayed(self.request.o, clock_domain))
        return away | (waiting != 0)

    def _cross_state(self, core, clock_domain, hidden):
        """Words of several bits cross bit by bit: nobody reads them while they change."""
        local = getattr(self.sync, clock_domain)
        ready, busy, valid, error = Signal(), Signal(), Signal(), Signal(4)
        crossed = [(core.ready, ready), (core.busy, busy), (core.valid, valid), (core.error, error), (core.cycles, self.cycles),
                   (core.model_loaded, self.model_loaded)]
        if core.model_id is not None:
            self.model_id = Signal(32)
            crossed.append((core.model_id, self.model_id))
        for inside, outside in crossed:
            # From a register: a glitch must not cross.
            registered = Signal.like(inside)
            local += registered.eq(inside)
            self.specials += MultiReg(registered, outside)
        for name in ("done", "failed"):
            pulse = PulseSynchronizer(clock_domain, "sys")
            self.add_module(name=f"{name}_pulse", module=pulse)
            self.comb += [pulse.i.eq(self._delayed(getattr(core, name), clock_domain)), getattr(self, name).eq(pulse.o)]
        self.comb += [
            self.busy.eq(busy | hidden),
            If(~hidden, self.ready.eq(ready), self.valid.eq(valid), self.error.eq(error)),
        ]

    def _delayed(self, pulse, clock_domain):
        """The pulse when the state that it changes is on its way: nobody learns of it too early."""
        stages, local = Signal(DELAY), getattr(self.sync, clock_domain)
        local += stages.eq(Cat(pulse, stages))
        return stages[-1]
