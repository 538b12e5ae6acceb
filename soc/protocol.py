# SPDX-License-Identifier: BSD-2-Clause
"""The framed serial protocol, host side: bytes in, bytes out, no transport. ``docs/protocol.md`` describes the frames.

The same protocol in C, device side: ``sw/protocol.c``.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from liteformer.accel.compiler.loading import build_id, checksum, loader_words
from liteformer.accel.decision import DECISIONS, TASKS
from liteformer.accel.errors import LiteFormerError

VERSION = 1
START, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
REPLY = 0x80
MAX_PAYLOAD = 1024
HEADER = struct.Struct("<BBBH")
CRC_BYTES = 2


class Command(IntEnum):
    """Command of a request."""

    INFO = 1
    PUSH = 2
    INFER = 3
    RESULT = 4
    RESET = 5
    LOAD_BEGIN = 6
    LOAD_DATA = 7
    LOAD_END = 8
    SELF_TEST = 9
    BENCH = 10


class Status(IntEnum):
    """First byte of a reply's payload."""

    OK = 0
    BAD_CRC = 1
    BAD_VERSION = 2
    BAD_COMMAND = 3
    BAD_LENGTH = 4
    TIMEOUT = 5
    NOT_READY = 6
    ABORTED = 7
    NO_ANSWER = 8
    NO_CORE = 9
    NO_MODEL = 10
    FIXED_MODEL = 11
    BAD_MODEL = 12


STATUS_TEXT = {
    Status.OK: "no error",
    Status.BAD_CRC: "a frame arrived damaged; check the wiring and the baud rate",
    Status.BAD_VERSION: f"the firmware does not speak protocol version {VERSION}; use firmware and package of one release",
    Status.BAD_COMMAND: "the firmware does not know the command; use firmware and package of one release",
    Status.BAD_LENGTH: "the number of samples does not fit the model's features",
    Status.TIMEOUT: "a frame stopped midway; check the connection",
    Status.NOT_READY: "the window is not full yet; push more samples",
    Status.ABORTED: "the inference was aborted; start it again",
    Status.NO_ANSWER: "the core did not finish in time; reset it, and build it again if that does not help",
    Status.NO_CORE: "the firmware finds no LiteFormer core; build firmware and gateware together",
    Status.NO_MODEL: "the device holds no complete model; load one with `liteformer load-model`",
    Status.FIXED_MODEL: "the build in the device has a fixed model; build it with --loadable to replace the model",
    Status.BAD_MODEL: "the model did not arrive whole; load it again",
}


# Results of a self-test, by number.
SELF_TESTS = ("not done", "passed", "the memories do not hold the model", "wrong result for the known window",
              "memories right; no known window for a model that was loaded")


def crc16(data, crc=0xFFFF):
    """CRC-16/CCITT-FALSE of ``data`` (polynomial 0x1021, most significant bit first); ``crc16(b"123456789") == 0x29B1``."""
    for byte in data:
        x = (crc >> 8) ^ byte
        x ^= x >> 4
        crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFF
    return crc


@dataclass(frozen=True)
class Frame:
    """One frame; ``version`` as received."""

    command: int
    payload: bytes = b""
    sequence: int = 0
    version: int = VERSION

    @property
    def status(self):
        """Status of a reply.

        Raises:
            LiteFormerError: the reply has none or an unknown one.
        """
        try:
            return Status(self.payload[0])
        except (IndexError, ValueError):
            raise LiteFormerError("the device sent a reply without a known status; use firmware and package of one "
                                  "release") from None


def encode(frame):
    """Bytes of a frame on the line.

    Raises:
        LiteFormerError: the payload is longer than MAX_PAYLOAD.
    """
    if len(frame.payload) > MAX_PAYLOAD:
        raise LiteFormerError(f"a frame carries at most {MAX_PAYLOAD} bytes, not {len(frame.payload)}; send fewer rows at once")
    body = HEADER.pack(frame.version, frame.sequence, frame.command, len(frame.payload)) + frame.payload
    body += crc16(body).to_bytes(CRC_BYTES, "big")
    # The escape byte first, or the escapes of the start byte would be escaped again.
    body = body.replace(bytes([ESCAPE]), bytes([ESCAPE, ESCAPE ^ FLIP])).replace(bytes([START]), bytes([ESCAPE, START ^ FLIP]))
    return bytes([START]) + body


