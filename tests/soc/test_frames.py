# SPDX-License-Identifier: BSD-2-Clause
"""Ten thousand frames, intact, damaged and random, against the firmware in simulation: right answers, never a hang."""

import struct

import numpy as np
import pytest
from .stand_in import StandInCore

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

BATCHES = 20
WINDOW, FEATURES, OUTPUTS = 4, 3, 2
COUNT = struct.Struct("<I")
SELDOM = (Command.SELF_TEST, Command.LOAD_BEGIN, Command.LOAD_DATA, Command.LOAD_END, 0, 99, 200)
QUIET = 400_000  # Clock cycles without a byte after which all is answered.


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


def answers(simulation, stream):
    """Send bytes at once and collect the replies until the line is quiet."""
    simulation.send(stream)
    received = b""
    while part := simulation.run(QUIET):
        received += part
    decoder = Decoder()
    replies = decoder.feed(received)
    assert decoder.dropped == 0
    return replies


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


@pytest.mark.parametrize("frames", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_frames(simulate, core, windows, frames):
    simulation, model, rng = simulate(frame_timeout=1e-4, level=3), Model(core), np.random.default_rng(1)
    served, statuses = 0, set()
    for _ in range(BATCHES):
        stream = b"".join(frame(rng, int(rng.integers(256))) for _ in range(frames // BATCHES))
        replies = answers(simulation, stream)
        served += check(model, stream, replies)
        statuses |= {reply.status for reply in replies}
    assert served > frames // 5
    assert statuses == {Status.OK, Status.BAD_CRC, Status.BAD_VERSION, Status.BAD_COMMAND, Status.BAD_LENGTH, Status.TIMEOUT,
                        Status.NOT_READY, Status.FIXED_MODEL}
    assert simulation.client.info().features == FEATURES
    assert np.array_equal(simulation.infer(windows).outputs, core.expected(windows))


@pytest.mark.parametrize("change", [lambda replies: replies[1:], lambda replies: replies[:1] + replies,
                                    lambda replies: replies[:-1] + [Frame(replies[-1].command, replies[-1].payload[:-1] + b"?",
                                                                          replies[-1].sequence)]])
def test_a_wrong_reply_is_seen(core, change):
    """Negative control: one is missing, one comes twice, one has another output."""
    requests = [Frame(Command.PUSH, bytes(12 * (WINDOW - 1)), 1), Frame(Command.INFER, bytes(12), 2)]
    replies = [Frame(Command.PUSH | REPLY, b"\0", 1), Frame(Command.INFER | REPLY, bytes(1 + 4 * (2 + OUTPUTS)), 2)]
    stream = b"".join(encode(request) for request in requests)
    check(Model(core), stream, replies)
    with pytest.raises(AssertionError):
        check(Model(core), stream, change(replies))


def test_a_hang_is_seen(simulate):
    """Negative control: an inference that never ends, and a firmware that waits for it."""
    core = StandInCore(WINDOW, FEATURES, OUTPUTS, hang=True)
    simulation = simulate(core)
    stream = b"".join(encode(Frame(command, payload, 1)) for command, payload in (
        (Command.PUSH, bytes(12 * WINDOW)), (Command.INFER, b""), (Command.INFO, b"")))
    replies = answers(simulation, stream)
    with pytest.raises(AssertionError):
        check(Model(core), stream, replies)
