# SPDX-License-Identifier: BSD-2-Clause
"""Simulation of the whole SoC: firmware on the simulated CPU, samples over the simulated serial line."""

import contextlib
import ctypes
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from litex.gen import LiteXModule
from pyverilator import PyVerilator

from liteformer.accel.core import LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.protocol import Client, Decoder
from liteformer.soc.soc import LiteFormerSoC
from liteformer.soc.stream import Answers, infer_windows
from liteformer.soc.verilate import FASTEST, build_simulator

CLOCK_FREQUENCY = 100_000_000
CYCLE_LIMIT = 50_000_000
RESET_CYCLES = 16


@dataclass(frozen=True)
class SimulationResult(Answers):
    """Answers, with the total ``cycles`` of the SoC and the ``seconds`` of the clock loop."""

    cycles: int
    seconds: float

    @property
    def cycles_per_second(self):
        """Speed of the simulator."""
        return self.cycles / self.seconds if self.seconds else 0.0


class Simulation:
    """A running SoC; use it as a context manager.

    Args:
        compiled: CompiledModel, or any LiteXModule with LiteFormerCore's interface.
        cpu: LiteX CPU. trace: path of an FST file to write, None for no trace (much faster).
        cache_dir: where compiled simulators are kept, default ``cache.default_cache()``.
        cycle_limit: clock cycles after which a run without an answer is given up.
        uart, baudrate: "sim" is a stream of bytes, "serial" a real UART.
        level: of the C++ optimizer, see ``verilate.LEVELS``; None for LEVEL. recordable: ``record`` works, but everything runs
        slower. remake: callable(Design) -> Design that is simulated in its place, such as its netlist; None for none.
        **options: for LiteFormerSoC.
    Raises:
        LiteFormerError: a tool is missing, the firmware or the simulator cannot be built.
    """

    LEVEL = FASTEST

    def __init__(self, compiled, cpu="vexriscv", trace=None, cache_dir=None, cycle_limit=CYCLE_LIMIT, uart="sim",
                 baudrate=115200, level=None, recordable=False, remake=None, **options):
        self.cycle_limit = cycle_limit
        self.cycles, self.seconds = 0, 0.0
        self._decoder = Decoder()
        self._loop = None
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._end)
        core = compiled if isinstance(compiled, LiteXModule) else LiteFormerCore(compiled)
        compiled = getattr(core, "compiled", None)
        self.client = Client(self.exchange, compiled.model.config.task if compiled else "forecast")
        self.soc = LiteFormerSoC(simulation_platform(uart), CLOCK_FREQUENCY, core, cpu_type=cpu, uart=uart,
                                 baudrate=baudrate, **options)
        with tempfile.TemporaryDirectory() as directory:
            self.design = write_verilog(self.soc, directory)
            if remake:
                self.design = remake(self.design)
            cycles_per_bit = None if uart == "sim" else round(CLOCK_FREQUENCY / baudrate)
            form = "vcd" if recordable else trace is not None
            shared_object = build_simulator(self.design, form, cycles_per_bit, cache_dir,
                                            level=self.LEVEL if level is None else level)
            self._load(shared_object, directory)
        if trace is not None:
            self._library.loop_trace(self._loop, str(Path(trace).resolve()).encode())
        # A byte offered to the SoC in reset would be lost.
        self.run(RESET_CYCLES)

    def _end(self):
        if self._loop:
            self._library.loop_delete(self._loop)

    def _load(self, shared_object, directory):
        self._end()
        # The first evaluation reads the memory images by their bare names.
        with contextlib.chdir(directory):
            self._model = PyVerilator(str(shared_object))
        library = self._library = self._model.lib
        for name, result, arguments in (
                ("loop_new", ctypes.c_void_p, [ctypes.c_void_p]), ("loop_delete", None, [ctypes.c_void_p]),
                ("loop_trace", None, [ctypes.c_void_p, ctypes.c_char_p]),
                ("loop_send", None, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
                ("loop_run", ctypes.c_uint64, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_size_t]),
                ("loop_receive", ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t])):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._loop = library.loop_new(self._model.model)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the simulation; the trace file is complete afterwards."""
        self._stack.close()

    @contextlib.contextmanager
    def record(self, path):
        """Inside the context signals are written to ``path`` as VCD, two time steps per clock cycle; needs ``recordable``."""
        self._library.loop_trace(self._loop, str(Path(path).resolve()).encode())
        try:
            yield
        finally:
            # Deleting the loop closes the file; the model keeps its state.
            self._library.loop_delete(self._loop)
            self._loop = self._library.loop_new(self._model.model)

    def send(self, data):
        """Queue bytes for the SoC's serial line."""
        self._library.loop_send(self._loop, data, len(data))

    def run(self, cycles, wanted=1 << 31):
        """Run ``cycles`` clock cycles, or fewer as soon as ``wanted`` bytes have arrived; returns the bytes received."""
        begin = time.perf_counter()
        self.cycles += self._library.loop_run(self._loop, cycles, wanted)
        self.seconds += time.perf_counter() - begin
        buffer = ctypes.create_string_buffer(4096)
        received = b""
        while count := self._library.loop_receive(self._loop, buffer, len(buffer)):
            received += buffer.raw[:count]
        return received

    def receive(self):
        """Run until the SoC has sent a whole frame and return it.

        Raises:
            LiteFormerError: none came within the cycle limit.
        """
        end = self.cycles + self.cycle_limit
        while self.cycles < end:
            frames = self._decoder.feed(self.run(end - self.cycles, self._decoder.missing))
            if frames:
                return frames[0]
        raise LiteFormerError(f"the simulated SoC gave no answer within {self.cycle_limit} clock cycles; look at a trace, "
                              "or raise the limit if the model is that slow")

    def exchange(self, request, sequence):
        """Send a request and return the reply that bears ``sequence``."""
        self.send(request)
        while True:
            reply = self.receive()
            if reply.sequence == sequence:
                return reply

    def infer(self, raw, progress=None, streaming=True):
        """Run windows through the firmware.

        Args:
            raw: integers ``(N, window, features)`` within int32. progress: callable(windows done) or None.
            streaming: push only the newest row of a window that continues the one before it; needed for anomalies, whose
            score restarts wherever a whole window is pushed.
        Returns:
            SimulationResult.
        Raises:
            LiteFormerError: no answer within the cycle limit, or the firmware reports an error.
        """
        raw = np.asarray(raw)
        cycles, seconds = self.cycles, self.seconds
        answers = infer_windows(self.client, raw, progress, streaming)
        return SimulationResult(**vars(answers), cycles=self.cycles - cycles, seconds=self.seconds - seconds)
