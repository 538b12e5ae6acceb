# SPDX-License-Identifier: BSD-2-Clause
"""The serial link and the stream of windows over it: a scripted device on a pseudo-terminal, its faults, the sentences."""

import errno
import os
import threading
import time
import tty

import numpy as np
import pytest
import serial

from liteformer.accel.errors import LiteFormerError
from liteformer.soc import serial_link
from liteformer.soc.protocol import REPLY, STATUS_TEXT, Command, Decoder, Frame, Result, Status, encode
from liteformer.soc.serial_link import SerialLink
from liteformer.soc.stream import LostReply, WindowStream, infer_windows

WINDOW, FEATURES = 3, 2


class ScriptedDevice:
    """A device of one output, the sum of its window, on a pseudo-terminal. ``faults`` maps the number of a request, from 0,
    to what happens to it: "request" or "reply" lost, a Status that the device answers, "garbage" for the reply, "unplug"."""

    def __init__(self):
        self.faults, self.seen, self.rows, self.last = {}, [], [], None
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        self.name = os.ttyname(self.far)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def unplug(self):
        os.close(self.far)
        os.close(self.near)

    def _serve(self):
        decoder = Decoder()
        while True:
            try:
                data = os.read(self.near, 100)
            except OSError:
                return
            for frame in decoder.feed(data):
                fault = self.faults.get(len(self.seen))
                self.seen.append(frame.command)
                if fault == "unplug":
                    self.unplug()
                    return
                if fault == "request":
                    continue
                payload = bytes([fault]) if isinstance(fault, Status) else self._execute(frame)
                reply = encode(Frame(frame.command | REPLY, payload, frame.sequence))
                if fault != "reply":
                    os.write(self.near, bytes(len(reply)) if fault == "garbage" else reply)

    def _execute(self, frame):
        if frame.command == Command.RESET:
            self.rows, self.last = [], None
        rows = np.frombuffer(frame.payload, "<i4").reshape(-1, FEATURES)
        self.rows = (self.rows + rows.tolist())[-WINDOW:]
        if frame.command == Command.INFER:
            self.last = np.array([100, 200, np.sum(self.rows)], "<i4").tobytes()
        if frame.command in (Command.INFER, Command.RESULT):
            return bytes([Status.NOT_READY]) if self.last is None else b"\0" + self.last
        return b"\0"


@pytest.fixture
def device():
    return ScriptedDevice()


@pytest.fixture
def link(device):
    with SerialLink(device.name, timeout=0.15) as link:
        yield link


@pytest.fixture
def windows():
    series = np.random.default_rng(2).integers(-1000, 1000, (8, FEATURES))
    return np.lib.stride_tricks.sliding_window_view(series, (WINDOW, FEATURES))[:, 0]


def sums(windows):
    return windows.sum(axis=(1, 2))[:, None]


# Requests: 0 reset, 1 the first whole window, then one for each row.
@pytest.mark.parametrize(("fault", "commands", "follows"), [
    ("reply", [Command.INFER, Command.RESULT], True),
    ("garbage", [Command.INFER, Command.RESULT], True),
    ("request", [Command.INFER, Command.RESULT, Command.RESET, Command.INFER], False),
    (Status.BAD_CRC, [Command.INFER, Command.INFER], True),
    (Status.TIMEOUT, [Command.INFER, Command.INFER], True),
    (Status.BAD_LENGTH, [Command.INFER, Command.INFER], True)])
def test_a_fault_on_the_line_costs_no_window(device, link, windows, fault, commands, follows):
    device.faults = {3: fault}
    answers = infer_windows(link.client, windows)
    assert np.array_equal(answers.outputs, sums(windows))
    assert device.seen[3:3 + len(commands)] == commands
    assert answers.follows.tolist() == [False, True, follows, True, True, True]
    assert (link.repeated > 0) == isinstance(fault, Status)


def test_a_request_that_is_executed_twice_would_be_seen(device, link, windows, monkeypatch):
    """Negative control: sent again without thought, the row is in the window twice."""
    monkeypatch.setattr(serial_link, "ONCE", ())
    device.faults = {3: "reply"}
    assert (infer_windows(link.client, windows).outputs != sums(windows)).any()


@pytest.mark.parametrize("faults", [{1: "reply"}, {1: "request"}, {3: "request", 6: "reply"}, {3: "request", 4: "reply"}])
def test_faults_at_the_first_window_and_while_recovering(device, link, windows, faults):
    device.faults = faults
    stream = WindowStream(link.client)
    link.client.reset()
    outputs = [stream.infer(window, index > 0).outputs for index, window in enumerate(windows)]
    assert np.array_equal(outputs, sums(windows))
    assert stream.lost >= 1


def test_requests_without_harm_are_sent_again(device, link):
    device.faults = {0: "request", 1: "reply", 3: Status.BAD_CRC, 4: "garbage"}
    link.client.reset()
    link.client.reset()
    assert device.seen == [Command.RESET] * 6 and link.repeated == 4


