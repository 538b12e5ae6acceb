# SPDX-License-Identifier: BSD-2-Clause
"""Drives the core from a PC through a bus bridge: register accesses only, carried by LiteX's ``litex_server``."""

import csv
import json
import time
from pathlib import Path

import numpy as np
from litex.tools.litex_client import RemoteClient

from liteformer.accel.core import ERROR_ABORTED, ERROR_NO_MODEL, ERROR_NOT_READY, OUTPUT_WORD
from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import MAX_PAYLOAD, STATUS_TEXT, Info, Result, Status

START, ABORT, CLEAR = 1, 2, 4                         # control
READY, BUSY, DONE, MODEL = 1, 1 << 1, 1 << 2, 1 << 3  # status
ERROR_OFFSET, ERROR_MASK = 4, 15
WINDOW_BITS, FEATURE_BITS, OUTPUT_BITS = 11, 9, 7  # Fields of shape, from bit 0 on.
ERRORS = {ERROR_NOT_READY: Status.NOT_READY, ERROR_ABORTED: Status.ABORTED, ERROR_NO_MODEL: Status.NO_MODEL}
WORD = 4


class RegisterMap:
    """Addresses of a SoC's registers and memories, from the csr.csv or csr.json that LiteX writes.

    Args:
        path: the file. core: name of the core in the SoC; not needed where there is one.
    Attributes:
        registers, memories: dict name -> byte address; sizes: dict name of a register -> words that it takes; constants:
        dict name -> value; core: the core's name in the SoC.
    Raises:
        LiteFormerError: no such file, not a register map, or one without a LiteFormer core.
    """

    def __init__(self, path, core=None):
        path = Path(path)
        if not path.is_file():
            raise LiteFormerError(f"there is not a register map {path}; LiteX writes one with --csr-csv csr.csv")
        try:
            read = _from_json if path.suffix == ".json" else _from_csv
            self.registers, self.sizes, self.memories, self.constants = read(path)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LiteFormerError(f"{path} is not a register map of LiteX; write one with --csr-csv csr.csv") from None
        cores = [name.removesuffix("_model_id") for name in self.registers if name.endswith("_model_id")]
        cores = [name for name in cores if name in self.memories and f"{name}_control" in self.registers]
        if core is not None and core not in cores:
            raise LiteFormerError(f"{path} describes no LiteFormer core {core}; it has {' and '.join(cores) or 'none'}")
        if core is None and len(cores) != 1:
            advice = f"name {' or '.join(cores)} with --core" if cores else "one with registers and window is needed"
            raise LiteFormerError(f"{path} describes {len(cores)} LiteFormer cores; {advice}")
        self.core = core or cores[0]


def _from_json(path):
    content = json.loads(path.read_text())
    registers = content["csr_registers"].items()
    return ({name: entry["addr"] for name, entry in registers}, {name: entry["size"] for name, entry in registers},
            {name: entry["base"] for name, entry in content["memories"].items()}, content["constants"])


def _from_csv(path):
    rows = [row for row in csv.reader(path.read_text().splitlines()) if row and not row[0].startswith("#")]
    kinds = {kind: {row[1]: row[2] for row in rows if row[0] == kind} for kind in ("csr_register", "memory_region", "constant")}
    registers, memories = ({name: int(text, 16) for name, text in kinds[kind].items()}
                           for kind in ("csr_register", "memory_region"))
    sizes = {row[1]: int(row[3]) for row in rows if row[0] == "csr_register"}
    return registers, sizes, memories, {name: int(text) if text.isdigit() else text for name, text in kinds["constant"].items()}


class _Remote(RemoteClient):
    """LiteX's client, except that a lost connection is an error and not a zero that looks like data."""

    def receive_packet(self, socket, addr_size):
        packet = super().receive_packet(socket, addr_size)
        if packet == 0:
            raise ConnectionError
        return packet


