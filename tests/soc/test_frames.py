# SPDX-License-Identifier: BSD-2-Clause
"""Ten thousand frames, intact, damaged and random, against the firmware in simulation: right answers, never a hang."""

import numpy as np
import pytest
from .random_frames import FEATURES, OUTPUTS, WINDOW, Model, check, frame
from .stand_in import StandInCore

from liteformer.soc.protocol import REPLY, Command, Decoder, Frame, Status, encode

BATCHES = 20
QUIET = 400_000  # Clock cycles without a byte after which all is answered.


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


@pytest.mark.parametrize("frames", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_frames(simulate, core, windows, frames):
    simulation, model, rng = simulate(frame_timeout=1e-4, level=1), Model(core), np.random.default_rng(1)
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
