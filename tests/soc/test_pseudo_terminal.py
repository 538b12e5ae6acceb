# SPDX-License-Identifier: BSD-2-Clause
"""The simulated serial line as a pseudo-terminal: the real firmware behind pyserial."""

import os
import time

import numpy as np
import pytest
import serial

from liteformer.accel.decision import continues
from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import Command, Decoder, Frame, Status, encode
from liteformer.soc.pseudo_terminal import PseudoTerminal
from liteformer.soc.serial_link import SerialLink
from liteformer.soc.stream import WindowStream, infer_windows


@pytest.fixture
def terminal(simulate):
    with PseudoTerminal(simulate(frame_timeout=1e-3)) as terminal:
        terminal.start()
        yield terminal


@pytest.fixture
def link(terminal):
    with SerialLink(terminal.name, timeout=10) as link:
        yield link


def test_the_firmware_answers_pyserial(link, core, windows):
    info = link.client.info()
    assert (info.window, info.features, info.outputs, info.model_id) == (4, 3, 2, "12345678")
    answers = infer_windows(link.client, windows)
    assert np.array_equal(answers.outputs, core.expected(windows))
    assert (answers.accelerator_cycles == 100).all() and not answers.follows.all()


def test_a_changed_sample_is_seen(link, core, windows):
    """Negative control."""
    sent = windows.copy()
    sent[-1, 3, 2] ^= 1
    wrong = infer_windows(link.client, sent).outputs != core.expected(windows)
    assert wrong.any(axis=1).nonzero()[0].tolist() == [len(windows) - 1]


def test_any_program_can_send_frames(terminal):
    """Without the package's link, and at another baud rate; a damaged frame is answered as such."""
    with serial.Serial(terminal.name, 9600, timeout=10) as port:
        for damage, status in ((0, Status.OK), (1, Status.BAD_CRC), (0, Status.OK)):
            request = bytearray(encode(Frame(Command.RESET, sequence=9)))
            request[-1] ^= damage
            port.write(request)
            (reply,) = Decoder().feed(port.read(9))
            assert (reply.status, reply.sequence) == (status, 9)


def noisy(function, period):
    """``function`` with one byte in ``period`` lost or changed, in turn, of what goes in or comes out."""
    count = 0

    def damage(data):
        nonlocal count
        parts = []
        for byte in data:
            count += 1
            kept = bytes([byte]) if count % period else b"" if count % (2 * period) else bytes([byte ^ 0x10])
            parts.append(kept)
        return b"".join(parts)
    return lambda value: damage(function(value)) if isinstance(value, int) else function(damage(value))


def test_a_noisy_line(link, core, windows, monkeypatch):
    """Bytes change and get lost in both directions; every output is right all the same."""
    monkeypatch.setattr(link, "_timeout", 0.1)
    monkeypatch.setattr(link._port, "write", noisy(link._port.write, 131))
    monkeypatch.setattr(link._port, "read", noisy(link._port.read, 83))
    stream = WindowStream(link.client)
    for window, follows in zip(windows, continues(windows)):
        assert np.array_equal(stream.infer(window, follows).outputs, core.expected(window[None])[0])
    assert link.repeated and stream.lost


def test_a_slow_cpu_within_the_usual_time(simulate, core, windows):
    """SERV takes ten times as long for a byte; at a million cycles per second nothing is treated as lost."""
    simulation, longest = simulate(cpu="serv"), np.zeros((85, 3), int)
    with PseudoTerminal(simulation) as terminal, SerialLink(terminal.name) as link:
        limit = link._limit(Command.PUSH, len(encode(Frame(Command.PUSH, longest.astype("<i4").tobytes()))))
    assert np.array_equal(simulation.infer(windows[:1]).outputs, core.expected(windows[:1]))
    begin = simulation.cycles
    simulation.client.push(longest)
    assert limit / 4 < (simulation.cycles - begin) / 1e6 < limit


def moves(simulation):
    """Whether the simulation continues within a tenth of a second."""
    cycles = simulation.cycles
    time.sleep(0.1)
    return simulation.cycles > cycles


def within_a_minute(condition):
    """Whether the condition comes true, however slow the machine is."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return True
    return False


def test_an_idle_soc_stops(simulate):
    """And continues with the next byte; without the limit it never stops."""
    simulation = simulate()
    with PseudoTerminal(simulation, idle_cycles=40_000) as terminal:
        terminal.start()
        with SerialLink(terminal.name, timeout=10) as link:
            for _ in range(2):
                assert link.client.info().window == 4
                assert within_a_minute(lambda: not moves(simulation))
    with PseudoTerminal(simulation, idle_cycles=None) as terminal:
        terminal.start()
        assert within_a_minute(lambda: moves(simulation))


def test_a_reader_that_does_not_read_holds_nothing_up(terminal, link):
    """More replies than the terminal takes, then all is well again."""
    far = os.open(terminal.name, os.O_WRONLY | os.O_NOCTTY)
    request = encode(Frame(Command.INFO, sequence=200))
    for _ in range(200):
        os.write(far, request)
    os.close(far)
    assert link.client.info().window == 4


def test_ending_it_is_unplugging(terminal, link):
    link.client.info()
    terminal.close()
    with pytest.raises(LiteFormerError, match=f"{terminal.name} is gone; plug the board in again"):
        link.client.info()
