# SPDX-License-Identifier: BSD-2-Clause
"""The engine's activity in every cycle of one inference, recorded from its own signals in a simulation of the engine alone."""

import contextlib
import ctypes
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from litex.gen import LiteXModule
from litex.gen.fhdl import verilog
from migen import Array, Cat, ClockDomain, Signal

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.engine import Engine
from liteformer.soc.generate import Design
from liteformer.soc.quiet import quiet
from liteformer.soc.verilate import build_simulator

RECORD_LOOP = Path(__file__).with_name("record_loop.cpp")
NAME = "liteformer_engine"


@dataclass(frozen=True)
class Recording:
    """One inference, cycle 0 being that of the start pulse and the last one that of the done pulse.

    Attributes:
        signals: dict of name (see ``_probes``) -> bool array ``(cycles,)``; outputs: int64 ``(outputs,)``.
    """

    signals: dict
    outputs: np.ndarray

    @property
    def cycles(self):
        """From the start pulse to the done pulse, as the core's cycle counter counts."""
        return len(self.signals["issue"]) - 1


def _probes(engine):
    """The signals recorded, by name."""
    return {
        "issue": engine.compute.issue, "last": engine.compute.last, "next_step": engine.compute.instruction.take,
        "select": engine.drains.valid, "next_drain": engine.drains.instruction.take, "result": engine.drain.stage["valid"],
        "score": engine.softmax.valid, "weight": engine.softmax.word_valid, "divide": engine.softmax.dividing,
    }


class _Top(LiteXModule):
    """The engine with ports for ``record_loop.cpp``."""

    def __init__(self, compiled):
        self.cd_sys   = ClockDomain(reset_less=True)
        self.engine   = engine = Engine(compiled.hw, compiled.images)
        self.names    = list(_probes(engine))
        self.probe    = Signal(len(self.names))
        self.selected = Signal(8)
        self.result   = Signal((32, True))
        self.comb += [
            self.probe.eq(Cat(*_probes(engine).values())),
            self.result.eq(Array(engine.outputs)[self.selected]),
        ]
        self.ports = {"probe": self.probe, "selected": self.selected, "result": self.result, "push": engine.push,
                      "feature": engine.feature, "raw": engine.raw, "push_busy": engine.push_busy, "start": engine.start,
                      "done": engine.done, "sys_clk": self.cd_sys.clk}
        if compiled.hw.quads:
            self.cd_sys2x = ClockDomain(reset_less=True)
            self.ports["sys2x_clk"] = self.cd_sys2x.clk
        for name, port in self.ports.items():
            port.name_override = name


def record(compiled, window, cache_dir=None):
    """Run one inference on the engine and record it.

    Args:
        compiled: CompiledModel; window: raw samples, int ``(window, features)``; cache_dir: of the compiled simulators.
    Returns:
        Recording.
    Raises:
        LiteFormerError: Verilator or the compiler is missing, or the engine does not finish in twice the predicted time.
    """
    top = _Top(compiled)
    with tempfile.TemporaryDirectory() as directory:
        with quiet(), contextlib.chdir(directory):
            output = verilog.convert(top, ios=set(top.ports.values()), name=NAME)
            output.write(f"{NAME}.v")
        source = Path(directory).resolve() / f"{NAME}.v"
        design = Design(name=NAME, top=source, sources=[source], include_dirs=[], images=[])
        library = build_simulator(design, cache_dir=cache_dir, loop=RECORD_LOOP, level=0)
        # The first evaluation reads the memory images by their bare names.
        with contextlib.chdir(directory):
            return _run(library, top.names, compiled, np.ascontiguousarray(window, np.int32))


def _run(library, names, compiled, window):
    from pyverilator import PyVerilator
    model = PyVerilator(str(library))
    capacity = 2 * compiled.cycles + 100
    probe, outputs = np.zeros(capacity, np.uint32), np.zeros(compiled.hw.outputs, np.int32)
    call = model.lib.record
    call.restype = ctypes.c_uint64
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
                     ctypes.c_void_p, ctypes.c_size_t]
    cycles = call(model.model, window.ctypes.data, *window.shape, probe.ctypes.data, capacity, outputs.ctypes.data,
                  len(outputs))
    if not cycles:
        raise LiteFormerError(f"the simulated engine did not finish within {capacity} cycles, {compiled.cycles} are predicted; "
                              "this is a fault of the generator: report it with the model's shape")
    return Recording({name: (probe[:cycles] >> bit & 1).astype(bool) for bit, name in enumerate(names)},
                     outputs.astype(np.int64))
