"""The simulated serial line as a pseudo-terminal: the real firmware behind pyserial."""

import os
import time

import numpy as np
import pytest
import serial

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import Command, Decoder, Frame, Status, encode
from liteformer.soc.pseudo_terminal import PseudoTerminal
from liteformer.soc.serial_link import SerialLink
from liteformer.soc.stream import infer_windows


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


def test_damaged_requests_are_sent_again(link, core, windows, monkeypatch):
    """Every third write loses or changes a byte; every output is right all the same."""
    write, count = link._port.write, 0

    def damaged(data):
        nonlocal count
        count += 1
        data = bytearray(data)
        if count % 3 == 0:
            data[len(data) // 2] ^= 0x10
        elif count % 5 == 0:
            del data[3]
        return write(bytes(data))
    monkeypatch.setattr(link, "_timeout", 0.5)
    monkeypatch.setattr(link._port, "write", damaged)
    assert np.array_equal(infer_windows(link.client, windows).outputs, core.expected(windows))
    assert link.repeated > 2


def test_an_idle_soc_stands_still(simulate):
    """And goes on with the next byte; without the limit it never stops."""
    simulation = simulate()
    with PseudoTerminal(simulation, idle_cycles=40_000) as terminal:
        terminal.start()
        with SerialLink(terminal.name, timeout=10) as link:
            for _ in range(2):
                assert link.client.info().window == 4
                time.sleep(0.3)
                cycles = simulation.cycles
                time.sleep(0.1)
                assert simulation.cycles == cycles
    with PseudoTerminal(simulation, idle_cycles=None) as terminal:
        terminal.start()
        cycles = simulation.cycles
        time.sleep(0.5)
        assert simulation.cycles > cycles


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
