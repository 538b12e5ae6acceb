# SPDX-License-Identifier: BSD-2-Clause
"""Serial protocol: the Python side alone, and the C side compiled for this machine against the Python side."""

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liteformer.sw
from liteformer.accel.errors import LiteFormerError
from liteformer.soc.protocol import (
    MAX_PAYLOAD,
    REPLY,
    START,
    STATUS_TEXT,
    VERSION,
    Client,
    Command,
    Decoder,
    Frame,
    Status,
    crc16,
    encode,
)

SOURCES = Path(liteformer.sw.__file__).parent

FRAMES = st.builds(Frame, command=st.integers(0, 255), payload=st.binary(max_size=60), sequence=st.integers(0, 255))


@st.composite
def damaged(draw):
    """Bytes of a few frames with bytes changed, lost, doubled or inserted."""
    data = bytearray(b"".join(encode(frame) for frame in draw(st.lists(FRAMES, max_size=4))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 3))
        data[at:end] = draw(st.binary(max_size=4))
    return bytes(data)


class Device:
    """sw/protocol.c as a shared library."""

    class Content(ctypes.Structure):
        _fields_ = [("payload", ctypes.c_uint8 * MAX_PAYLOAD), ("version", ctypes.c_uint8), ("sequence", ctypes.c_uint8),
                    ("command", ctypes.c_uint8), ("length", ctypes.c_uint16)]

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))
        self.sent = bytearray()
        self.put = ctypes.CFUNCTYPE(None, ctypes.c_uint8)(self.sent.append)
        ctypes.c_void_p.in_dll(self.library, "put_to_host").value = ctypes.cast(self.put, ctypes.c_void_p).value
        self.content = Device.Content.in_dll(self.library, "protocol_frame")

    def feed(self, data):
        """Frames that ``data`` completed; replies to damaged ones are appended to ``sent``."""
        frames = []
        for byte in data:
            if self.library.protocol_receive(ctypes.c_uint8(byte)):
                c = self.content
                frames.append(Frame(c.command, bytes(c.payload[:c.length]), c.sequence, c.version))
        return frames

    def replies(self):
        """Frames sent since the last call."""
        frames = Decoder().feed(bytes(self.sent))
        self.sent.clear()
        return frames


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    folder = tmp_path_factory.mktemp("protocol")
    glue = folder / "glue.c"
    glue.write_text('#include "protocol.h"\nvoid (*put_to_host)(uint8_t);\n'
                    "void protocol_put(uint8_t byte) { put_to_host(byte); }\n")
    library = folder / "protocol.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}", str(SOURCES / "protocol.c"),
                    str(glue), "-o", str(library)], check=True)
    return Device(library)


def test_crc_has_the_published_check_value():
    assert crc16(b"123456789") == 0x29B1


def test_the_documented_example():
    assert encode(Frame(Command.INFO, sequence=1)).hex(" ") in (
        Path(__file__).parents[2] / "docs" / "protocol.md").read_text().lower()


@given(FRAMES)
def test_what_is_encoded_is_decoded(frame):
    data = encode(frame)
    assert data.count(START) == 1
    assert Decoder().feed(data) == [frame]


@given(FRAMES, st.data())
def test_a_changed_bit_is_noticed(frame, data):
    sent = bytearray(encode(frame))
    sent[data.draw(st.integers(1, len(sent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert frame not in Decoder().feed(sent)


@given(damaged(), FRAMES)
@settings(max_examples=500)
def test_the_next_frame_after_damage_arrives(garbage, frame):
    assert Decoder().feed(garbage + encode(frame))[-1] == frame


@given(FRAMES)
def test_a_decoder_asks_for_no_byte_too_many(frame):
    data, decoder, frames = encode(frame), Decoder(), []
    while not frames:
        assert decoder.missing <= len(data)
        data, part = data[decoder.missing:], data[:decoder.missing]
        frames = decoder.feed(part)
    assert frames == [frame]


def test_a_long_payload_is_refused():
    with pytest.raises(LiteFormerError, match="at most 1024 bytes, not 1025"):
        encode(Frame(Command.PUSH, bytes(1025)))


@given(damaged(), FRAMES)
@settings(max_examples=2000, deadline=None)
def test_device_and_host_agree_on_every_stream(device, garbage, frame):
    stream = garbage + encode(frame)
    assert device.feed(stream) == [f for f in Decoder().feed(stream) if f.version == VERSION]
    device.replies()


@given(damaged())
@settings(deadline=None)
def test_device_answers_damage_with_intact_frames(device, garbage):
    device.feed(garbage)
    replies = device.replies()
    assert all(len(reply.payload) == 1 and reply.status in (Status.BAD_CRC, Status.BAD_VERSION, Status.BAD_LENGTH)
               and reply.command & REPLY for reply in replies)
    device.feed([START])
    device.library.protocol_timeout()
    assert [reply.status for reply in device.replies()] == [Status.TIMEOUT]


@pytest.mark.parametrize(("change", "status"), [
    (lambda data: data[:-1] + bytes([data[-1] ^ 1]), Status.BAD_CRC),
    (lambda data: encode(Frame(Command.INFO, b"abc", 7, version=2)), Status.BAD_VERSION),
    (lambda data: bytes([START, VERSION, 7, Command.INFO, 1, 4]), Status.BAD_LENGTH),
])
def test_device_names_what_was_wrong(device, change, status):
    assert device.feed(change(encode(Frame(Command.INFO, b"abc", 7)))) == []
    (reply,) = device.replies()
    assert (reply.status, reply.sequence, reply.command) == (status, 7, Command.INFO | REPLY)


def client_of(payload, command=None):
    def exchange(request, sequence):
        (frame,) = Decoder().feed(request)
        return Frame((frame.command if command is None else command) | REPLY, payload, sequence)
    return Client(exchange)


@pytest.mark.parametrize("status", [status for status in Status if status != Status.OK])
def test_every_error_of_the_device_is_a_sentence(status):
    with pytest.raises(LiteFormerError) as error:
        client_of(bytes([status])).info()
    assert str(error.value) == STATUS_TEXT[status]


def test_odd_replies_are_errors():
    for payload in (b"", b"\xff"):
        with pytest.raises(LiteFormerError, match="without a known status"):
            client_of(payload).reset()
    with pytest.raises(LiteFormerError, match="wrong length"):
        client_of(bytes(3)).info()
    with pytest.raises(LiteFormerError, match="another command"):
        client_of(bytes(1), Command.PUSH).reset()


def test_many_rows_go_in_several_frames():
    sent = []

    def exchange(request, sequence):
        sent.extend(Decoder().feed(request))
        return Frame(sent[-1].command | REPLY, bytes(13), sequence)
    rows = np.arange(100 * 7).reshape(100, 7)
    Client(exchange).infer(rows)
    assert [frame.command for frame in sent] == [Command.PUSH, Command.PUSH, Command.INFER]
    assert b"".join(frame.payload for frame in sent) == rows.astype("<i4").tobytes()
