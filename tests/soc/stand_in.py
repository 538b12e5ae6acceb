# SPDX-License-Identifier: BSD-2-Clause
"""A core with LiteFormerCore's registers and window that computes something simple, for fast tests of SoC and firmware.

Output ``o`` is ``(o + 1)`` times the sum of all raw samples in the window, modulo 2**32, after ``delay`` cycles.
"""

import numpy as np
from litex.gen import *
from litex.soc.interconnect import wishbone
from litex.soc.interconnect.csr import *
from litex.soc.interconnect.csr_eventmanager import *
from migen import *

IDENTIFIER = 0x4C464D52


class StandInCore(LiteXModule):
    """See the module. ``interrupt`` False leaves the events unconnected; ``push_delay`` cycles pass before a push is acked."""

    def __init__(self, window=4, features=3, outputs=2, delay=100, push_delay=25, interrupt=True, identifier=IDENTIFIER,
                 hang=False, gain=1):
        self.window, self.features, self.outputs, self.gain = window, features, outputs, gain
        self.bus = bus = wishbone.Interface(data_width=32, addressing="word")
        self.identifier = CSRStatus(32, reset=identifier)
        self.version = CSRStatus(32, reset=0x00010000)
        self.model_id = CSRStatus(32, reset=0x12345678)
        self.shape = CSRStatus(fields=[
            CSRField("window", size=11, reset=window), CSRField("features", size=9, reset=features),
            CSRField("outputs", size=7, reset=outputs)])
        self.control = CSRStorage(fields=[
            CSRField("start", size=1, pulse=True), CSRField("abort", size=1, pulse=True),
            CSRField("clear", size=1, pulse=True)])
        self.status = CSRStatus(fields=[
            CSRField("ready", size=1), CSRField("busy", size=1), CSRField("done", size=1), CSRField("model", size=1, reset=1),
            CSRField("error", size=4)])
        self.build = CSRStatus(32)
        self.self_test = CSRStorage(3)
        self.cycles = CSRStatus(32)
        self.ev = EventManager()
        self.ev.done = EventSourcePulse()
        self.ev.error = EventSourcePulse()
        self.ev.finalize()

        # # #

        samples = Array(Signal(32, name=f"sample{i}") for i in range(window * features))
        pushed = Signal(max=window + 1)
        wait = Signal(max=max(push_delay, 1) + 1)
        total = Signal(32)
        done, error = Signal(), Signal()
        self.comb += [self.ev.done.trigger.eq(done & interrupt), self.ev.error.trigger.eq(error & interrupt)]
        accept = Signal()
        self.comb += accept.eq(bus.cyc & bus.stb & ~bus.ack & (~bus.we | (wait == push_delay)))
        self.sync += [
            bus.ack.eq(accept),
            If(bus.cyc & bus.stb & bus.we & ~bus.ack, wait.eq(wait + 1)),
            If(accept, wait.eq(0)),
            bus.dat_r.eq(Array([(gain * (o + 1) * total)[:32] for o in range(outputs)])[bus.adr[:6]]),
            If(accept & bus.we,
                *[samples[i].eq(samples[i + 1]) for i in range(window * features - 1)],
                samples[window * features - 1].eq(bus.dat_w),
                If((bus.adr[:8] == features - 1) & (pushed != window), pushed.eq(pushed + 1))),
            If(self.control.fields.clear, pushed.eq(0), self.status.fields.error.eq(0)),
        ]
        self.comb += self.status.fields.ready.eq((pushed == window) & ~self.status.fields.busy)
        left = Signal(32)
        self.sync += [
            done.eq(0), error.eq(0),
            If(self.control.fields.start,
                self.ev.done.pending.eq(0), self.ev.error.pending.eq(0),
                If(self.status.fields.ready,
                    left.eq(delay - 2), self.status.fields.busy.eq(1), self.status.fields.done.eq(0),
                    self.status.fields.error.eq(0), self.cycles.status.eq(1),
                ).Else(error.eq(1), self.status.fields.error.eq(1))),
            If(self.status.fields.busy,
                self.cycles.status.eq(self.cycles.status + 1),
                left.eq(left - 1),
                If((left == 0) & (not hang),
                    total.eq(sum(samples[1:], samples[0])),
                    done.eq(1), self.status.fields.busy.eq(0), self.status.fields.done.eq(1)),
                If(self.control.fields.abort,
                    error.eq(1), self.status.fields.busy.eq(0), self.status.fields.error.eq(2))),
        ]

    def expected(self, raw):
        """Outputs int64 ``(N, outputs)`` for raw windows ``(N, window, features)``."""
        total = np.asarray(raw, np.int64).sum(axis=(1, 2))[:, None] * np.arange(1, self.outputs + 1) * self.gain
        return (total & 0xFFFFFFFF).astype(np.uint32).astype(np.int32).astype(np.int64)
