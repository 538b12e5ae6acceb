# SPDX-License-Identifier: BSD-2-Clause
"""LiteFormerCore: the matrix engine with registers, a Wishbone window and an interrupt, for any LiteX SoC.

Programming: push ``window`` rows of raw samples (word ``f`` of the window = feature ``f``, ascending; the last feature moves
the window on), wait for ``status.ready``, write ``control.start``, wait for ``status.done`` or the interrupt, read the
outputs from word 0x100 on. One more row pushed makes the core ready for the next forecast.

A loadable build has five more words from 0x200 on (``gateware.model_store``): the number of a memory
(``hardware.model_memories``) opens it at its first word, a number past the last one closes it; then its contents in 32-bit
parts, written one after the other while the model is not complete, or read back; the model's id; its checksum
(``compiler.loading.checksum``); whether it is complete. The core refuses to run while it is not, or while a memory is open.
"""

from migen import *

from litex.gen import *

from litex.soc.interconnect import wishbone
from litex.soc.interconnect.csr import *
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourcePulse

from liteformer.accel.compiler.loading import build_id, checksum
from liteformer.accel.gateware.engine import Engine
from liteformer.accel.gateware.model_store import WORDS, ModelStore

IDENTIFIER    = 0x4C464D52
VERSION       = 0x0001_0000
OUTPUT_WORD   = 0x100
STORE_WORD    = 0x200
WINDOW_BYTES  = 0x1000

ERROR_NONE, ERROR_NOT_READY, ERROR_ABORTED, ERROR_NO_MODEL = range(4)


class CoreInterface(LiteXModule):
    """What a SoC sees of the core: its signals, and registers and events on top of them.

    Args:
        compiled: CompiledModel.
    Attributes:
        bus: Wishbone window, 32 bits, word addressing, ``WINDOW_BYTES`` long.
        ev: EventManager with the events ``done`` and ``error``, from which ``irq`` comes; only with CSRs.
        start: pulse; run one inference over the window; ignored while busy.
        abort: pulse; stop the running inference.
        clear: pulse; forget all samples, the result and the error; ignored while busy.
        ready: the window is full and no inference runs.
        busy: an inference runs, waits for the last sample, or was aborted less than ``FLUSH_CYCLES`` ago.
        done: pulse; an inference has finished.
        valid: the outputs belong to the last inference.
        error: 4 bits, one of ``ERROR_NONE`` to ``ERROR_NO_MODEL``: why the last inference gave no result.
        failed: pulse; an inference was refused or aborted.
        cycles: 32 bits, clock cycles of the last inference, from start to done.
        model_loaded: the memories hold a complete model; constant 1 if the model is fixed.
        model_id: 32 bits, of the model in the memories of a loadable build, else None.
        compiled: the CompiledModel.
    """

    def __init__(self, compiled):
        self.compiled = compiled
        self.bus    = wishbone.Interface(data_width=32, adr_width=30, addressing="word")
        self.start  = Signal()
        self.abort  = Signal()
        self.clear  = Signal()
        self.ready  = Signal()
        self.busy   = Signal()
        self.done   = Signal()
        self.valid  = Signal()
        self.error  = Signal(4)
        self.failed = Signal()
        self.cycles = Signal(32)
        self.model_loaded = Signal()
        self.model_id = None

    def add_csr(self):
        """Registers and events on top of the signals."""
        config = self.compiled.model.config
        self._identifier = CSRStatus(32, reset=IDENTIFIER, description="ASCII ``LFMR``: a LiteFormer core.")
        self._version    = CSRStatus(32, reset=VERSION, description="Version of the core, major in the upper half.")
        self._model_id   = CSRStatus(32, reset=int(self.compiled.model.id[:8], 16),
            description="First 32 bits of the model's SHA-256.")
        self._build      = CSRStatus(32, reset=build_id(self.compiled),
            description="What a model must be compiled for to be loaded into this build; 0: its model is fixed.")
        self._shape = CSRStatus(description="Shape of the model.", fields=[
            CSRField("window", size=11, reset=config.window, description="Rows of a window."),
            CSRField("features", size=9, reset=config.features, description="Features of a sample."),
            CSRField("outputs", size=7, reset=config.outputs, description="Results of an inference."),
        ])
        self._control = CSRStorage(description="Commands; each bit acts once when written as 1.", fields=[
            CSRField("start", size=1, offset=0, pulse=True,
                description="Run one inference over the window; ignored while busy. Pending events are dropped."),
            CSRField("abort", size=1, offset=1, pulse=True,
                description="Stop the running inference; the core stays busy for 31 more cycles."),
            CSRField("clear", size=1, offset=2, pulse=True,
                description="Forget all samples, the result and the error; ignored while busy."),
        ])
        self._status = CSRStatus(description="State of the core.", fields=[
            CSRField("ready", size=1, offset=0, description="The window is full and no inference runs."),
            CSRField("busy", size=1, offset=1, description="An inference runs, or one was just aborted."),
            CSRField("done", size=1, offset=2, description="The outputs belong to the last inference."),
            CSRField("model", size=1, offset=3, description="The memories hold a complete model."),
            CSRField("error", size=4, offset=4, values=[
                ("``0``", "No error."),
                ("``1``", "Started before the window was full."),
                ("``2``", "Aborted."),
                ("``3``", "Started without a complete model."),
            ], description="Why the last inference gave no result."),
            CSRField("self_test", size=3, offset=8, description="What was written to `self_test`."),
        ])
        self._self_test = CSRStorage(3, description="For the firmware: result of its self-test, readable in `status`. "
            "0 not done, 1 passed, 2 the memories are wrong, 3 the known window's result is wrong, 4 the memories are right.")
        self._cycles = CSRStatus(32, description="Clock cycles of the last inference, from start to done.")
        self.ev = EventManager()
        self.ev.done  = EventSourcePulse(description="An inference has finished.")
        self.ev.error = EventSourcePulse(description="An inference was refused or aborted.")
        self.ev.finalize()
        # So that what waits after a start learns of this inference, and need not clear the events itself.
        self.sync += If(self.start, self.ev.done.pending.eq(0), self.ev.error.pending.eq(0))
        self.comb += [
            self.start.eq(self._control.fields.start),
            self.abort.eq(self._control.fields.abort),
            self.clear.eq(self._control.fields.clear),
            self._status.fields.ready.eq(self.ready),
            self._status.fields.busy.eq(self.busy),
            self._status.fields.done.eq(self.valid),
            self._status.fields.model.eq(self.model_loaded),
            self._status.fields.self_test.eq(self._self_test.storage),
            self._status.fields.error.eq(self.error),
            self._cycles.status.eq(self.cycles),
            self.ev.done.trigger.eq(self.done),
            self.ev.error.trigger.eq(self.failed),
        ]
        if self.model_id is not None:
            self.comb += self._model_id.status.eq(self.model_id)