@pytest.mark.parametrize("status", [status for status in Status if status not in serial_link.DAMAGED and status != Status.OK])
def test_only_a_damaged_request_is_sent_again(device, link, status):
    """Negative control: of any other error nothing is gained."""
    device.faults = {0: status}
    with pytest.raises(LiteFormerError) as error:
        link.client.infer(np.ones((1, FEATURES), int))
    assert str(error.value) == STATUS_TEXT[status]
    assert device.seen == [Command.INFER] and link.repeated == 0


def test_equal_results_are_not_taken_for_an_executed_request(device, link):
    """All windows have the same sum, so ``result`` is inconclusive; the window is sent again."""
    windows = np.full((4, WINDOW, FEATURES), 5)
    device.faults = {3: "reply", 7: "request"}
    answers = infer_windows(link.client, windows)
    assert (answers.outputs == 30).all() and device.rows == [[5, 5]] * WINDOW
    assert answers.follows.tolist() == [False, True, False, False]


def test_an_anomaly_score_restarts_where_a_window_is_rebuilt():
    """``follows`` shows it to the golden model."""
    class Client:
        task, calls = "anomaly", []

        def reset(self):
            self.calls.append("reset")

        def infer(self, rows):
            self.calls.append(len(rows))
            if len(self.calls) == 4:
                raise LostReply("lost")
            return Result(np.array([1]), np.array([0, 0]), 1, 1)

        def result(self):
            return Result(np.array([1]), np.array([0, 0]), 1, 1)
    answers = infer_windows(Client(), np.zeros((3, WINDOW, FEATURES), int))
    assert Client.calls == ["reset", "reset", 3, 1, "reset", 3, 1]
    assert answers.follows.tolist() == [False, False, True]


# Sentences ----------------------------------------------------------------------------------------

def test_unplugged_in_the_middle(device, link, windows):
    device.faults = {4: "unplug"}
    with pytest.raises(LiteFormerError) as error:
        infer_windows(link.client, windows)
    assert str(error.value) == f"{device.name} is gone; plug the board in again and repeat the command"


def test_no_answer(device, link):
    device.faults = dict.fromkeys(range(9), "request")
    with pytest.raises(LiteFormerError, match=rf"no answer on {device.name} at 115200 baud; load the bitstream .*--baudrate"):
        link.client.info()
    assert len(device.seen) == 3


def test_bytes_that_are_no_frames(device, link):
    device.faults = dict.fromkeys(range(9), "garbage")
    with pytest.raises(LiteFormerError, match=f"{device.name} sends bytes, but no frame at 115200 baud; give the baud rate"):
        link.client.info()


def test_a_board_that_stops_answering(device, link, windows):
    device.faults = dict.fromkeys(range(3, 99), "request")
    with pytest.raises(LiteFormerError, match=f"the board on {device.name} has stopped answering; check its power"):
        infer_windows(link.client, windows)


@pytest.mark.parametrize(("there", "named"), [(["/dev/ttyUSB1", "/dev/ttyACM0"], "there are: /dev/ttyACM0, /dev/ttyUSB1"),
                                              ([], "plug the board in: no serial port is there")])
def test_a_port_that_is_not_there(monkeypatch, there, named):
    monkeypatch.setattr(serial_link.list_ports, "comports", lambda: [type("Port", (), {"device": name}) for name in there])
    with pytest.raises(LiteFormerError) as error:
        SerialLink("/dev/ttyUSB7")
    assert str(error.value) == f"there is no port /dev/ttyUSB7; {named}"


def test_a_file_is_no_port(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LiteFormerError, match="file is not a serial port; "):
        SerialLink(str(tmp_path / "file"))


def test_a_server_that_does_not_run():
    with pytest.raises(LiteFormerError, match="socket://localhost:1 cannot be opened; check --port and whether its server"):
        SerialLink("socket://localhost:1")


def test_a_port_in_use(device, link):
    with pytest.raises(LiteFormerError, match=f"{device.name} is in use by another program; close it"):
        SerialLink(device.name)


def test_no_permission(monkeypatch):
    def refuse(*_, **__):
        raise serial.SerialException(errno.EACCES, "could not open port")
    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LiteFormerError, match="no permission to open /dev/ttyUSB0; add yourself to the group dialout"):
        SerialLink("/dev/ttyUSB0")


@pytest.mark.parametrize("baudrate", [-1, 0])
def test_a_baud_rate_that_cannot_be(device, baudrate):
    with pytest.raises(LiteFormerError, match=f"{device.name} cannot be opened at {baudrate} baud; check --port and --baud"):
        SerialLink(device.name, baudrate=baudrate)


def test_slow_commands_get_more_time(device, link):
    """A command that is not one of the quick ones may take ten times as long."""
    answered = {}
    for command in (99, Command.INFO):
        begin = time.monotonic()
        device.faults = {len(device.seen): "request"}
        link.tries = 1
        with pytest.raises(LiteFormerError, match="no answer"):
            link.client.request(command)
        answered[command] = time.monotonic() - begin
    assert answered[99] > 1.5 > 0.5 > answered[Command.INFO] > 0.15
