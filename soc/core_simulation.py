# SPDX-License-Identifier: BSD-2-Clause
"""The stand-alone core in Verilator, driven through its Wishbone port from C++: thousands of windows a second, no CPU."""

import contextlib
import ctypes
import tempfile
from pathlib import Path

import numpy as np
from pyverilator import PyVerilator

from liteformer.accel.core import STORE_WORD
from liteformer.accel.compiler.loading import checksum, loader_words
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware import model_store
from liteformer.soc.generate import Design
from liteformer.soc.standalone import CSR_ORIGIN, NAME, StandaloneCore, core_verilog
from liteformer.soc.verilate import FASTEST, build_simulator

CORE_LOOP = Path(__file__).with_name("core_loop.cpp")
# What goes with a row, see core_loop.cpp.
RUN, CLEAR, ABORT, EARLY = 1, 2, 4, 8
REGISTERS = ("control", "status", "cycles", "ev_pending", "ev_enable")


class CoreSimulation:
    """A running stand-alone core; use it as a context manager.

    Args:
        compiled: CompiledModel. level: of the C++ optimizer, see ``verilate.LEVELS``; cache_dir: of the compiled simulators.
        remake: callable(path of the Verilog) that changes it before it is compiled; None for none. loop: C++ file in the place
        of CORE_LOOP, which it contains.
    Attributes:
        images: paths of the memory contents, which ``restart`` reads again; words: name of a register -> its word address.
    Raises:
        LiteFormerError: a tool is missing or the simulator cannot be built.
    """

    def __init__(self, compiled, level=FASTEST, cache_dir=None, remake=None, loop=CORE_LOOP):
        self.compiled = compiled
        self._stack = contextlib.ExitStack()
        self._directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        core = StandaloneCore(compiled)
        files = core_verilog(core, self._directory)
        source, address, words = self._directory / files[0], CSR_ORIGIN // 4, {}
        self.images = [self._directory / name for name in files[1:]]
        if remake:
            remake(source)
        for csr in core.registers:
            words[csr.name] = address
            address += (csr.size + 31) // 32
        self.words = words
        self._words = (ctypes.c_uint32 * len(REGISTERS))(*(words[name] for name in REGISTERS))
        design = Design(name=NAME, top=source, sources=[source], include_dirs=[], images=self.images)
        self.limit = 4*compiled.cycles + 1000
        self._library = build_simulator(design, cache_dir=cache_dir, loop=loop, level=level)
        self.restart()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def restart(self):
        """A core as after configuration of the FPGA, with the memory contents of the files."""
        # The first evaluation reads the memory images by their bare names.
        with contextlib.chdir(self._directory):
            self._model = PyVerilator(str(self._library))
        library = self._model.lib
        pointer, size, word = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32
        for name, result, arguments in (
                ("core_reset", None, [pointer, pointer]),
                ("core_access", ctypes.c_int, [pointer, size, pointer, pointer, pointer, word]),
                ("core_cut", ctypes.c_int, [pointer, size, pointer, pointer, pointer, ctypes.c_uint64]),
                ("core_stream", ctypes.c_uint64, [pointer, pointer, *[size]*3, *[pointer]*5, *[word]*3, pointer])):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self.configure(library, self._model.model)
        self.reset()

    def configure(self, library, top):
        """What is to be done before the first cycle, with the ctypes library and the model's pointer."""

    def reset(self):
        """Reset the registers; memories keep what they hold."""
        self._model.lib.core_reset(self._model.model, self._words)

    @staticmethod
    def _arrays(transfers):
        return (np.array([value is not None for _, value in transfers], np.uint8),
                np.array([word for word, _ in transfers], np.uint32),
                np.array([(value or 0) & 0xFFFFFFFF for _, value in transfers], np.uint32))

    def cut(self, transfers, cycles):
        """Begin the transfers and reset the core for one cycle after ``cycles``, as a loss of power may at any time.

        Returns:
            bool, whether the transfers were not over yet.
        """
        writes, words, data = self._arrays(transfers)
        return bool(self._model.lib.core_cut(self._model.model, len(transfers), writes.ctypes.data, words.ctypes.data,
                                             data.ctypes.data, cycles))

    def access(self, transfers):
        """Transfers of the port, one after the other.

        Args:
            transfers: list of (word address, value to write or None to read).
        Returns:
            uint32 array of the values read or written.
        Raises:
            LiteFormerError: one is not acknowledged.
        """
        writes, words, data = self._arrays(transfers)
        if self._model.lib.core_access(self._model.model, len(transfers), writes.ctypes.data, words.ctypes.data,
                                       data.ctypes.data, self.limit):
            raise LiteFormerError("the simulated core does not acknowledge a transfer; this is a fault of the generator")
        return data

    def load(self, compiled):
        """Replace the model of a loadable build.

        Args:
            compiled: CompiledModel from ``loading.replace_model``.
        """
        self.access(self.loading(compiled))
        self.compiled = compiled

    @staticmethod
    def loading(compiled):
        """The transfers that load a model, as of ``access``."""
        def store(word):
            return STORE_WORD + word

        memories  = loader_words(compiled)
        transfers = [(store(model_store.COMPLETE), 0)]
        for number, parts in enumerate(memories):
            transfers += [(store(model_store.SELECT), number), *((store(model_store.DATA), part) for part in parts)]
        return [*transfers, (store(model_store.SELECT), len(memories)),
                (store(model_store.MODEL_ID), int(compiled.model.id[:8], 16)),
                (store(model_store.CHECKSUM), checksum(compiled)), (store(model_store.COMPLETE), 1)]

    def read_back(self):
        """Contents of a loadable build's memories, as ``loading.loader_words``."""
        memories = []
        for number, parts in enumerate(loader_words(self.compiled)):
            data = self.access([(STORE_WORD + model_store.SELECT, number),
                                *[(STORE_WORD + model_store.DATA, None)] * len(parts)])
            memories.append(data[1:].tolist())
        self.access([(STORE_WORD + model_store.SELECT, len(memories))])
        return memories

    def stream(self, samples, flags, arguments=None, pause=0, seed=0):
        """Push rows and run inferences.

        Args:
            samples: int32 ``(rows, features)``; flags: uint8 ``(rows,)``, of RUN, CLEAR, ABORT, EARLY; arguments: uint32
            ``(rows,)``: of CLEAR, samples pushed before in vain; of ABORT, cycles until then. pause: most cycles between
            transfers; seed: of the pauses.
        Returns:
            ``(outputs, cycles, clocks)``: int64 ``(runs, outputs)``, int64 ``(runs,)``, clock cycles in all.
        Raises:
            LiteFormerError: the core does not answer, or its status is not the expected one.
        """
        config  = self.compiled.model.config
        samples = np.ascontiguousarray(samples, np.int32)
        flags   = np.ascontiguousarray(flags, np.uint8)
        arguments = np.zeros(len(flags), np.uint32) if arguments is None else np.ascontiguousarray(arguments, np.uint32)
        runs    = int(np.count_nonzero(flags & RUN))
        results, spent, at = np.zeros((runs, config.outputs), np.int32), np.zeros(runs, np.uint32), ctypes.c_uint32()
        clocks = self._model.lib.core_stream(
            self._model.model, self._words, len(samples), config.features, config.outputs, samples.ctypes.data,
            flags.ctypes.data, arguments.ctypes.data, results.ctypes.data, spent.ctypes.data, self.limit, pause, seed,
            ctypes.byref(at))
        if not clocks:
            raise LiteFormerError(f"the simulated core gave no answer or a wrong status at row {at.value}; this is a fault of "
                                  "the generator: report it with the model's shape")
        return results.astype(np.int64), spent.astype(np.int64), clocks