class LiteFormerCore(CoreInterface):
    """The accelerator as a LiteX peripheral.

    Args:
        compiled: CompiledModel.
        with_csr: add registers and events (``add_csr`` can be called later instead).
    Attributes:
        engine: Engine; store: ModelStore of a loadable build, else None; and those of CoreInterface.
    """

    def __init__(self, compiled, with_csr=True):
        CoreInterface.__init__(self, compiled)
        hw, bus = compiled.hw, self.bus

        # # #

        self.engine = engine = Engine(hw, compiled.images)
        # The bus is registered in both directions: no combinational path between a CPU's address and the core's state.
        access, write, sample = Signal(), Signal(), Signal()
        address  = Signal(10, reset_less=True)
        accepted, read  = Signal(), Signal()
        waiting, closed = Signal(), Signal()
        result   = Signal(32)
        outputs  = Array(engine.outputs)
        self.sync += [
            access.eq(bus.cyc & bus.stb & ~bus.ack),
            write.eq(bus.we),
            address.eq(bus.adr),
            sample.eq(bus.adr[:len(address)] < hw.features),
            engine.raw.eq(bus.dat_w),
            bus.ack.eq(accepted | read),
            bus.dat_r.eq(result),
        ]
        # A sample waits until the previous one is quantized and no inference reads the window.
        self.comb += [
            accepted.eq(access & write & ~bus.ack & engine.push_ready & ~self.busy & ~waiting),
            read.eq(access & ~write & ~bus.ack & ~waiting),
            result.eq(outputs[address[:max(1, (hw.outputs - 1).bit_length())]]),
            engine.push.eq(accepted & sample & ~closed),
            engine.feature.eq(address),
        ]
        self.store = None
        if hw.loadable:
            self._add_store(accepted, read, address, result, waiting, closed)
        else:
            self.comb += self.model_loaded.eq(1)

        # A start that arrives while the last sample is being quantized waits for it.
        pending = Signal()
        refused = Signal()
        go      = Signal()
        self.comb += [
            self.done.eq(engine.done),
            self.busy.eq(engine.busy | pending),
            self.ready.eq(engine.full & ~self.busy & ~closed),
            go.eq(pending & ~engine.push_busy & ~self.abort),
            engine.start.eq(go & engine.full & ~closed),
            engine.abort.eq(self.abort & engine.busy),
            engine.clear.eq(self.clear & ~self.busy),
            refused.eq(go & (~engine.full | closed)),
        ]
        self.sync += [
            If(self.start & ~self.busy,
                pending.eq(1), self.valid.eq(0), self.error.eq(ERROR_NONE), self.cycles.eq(0)),
            If(go, pending.eq(0)),
            If(engine.busy, self.cycles.eq(self.cycles + 1)),
            If(engine.done, self.valid.eq(1)),
            If(refused, self.error.eq(Mux(self.model_loaded, ERROR_NOT_READY, ERROR_NO_MODEL))),
            If(self.abort & self.busy, pending.eq(0), self.error.eq(ERROR_ABORTED)),
            If(self.clear & ~self.busy, self.valid.eq(0), self.error.eq(ERROR_NONE)),
            self.failed.eq(refused | (self.abort & self.busy)),
        ]
        if with_csr:
            self.add_csr()

    def _add_store(self, accepted, read, address, result, waiting, closed):
        """The words from STORE_WORD on; ``closed``: no sample and no start gets through."""
        loader, compiled = self.engine.loader, self.compiled
        self.store = store = ModelStore(loader, int(compiled.model.id[:8], 16), checksum(compiled))
        self.model_id = store.model_id
        here = Signal()
        self.comb += [
            here.eq(address[3:] == STORE_WORD // WORDS),
            store.word.eq(address), store.input.eq(self.engine.raw),
            store.write.eq(accepted & here), store.read.eq(read & here),
            waiting.eq(here & store.waiting),
            If(here, result.eq(store.output)),
            self.model_loaded.eq(store.complete), closed.eq(loader.active | ~store.complete),
        ]
