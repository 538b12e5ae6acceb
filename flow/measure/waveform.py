# SPDX-License-Identifier: BSD-2-Clause
"""Value changes of a simulated design, read from a VCD file as Verilator writes it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError


@dataclass(frozen=True)
class Waveform:
    """One signal; names that are only aliases of each other share one.

    Attributes:
        names: list of tuples, scopes and name; width: in bits. times: int64 ``(changes,)``, rising; the first one is the
        state at the beginning. bits: uint8 ``(changes, width)``, 0 or 1, bit 0 first.
    """

    names: list
    width: int
    times: np.ndarray
    bits: np.ndarray

    def between(self, begin, end):
        """The same signal from the time ``begin`` to before ``end``; its state at ``begin`` comes first."""
        first = max(int(np.searchsorted(self.times, begin, "right")) - 1, 0)
        last = max(int(np.searchsorted(self.times, end)), first + 1)
        return Waveform(self.names, self.width, np.maximum(self.times[first:last], begin), self.bits[first:last])

    @property
    def transitions(self):
        """Changes of each bit, int64 ``(width,)``."""
        return np.count_nonzero(np.diff(self.bits.astype(np.int8), axis=0), axis=0)

    def high(self, end):
        """Time that each bit is 1 until ``end``, int64 ``(width,)``."""
        return np.diff(self.times, append=end) @ self.bits.astype(np.int64)


def read_vcd(path):
    """All signals of a file.

    Args:
        path: VCD file of two-valued signals.
    Returns:
        ``(waveforms, end)``: list of Waveform; the last time step.
    Raises:
        LiteFormerError: not such a file.
    """
    header, mark, body = Path(path).read_bytes().partition(b"$enddefinitions $end")
    if not mark:
        raise LiteFormerError(f"{path} is not a complete VCD file; run the simulation again")
    names, widths = _declared(header.decode())
    times, values, now = {code: [] for code in names}, {code: [] for code in names}, 0
    for line in body.splitlines():
        if line.startswith(b"#"):
            now = int(line[1:])
        elif line.startswith(b"b"):
            value, _, code = line[1:].partition(b" ")
            times[code].append(now)
            values[code].append(value)
        elif line[:1] in (b"0", b"1"):
            times[line[1:]].append(now)
            values[line[1:]].append(line[:1])
    return [Waveform(names[code], widths[code], np.array(times[code], np.int64), _bits(values[code], widths[code]))
            for code in names if times[code]], now


def _declared(text):
    """Names and widths by identifier."""
    names, widths, scope = {}, {}, []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scope.append(words[2])
        elif words[:1] == ["$upscope"]:
            scope.pop()
        elif words[:1] == ["$var"]:
            code = words[3].encode()
            names.setdefault(code, []).append((*scope, words[4]))
            widths[code] = int(words[2])
    return names, widths


def _bits(values, width):
    """Binary numbers, most significant digit first and leading zeros left out, as a matrix of bits."""
    digits = np.frombuffer(b"".join(value.rjust(width, b"0") for value in values), np.uint8)
    return (digits.reshape(len(values), width) == ord("1"))[:, ::-1].astype(np.uint8)
