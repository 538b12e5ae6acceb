# SPDX-License-Identifier: BSD-2-Clause
"""The firmware compiled for this machine with sanitizers, against the register model of native/registers.c."""

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import liteformer.sw
from liteformer.soc.known_window import SHIFT_MASK, WINDOWS, WORD, step

NATIVE, SOURCES = Path(__file__).with_name("native"), Path(liteformer.sw.__file__).parent
FIRMWARE = ("main.c", "protocol.c", "liteformer.c", "decision.c", "loading.c")
FLAGS = ["-O1", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Wno-type-limits"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# Sanitizers have branches of their own.
COVERED = ["--coverage", "-O0"]
# The signal handlers of the model take the place of the sanitizer's.
ENVIRONMENT = {"ASAN_OPTIONS": "handle_segv=0:detect_leaks=0:allow_user_segv_handler=1"}
MODEL, LEVELS, ORIGIN = 0x12345678, 255, 77


@dataclass(frozen=True)
class Shape:
    """Of the modelled core; ``parts``: of each memory, empty for a fixed model; ``known``: model.h has the known window,
    with the answer of the modelled core plus ``off``; ``sensor``: "xadc" or "i2c"; ``shifts``: of its codes to samples, and to
    outputs."""

    window: int = 3
    features: int = 3
    outputs: int = 2
    task: int = 0
    parts: tuple = ()
    known: bool = True
    off: int = 0
    calibration: int = 0
    sensor: str = ""
    shifts: tuple = (3, 2)

    @property
    def checksum(self):
        """Of the memories as they are at first."""
        return zlib.crc32(bytes(4 * sum(self.parts)))

    def outputs_of(self, rows):
        """Outputs of the modelled core for a window, as signed integers."""
        values = []
        for output in range(self.outputs):
            total = output
            for value in np.ravel(rows).tolist():
                total = (total * 31 + value) & WORD
            values.append(total - (1 << 32) if total >> 31 else total)
        return values

    def expected(self, windows):
        """Outputs of several windows, int64 ``(N, outputs)``."""
        return np.array([self.outputs_of(window) for window in windows], np.int64)

    def header(self):
        """Text of shape.h."""
        ranges = [16 * (feature + 1) | feature for feature in range(self.features)]
        state, rows = MODEL, []
        for _ in range(self.window + WINDOWS - 1):
            rows.append([])
            for place in ranges:
                state = step(state)
                rows[-1].append(place + ((state & LEVELS) << (place & SHIFT_MASK)))
        answer = MODEL
        for first in range(WINDOWS):
            for output in self.outputs_of(rows[first:first + self.window]):
                answer = step(answer ^ output & WORD)
        lines = {"HOST_WINDOW": self.window, "HOST_FEATURES": self.features, "HOST_OUTPUTS": self.outputs,
                 "HOST_MODEL": f"{MODEL}u", "HOST_CHECKSUM": f"{self.checksum}u", "HOST_MEMORIES": len(self.parts),
                 "HOST_PARTS": max(self.parts, default=1), "HOST_MEMORY_PARTS": _list(self.parts or (0,)),
                 "HOST_BUILD": int(bool(self.parts)), "LITEFORMER_TASK": self.task}
        if self.parts:
            lines["LITEFORMER_MEMORIES"] = _list(self.parts)
        if self.known:
            lines |= {"LITEFORMER_KNOWN_MODEL": f"{MODEL}u", "LITEFORMER_KNOWN_LEVELS": LEVELS,
                      "LITEFORMER_KNOWN_ROWS": self.window + WINDOWS - 1,
                      "LITEFORMER_KNOWN_RANGES": _list(ranges), "LITEFORMER_KNOWN_ANSWER": f"{(answer + self.off) & WORD}u"}
        if self.task == 2:
            lines |= {"LITEFORMER_ANOMALY_FEATURES": _list(range(self.outputs)),
                      "LITEFORMER_ANOMALY_SHIFTS": _list([1] * self.outputs),
                      "LITEFORMER_ANOMALY_GAINS": _list([7] * self.outputs),
                      "LITEFORMER_ANOMALY_SMOOTHING": 2, "LITEFORMER_ANOMALY_THRESHOLD": "1000000u",
                      "LITEFORMER_ANOMALY_CALIBRATION": self.calibration, "LITEFORMER_ANOMALY_LEVEL": "100000u"}
        if self.sensor:
            inputs, output = self.shifts
            lines |= {f"CSR_{self.sensor.upper()}_BASE": 0, "LITEFORMER_RAW_SHIFTS": _list([inputs] * self.features),
                      "LITEFORMER_RAW_ORIGINS": _list([ORIGIN] * self.features), "LITEFORMER_OUTPUT_SHIFTS": _list([output]),
                      "LITEFORMER_OUTPUT_ORIGINS": _list([ORIGIN])}
        return "".join(f"#define {name} {value}\n" for name, value in lines.items())


def _list(numbers):
    return "{" + ", ".join(map(str, numbers)) + "}"


class NativeFirmware:
    """The firmware as a process; it boots anew for each run.

    Args:
        directory: an empty folder; shape: Shape; extra: flags, SANITIZED or COVERED; sources: of the firmware, the one with
        ``main`` first.
    """

    def __init__(self, directory, shape, extra=SANITIZED, sources=FIRMWARE):
        self.directory, self.shape = directory, shape
        generated = directory / "generated"
        generated.mkdir()
        for name in ("csr.h", "mem.h", "soc.h", "model.h"):
            (generated / name).write_text('#include "../host.h"\n')
        shutil.copy(NATIVE / "host.h", directory)
        (directory / "shape.h").write_text(shape.header())
        compiler = ["gcc", *FLAGS, *extra, "-I", str(directory), "-I", str(SOURCES)]
        for name in sources:
            rename = ["-Dmain=firmware_main"] if name == sources[0] else []
            subprocess.run([*compiler, *rename, "-c", str(SOURCES / name), "-o", name.replace(".c", ".o")], cwd=directory,
                           check=True)
        model = [flag for flag in compiler if flag != "--coverage"]
        models = ("registers.c", "applications.c")
        for name in models:
            subprocess.run([*model, "-c", str(NATIVE / name), "-o", name.replace(".c", ".o")], cwd=directory, check=True)
        objects = [name.replace(".c", ".o") for name in (*sources, *models)]
        subprocess.run(["gcc", *FLAGS, *extra, *objects, "-o", "firmware"], cwd=directory, check=True)
        self._process = subprocess.Popen([directory / "firmware"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, env=ENVIRONMENT)

    def run(self, stream, quiet=0):
        """Boot and send bytes; returns all bytes answered. ``quiet``: 1, the core is never done; 2, it is busy for ever; 3,
        there is none; 4, the texts of all errors instead.

        Raises:
            AssertionError: a sanitizer, or the model of the registers, stopped the firmware.
        """
        process = self._process
        try:
            process.stdin.write(struct.pack("<2I", len(stream), quiet) + stream)
            process.stdin.flush()
            count = struct.unpack("<I", process.stdout.read(4))[0]
            return process.stdout.read(count)
        except (BrokenPipeError, struct.error):
            raise AssertionError(process.stderr.read().decode()[-2000:]) from None

    def close(self):
        """End the process; it writes its coverage."""
        self._process.stdin.close()
        self._process.wait(10)
        for pipe in (self._process.stdout, self._process.stderr):
            pipe.close()