class RegisterLink:
    """The core behind ``litex_server``, with the methods of protocol.Client; use it as a context manager.

    Args:
        path: register map. server: HOST:PORT of litex_server. task: of the model, which the registers do not show.
        timeout: seconds that an inference may take. core: its name, of several.
    Raises:
        LiteFormerError: no register map, or no server there.
    """

    def __init__(self, path, server="localhost:1234", task="forecast", timeout=5.0, core=None):
        self.task, self.server, self._timeout = task, server, timeout
        self._map = RegisterMap(path, core)
        host, _, port = server.rpartition(":")
        if not host or not port.isdigit():
            raise LiteFormerError(f"{server} is not HOST:PORT, such as localhost:1234")
        # Created without a map: LiteX's client reads CSV only, and picks up a csr.csv of the current folder by itself.
        self._bus = _Remote.__new__(_Remote)
        self._bus.__dict__.update(host=host, port=int(port), debug=False, binded=False, base_address=0, csr_data_width=32,
                                  csr_bus_address_width=int(self._map.constants.get("config_bus_address_width", 32)))
        try:
            self._bus.open()
        except OSError:
            raise LiteFormerError(f"no litex_server at {server}; start one, such as `litex_server --uart --uart-port "
                                  "/dev/ttyUSB0`, or name another with --server") from None
        self._info, self._held = None, 0  # Held: rows in the window that this link knows of.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the connection."""
        self._bus.close()

    def read(self, address, count):
        """``count`` words from a byte address on, a list."""
        return self._checked(lambda: self._bus.read(address, count))

    def write(self, address, words):
        """Write words, a list, from a byte address on."""
        self._checked(lambda: self._bus.write(address, words))

    def _checked(self, access):
        try:
            return access()
        except OSError:
            raise LiteFormerError(f"the connection to litex_server at {self.server} is lost; check board and cable, start "
                                  "litex_server again and repeat the command") from None

    def _register(self, name):
        return self._map.registers[f"{self._map.core}_{name}"]

    def _get(self, name):
        # Narrow registers lie one part in each word, the upper part first; a register of 32 bits is one part.
        value, width = 0, int(self._map.constants.get("config_csr_data_width", 32))
        for part in self.read(self._register(name), self._map.sizes[f"{self._map.core}_{name}"]):
            value = value << width | part
        return value

    def info(self):
        """protocol.Info of the core."""
        shape, fields = self._get("shape"), []
        for bits in (WINDOW_BITS, FEATURE_BITS, OUTPUT_BITS):
            fields.append(shape & ((1 << bits) - 1))
            shape >>= bits
        self._info = Info(self._get("identifier"), self._get("version"), f"{self._get('model_id'):08x}", *fields,
                          int(self._map.constants.get("config_clock_frequency", 100_000_000)), MAX_PAYLOAD, self.task,
                          self._get("build") if f"{self._map.core}_build" in self._map.registers else 0)
        return self._info

    def reset(self):
        """Make the core forget all samples."""
        self.write(self._register("control"), [ABORT])
        # A core that is busy, as it is for some cycles after an abort, ignores a clear.
        self._wait(lambda status: not status & BUSY)
        self.write(self._register("control"), [CLEAR])
        self._held = 0

    def _wait(self, reached):
        """The status register as soon as ``reached(status)``."""
        end = time.monotonic() + self._timeout
        while not reached(status := self._get("status")):
            if time.monotonic() > end:
                raise LiteFormerError(STATUS_TEXT[Status.NO_ANSWER])
        return status

    def push(self, rows):
        """Push raw samples: integers ``(steps, features)``.

        Raises:
            LiteFormerError: the core holds no model, or the rows have other features; no row is pushed.
        """
        self._push(*self._taken(rows))

    def _taken(self, rows):
        """Rows as a list, and how many the window then holds; raises what ``push`` does."""
        info, rows = self._info or self.info(), np.asarray(rows, np.int64)
        if rows.ndim != 2 or rows.shape[1] != info.features:
            raise LiteFormerError(STATUS_TEXT[Status.BAD_LENGTH])
        status = self._get("status")
        if not status & MODEL:
            raise LiteFormerError(STATUS_TEXT[Status.NO_MODEL])
        held = info.window if status & READY else self._held
        return rows.tolist(), min(held + len(rows), info.window)

    def _push(self, rows, held):
        for row in rows:
            self.write(self._map.memories[self._map.core], [value & 0xFFFFFFFF for value in row])
        self._held = held

    def infer(self, rows):
        """Push raw samples ``(steps, features)`` and run the core after the last one.

        Returns:
            protocol.Result without decision and with 0 for the end-to-end cycles, which are the firmware's.
        Raises:
            LiteFormerError: the window would not be full or another error of ``push``, and no row is pushed; or the core
                failed.
        """
        rows, held = self._taken(rows)
        if held < self._info.window:
            raise LiteFormerError(STATUS_TEXT[Status.NOT_READY])
        self._push(rows, held)
        self.write(self._register("control"), [START])
        return self.result()

    def result(self):
        """Wait for the end of the inference; its Result."""
        status = self._wait(lambda status: status & DONE or status >> ERROR_OFFSET & ERROR_MASK)
        if not status & DONE:
            raise LiteFormerError(STATUS_TEXT[ERRORS.get(status >> ERROR_OFFSET & ERROR_MASK, Status.NO_ANSWER)])
        info = self._info or self.info()
        words = self.read(self._map.memories[self._map.core] + WORD * OUTPUT_WORD, info.outputs)
        outputs = np.array(words, np.uint32).astype(np.int32).astype(np.int64)
        return Result(outputs, np.zeros(0, np.int64), self._get("cycles"), 0)
