# SPDX-License-Identifier: BSD-2-Clause
"""Frames, intact, damaged and random, and what a device answers them."""

import struct

import numpy as np

from liteformer.soc.protocol import (
    CRC_BYTES,
    ESCAPE,
    HEADER,
    REPLY,
    START,
    VERSION,
    Command,
    Decoder,
    Frame,
    Status,
    crc16,
    encode,
)

WINDOW, FEATURES, OUTPUTS = 4, 3, 2
COUNT = struct.Struct("<I")
SELDOM = (Command.SELF_TEST, Command.LOAD_BEGIN, Command.LOAD_DATA, Command.LOAD_END, 0, 99, 200)


class Model:
    """What an intact request is answered, worked out in Python."""

    def __init__(self, core):
        self.core = core
        self.reset()

    def reset(self):
        """As after power on."""
        self.rows, self.result = np.zeros((0, FEATURES), np.int64), None

    def answer(self, frame):
        """``(status, outputs or None)``."""
        if frame.command in (Command.LOAD_BEGIN, Command.LOAD_DATA, Command.LOAD_END):
            return Status.FIXED_MODEL, None
        if frame.command == Command.BENCH:
            if len(frame.payload) != 4:
                return Status.BAD_LENGTH, None
            self.result = self.core.expected(self.rows[None])[0].tolist() if len(self.rows) == WINDOW else None
            return (Status.NOT_READY if self.result is None else Status.OK), None
        if frame.command in (Command.RESET, Command.SELF_TEST):
            self.reset()
        elif frame.command in (Command.PUSH, Command.INFER):
            if len(frame.payload) % (4 * FEATURES):
                return Status.BAD_LENGTH, None
            rows = np.concatenate([self.rows, np.frombuffer(frame.payload, "<i4").reshape(-1, FEATURES)])[-WINDOW:]
            if frame.command == Command.INFER and len(rows) < WINDOW:
                return Status.NOT_READY, None
            self.rows = rows
            if frame.command == Command.INFER:
                self.result = self.core.expected(self.rows[None])[0].tolist()
        elif frame.command not in (Command.INFO, Command.RESULT, Command.RESET, Command.SELF_TEST):
            return Status.BAD_COMMAND, None
        if frame.command in (Command.INFER, Command.RESULT):
            return (Status.NOT_READY, None) if self.result is None else (Status.OK, self.result)
        return Status.OK, None


def intact(rng, sequence):
    """A request, of any command and mostly of a right length."""
    command = int(rng.choice([Command.PUSH, Command.INFER, Command.RESULT, Command.INFO, Command.RESET, Command.BENCH, *SELDOM],
                             p=[0.3, 0.3, 0.1, 0.08, 0.04, 0.04, *[0.14 / len(SELDOM)] * len(SELDOM)]))
    size = int(rng.choice([0, 12, 24, 36, 13], p=[.1, .6, .15, .1, .05])) if command in (Command.PUSH, Command.INFER) else 0
    payload = COUNT.pack(rng.integers(1, 4))[:rng.choice([3, 4])] if command == Command.BENCH else rng.bytes(size)
    version = VERSION if rng.random() < 0.97 else int(rng.integers(256))
    return encode(Frame(command, payload, sequence, version))


def damaged(rng, sequence):
    """An intact one with bytes changed, lost, doubled, inserted, or cut short, or with a length that it does not have."""
    data, kind = bytearray(intact(rng, sequence)), rng.integers(6)
    at = int(rng.integers(len(data)))
    if kind == 0:
        data[at] ^= 1 << rng.integers(8)
    elif kind == 1:
        del data[at:at + rng.integers(1, 4)]
    elif kind == 2:
        data[at:at] = data[at:at + rng.integers(1, 4)]
    elif kind == 3:
        data[at:at] = rng.choice([rng.bytes(2), bytes([ESCAPE]), bytes([ESCAPE, ESCAPE]), bytes([START])])
    elif kind == 4:
        del data[at:]
    else:
        body = HEADER.pack(VERSION, sequence, Command.PUSH, int(rng.choice([1, 60, 1024, 1025, 0xFFFF])))
        data = bytearray([START]) + body + crc16(body).to_bytes(CRC_BYTES, "big")
    return bytes(data)


def frame(rng, sequence):
    """One of the three kinds."""
    kind = rng.random()
    if kind < 0.3:
        return intact(rng, sequence)
    return damaged(rng, sequence) if kind < 0.8 else bytes([START]) + rng.bytes(rng.integers(1, 24))


def check(model, stream, replies):
    """The replies to intact requests are those of the model, in order; the others name a damage."""
    expected = [(frame.sequence, frame.command | REPLY, *model.answer(frame)) for frame in Decoder().feed(stream)
                if frame.version == VERSION]
    damage = (Status.BAD_CRC, Status.BAD_VERSION, Status.BAD_LENGTH, Status.TIMEOUT)
    found = [(reply.sequence, reply.command, reply.status, _outputs(reply)) for reply in replies if reply.status not in damage]
    assert found == [entry for entry in expected if entry[2] != Status.BAD_LENGTH]
    return len(expected)


def _outputs(reply):
    if reply.command not in (Command.INFER | REPLY, Command.RESULT | REPLY) or reply.status != Status.OK:
        return None
    return np.frombuffer(reply.payload[1:], "<i4").tolist()[2:]