class Decoder:
    """Takes received bytes in any portions and returns the intact frames; damaged ones are counted in ``dropped``."""

    def __init__(self):
        self.dropped = 0
        self._body = None
        self._flip = 0

    @property
    def missing(self):
        """At least this many more bytes are needed to complete a frame."""
        if self._body is None:
            return 1 + HEADER.size + CRC_BYTES
        if len(self._body) < HEADER.size:
            return HEADER.size + CRC_BYTES - len(self._body)
        return max(HEADER.size + self._length() + CRC_BYTES - len(self._body), 1)

    def _length(self):
        return self._body[3] | self._body[4] << 8

    def feed(self, data):
        """Take ``data``; returns the list of frames that it completed."""
        frames = []
        for byte in data:
            if byte == START:
                self.dropped += self._body is not None
                self._body, self._flip = bytearray(), 0
            elif self._body is None:
                continue
            elif byte == ESCAPE:
                self._flip = FLIP
            else:
                self._body.append(byte ^ self._flip)
                self._flip = 0
                self._complete(frames)
        return frames

    def _complete(self, frames):
        if len(self._body) < HEADER.size:
            return
        length = self._length()
        if length > MAX_PAYLOAD:
            self._body = None
            self.dropped += 1
        elif len(self._body) == HEADER.size + length + CRC_BYTES:
            body, self._body = bytes(self._body), None
            if crc16(body):
                self.dropped += 1
                return
            version, sequence, command, _ = HEADER.unpack_from(body)
            frames.append(Frame(command, body[HEADER.size:-CRC_BYTES], sequence, version))


@dataclass(frozen=True)
class Info:
    """Description that a device reports: ``clock`` in Hz, ``max_payload`` in bytes, ``model_id`` the first 8 hex digits,
    ``task`` one of ``accel.decision.TASKS``, ``build`` the id of a loadable build (``compiler.loading.build_id``) or 0,
    ``self_test`` one of SELF_TESTS."""

    identifier: int
    core_version: int
    model_id: str
    window: int
    features: int
    outputs: int
    clock: int
    max_payload: int
    task: str
    build: int = 0
    self_test: str = SELF_TESTS[0]


@dataclass(frozen=True)
class Result:
    """One inference: ``outputs`` int64 ``(outputs,)``; ``decision`` int64, the words of ``accel.decision.DECISIONS``; cycles
    of the core alone and seen from the CPU."""

    outputs: np.ndarray
    decision: np.ndarray
    accelerator_cycles: int
    end_to_end_cycles: int


class Client:
    """The commands of the protocol over any transport.

    Args:
        exchange: callable(bytes of a request, sequence) -> Frame, the reply with that sequence number.
        task: of the device's model, which defines the words after the outputs; ``info`` reads it from the device.
    """

    def __init__(self, exchange, task="forecast"):
        self._exchange = exchange
        self._sequence = 0
        self.task = task

    def request(self, command, payload=b""):
        """Send one request and return the payload of the reply, without its status.

        Raises:
            LiteFormerError: the device answered with an error.
        """
        self._sequence = (self._sequence + 1) % 256
        reply = self._exchange(encode(Frame(command, payload, self._sequence)), self._sequence)
        if reply.status != Status.OK:
            raise LiteFormerError(STATUS_TEXT[reply.status])
        if reply.command != command | REPLY:
            raise LiteFormerError("the device answered another command; reset it")
        return reply.payload[1:]

    def info(self):
        """The device's Info."""
        fields = list(_unpack("<11I", self.request(Command.INFO)))
        fields[2], fields[8] = f"{fields[2]:08x}", _numbered(TASKS, fields[8], "task")
        fields[10] = _numbered(SELF_TESTS, fields[10], "self-test result")
        self.task = fields[8]
        return Info(*fields)

    def reset(self):
        """Make the device forget all samples."""
        self.request(Command.RESET)

    def push(self, rows):
        """Push raw samples: integers ``(steps, features)``, any number of steps."""
        for part in _batches(rows):
            self.request(Command.PUSH, _row_bytes(part))

    def infer(self, rows):
        """Push raw samples ``(steps, features)``, run the core after the last one and return its Result.

        Raises:
            LiteFormerError: the window is not full, or the core failed.
        """
        *first, last = _batches(rows)
        for part in first:
            self.request(Command.PUSH, _row_bytes(part))
        return self._result(self.request(Command.INFER, _row_bytes(last)))

    def result(self):
        """The Result of the last inference again."""
        return self._result(self.request(Command.RESULT))

    def self_test(self):
        """Let the device test itself and forget all samples; one of SELF_TESTS."""
        number, = _unpack("<I", self.request(Command.SELF_TEST))
        return _numbered(SELF_TESTS, number, "self-test result")

    def bench(self, count):
        """Run the present window ``count`` times, at most 1000; (cycles of the core for one, of the CPU for all).

        Raises:
            LiteFormerError: the window is not full, or the core failed.
        """
        return _unpack("<2I", self.request(Command.BENCH, struct.pack("<I", count)))

    def load(self, compiled, progress=None):
        """Replace the device's model.

        Args:
            compiled: CompiledModel from ``compiler.loading.replace_model`` for the build in the device.
            progress: callable(parts sent, parts in all) or None.
        Raises:
            LiteFormerError: the device has another build, or the transfer failed; the device then holds no model.
        """
        there, wanted = self.info().build, build_id(compiled)
        if there != wanted:
            raise LiteFormerError(STATUS_TEXT[Status.FIXED_MODEL] if there == 0 else
                                  f"the device has build {there:08x}, the model was compiled for {wanted:08x}; name the model "
                                  "or folder that the device was built from")
        memories = loader_words(compiled)
        size, sent, total = MAX_PAYLOAD // 4 - 2, 0, sum(map(len, memories))
        self.request(Command.LOAD_BEGIN)
        for number, parts in enumerate(memories):
            for first in range(0, len(parts), size):
                piece = parts[first:first + size]
                self.request(Command.LOAD_DATA, struct.pack(f"<{2 + len(piece)}I", number, first, *piece))
                sent += len(piece)
                if progress is not None:
                    progress(sent, total)
        self.request(Command.LOAD_END, struct.pack("<2I", int(compiled.model.id[:8], 16), checksum(compiled)))

    def _result(self, payload):
        words = np.array(_unpack(f"<{len(payload) // 4}i", payload), np.int64)
        split = len(words) - len(DECISIONS[self.task])
        if split < 3:
            raise LiteFormerError("the device sent a reply of the wrong length; use firmware and package of one release")
        return Result(words[2:split], words[split:], int(words[0]) & 0xFFFFFFFF, int(words[1]) & 0xFFFFFFFF)


def _numbered(texts, number, what):
    if number >= len(texts):
        raise LiteFormerError(f"the device has a {what} of unknown number {number}; use firmware and package of one release")
    return texts[number]


def _unpack(form, payload):
    try:
        return struct.unpack(form, payload)
    except struct.error:
        raise LiteFormerError("the device sent a reply of the wrong length; use firmware and package of one "
                              "release") from None


def _batches(rows):
    """Rows cut into portions of one payload; always at least one, which may be empty."""
    rows = np.asarray(rows)
    size = max(MAX_PAYLOAD // (4 * rows.shape[1]), 1)
    return [rows[i:i + size] for i in range(0, len(rows), size)] or [rows]


def _row_bytes(rows):
    return np.ascontiguousarray(rows, "<i4").tobytes()
