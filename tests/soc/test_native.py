# SPDX-License-Identifier: BSD-2-Clause
"""The firmware on this machine, with address and undefined-behaviour sanitizers: frames and transfers of all kinds, faults of
the core, and which branches they reach."""

import json
import platform
import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel.decision import TASKS
from liteformer.soc.protocol import Command, Decoder, Frame, Status, encode

from .native_firmware import COVERED, MODEL, NativeFirmware, Shape
from .random_frames import FEATURES, OUTPUTS, WINDOW, Model, check, frame

pytestmark = pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64",
                                reason="the register model steps through x86-64 instructions")

PARTS  = (3, 1, 4)
PLAIN  = Shape(WINDOW, FEATURES, OUTPUTS)
LOADED = Shape(2, 2, 1, parts=PARTS)
ANOMALY, CLASSES = Shape(1, 3, 3, task=TASKS.index("anomaly")), Shape(2, 15, 3, task=TASKS.index("classification"))
# Branches of sw/ that no run on this machine takes, by file and by what stands in the line.
EXCEPTIONS = (("main", "return code == LITEFORMER_OK ? PROTOCOL_OK"),)    # Asked only where there is an error.
FILES = ("main", "protocol", "liteformer", "decision", "loading")


@pytest.fixture
def start(tmp_path_factory):
    """Callable (shape, extra flags) -> NativeFirmware."""
    started = []

    def build(*arguments):
        started.append(NativeFirmware(tmp_path_factory.mktemp("native"), *arguments))
        return started[-1]

    yield build
    for firmware in started:
        firmware.close()


def requests(*frames):
    """Bytes of (command, payload) pairs, numbered from 1."""
    return b"".join(encode(Frame(command, payload, number)) for number, (command, payload) in enumerate(frames, 1))


def statuses(answers):
    decoder = Decoder()
    replies = decoder.feed(answers)
    assert decoder.dropped == 0
    return [reply.status for reply in replies]


def fuzzed(firmware, rng, size):
    """Random frames of ``size`` bytes in all, each answered as the model in Python says; returns the statuses seen."""
    model, done, seen = Model(firmware.shape), 0, set()
    while done < size:
        stream = b"".join(frame(rng, int(rng.integers(256))) for _ in range(400))
        model.reset()
        replies = Decoder().feed(firmware.run(stream))
        check(model, stream, replies)
        seen |= {reply.status for reply in replies}
        done += len(stream)
    return seen


@pytest.mark.parametrize("size", [60_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
def test_frames(start, size):
    seen = fuzzed(start(PLAIN), np.random.default_rng(size), size)
    assert seen == {Status.OK, Status.BAD_CRC, Status.BAD_VERSION, Status.BAD_COMMAND, Status.BAD_LENGTH, Status.TIMEOUT,
                    Status.NOT_READY, Status.FIXED_MODEL}


def transfer(rng, memories, damaged):
    """Frames of a model; ``damaged``: one is missing, twice there, changed, or out of order.

    Returns:
        list of (command, payload), the last one LOAD_END.
    """
    frames = [(Command.LOAD_BEGIN, b"")]
    for number, parts in enumerate(memories):
        first = 0
        while first < len(parts):
            count = int(rng.integers(1, len(parts) - first + 1))
            frames.append((Command.LOAD_DATA, struct.pack(f"<{2 + count}I", number, first, *parts[first:first + count])))
            first += count
    model = int(rng.integers(1 << 32))
    checksum = zlib.crc32(b"".join(struct.pack("<I", part) for parts in memories for part in parts))
    frames.append((Command.LOAD_END, struct.pack("<2I", model, checksum)))
    if damaged:
        at, kind = int(rng.integers(len(frames))), rng.integers(5)
        if kind == 0:
            del frames[at]
        elif kind == 1:
            frames.insert(at, frames[at])
        elif kind == 2 and frames[at][1]:
            payload = bytearray(frames[at][1])
            payload[int(rng.integers(len(payload)))] ^= 1 << rng.integers(8)
            frames[at] = frames[at][0], bytes(payload)
        elif kind == 3:
            frames[at] = frames[at][0], rng.bytes(int(rng.integers(0, 40)))
        else:
            frames.insert(at, (int(rng.choice([Command.SELF_TEST, Command.RESET, Command.INFO, Command.PUSH])), b""))
    return frames


@pytest.mark.parametrize("count", [400, pytest.param(100_000, marks=pytest.mark.slow)])
def test_models_in_transfer(start, count):
    """A model is taken if and only if all of it arrived; no part is written anywhere else (native/registers.c would stop)."""
    firmware, rng, ends = start(LOADED), np.random.default_rng(count), {True: 0, False: 0}
    for _ in range(count // 50):
        stream, wanted = b"", []
        for _ in range(50):
            memories = [rng.integers(0, 1 << 32, parts).tolist() for parts in PARTS]
            frames = transfer(rng, memories, rng.random() < 0.6)
            stream += requests(*frames, (Command.INFO, b""))
            whole = requests(*frames) == requests(*transfer_of(frames, memories))
            wanted.append(whole)
        replies = Decoder().feed(firmware.run(stream))
        infos = [reply for reply in replies if reply.command == Command.INFO | 0x80 and len(reply.payload) > 40]
        assert len(infos) >= 50
        ends[True] += sum(wanted)
        found = [reply.status for reply in replies if reply.command == Command.LOAD_END | 0x80]
        assert found.count(Status.OK) >= sum(wanted)
        ends[False] += sum(status != Status.OK for status in found)
    assert ends[True] > count // 4 and ends[False] > count // 10


def transfer_of(frames, memories):
    """The frames themselves if they carry exactly these memories in order, else nothing."""
    parts = [[] for _ in memories]
    if [command for command, _ in frames] != [Command.LOAD_BEGIN, *[Command.LOAD_DATA] * (len(frames) - 2), Command.LOAD_END]:
        return []
    for _, payload in frames[1:-1]:
        if len(payload) < 12 or len(payload) % 4:
            return []
        number, first, *data = struct.unpack(f"<{len(payload) // 4}I", payload)
        if number >= len(memories) or first != len(parts[number]):
            return []
        parts[number] += data
    checksum = zlib.crc32(b"".join(struct.pack("<I", part) for memory in memories for part in memory))
    last = frames[-1][1]
    return frames if parts == memories and len(last) == 8 and struct.unpack("<2I", last)[1] == checksum else []


def test_a_transfer_broken_off_at_every_byte(start):
    """After a reset the model is incomplete and says so, and the whole transfer then works; so it does without a reset."""
    firmware, rng = start(LOADED), np.random.default_rng(2)
    memories = [rng.integers(0, 1 << 32, parts).tolist() for parts in PARTS]
    frames = transfer(rng, memories, False)
    stream, begun = requests(*frames), len(encode(Frame(*frames[0], 1)))
    row = (Command.PUSH, bytes(8))
    for end in range(begun, len(stream)):
        firmware.run(stream[:end])
        assert statuses(firmware.run(requests(row))) == [Status.NO_MODEL], end
        assert set(statuses(firmware.run(stream))) == {Status.OK}
        assert statuses(firmware.run(requests(row))) == [Status.OK]
        replies = statuses(firmware.run(stream[:end] + stream + requests(row)))
        assert replies[-len(frames) - 1:] == [Status.OK] * (len(frames) + 1), end


@pytest.mark.parametrize("quiet", [1, 2])
def test_a_core_that_never_ends(start, quiet):
    """A lost event and a core that stays busy: the firmware gives up and goes on serving."""
    firmware = start(PLAIN)
    window = bytes(12 * WINDOW)
    stream = requests((Command.INFER, window), (Command.RESULT, b""), (Command.BENCH, struct.pack("<I", 3)),
                      (Command.INFO, b""))
    assert statuses(firmware.run(stream, quiet)) == [Status.NO_ANSWER] * 3 + [Status.OK]
    assert statuses(firmware.run(stream)) == [Status.OK] * 4


def test_no_core(start):
    firmware = start(LOADED)
    stream = requests((Command.INFER, bytes(8)), (Command.SELF_TEST, b""), (Command.LOAD_BEGIN, b""), (Command.RESET, b""))
    assert statuses(firmware.run(stream, 3)) == [Status.NO_CORE] * 4


def test_a_fault_is_seen(tmp_path):
    """Negative control: the register model stops a firmware whose core has smaller memories than its header says."""
    firmware = NativeFirmware(tmp_path, LOADED)
    firmware.close()
    header = tmp_path / "shape.h"
    header.write_text(header.read_text().replace("HOST_MEMORY_PARTS {3, 1, 4}", "HOST_MEMORY_PARTS {2, 1, 4}"))
    other = tmp_path / "other"
    other.mkdir()
    shape = Shape(2, 2, 1, parts=PARTS)
    object.__setattr__(shape, "header", header.read_text)
    firmware = NativeFirmware(other, shape)
    memories = [[1] * parts for parts in PARTS]
    with pytest.raises(AssertionError, match="behind the end of a memory"):
        firmware.run(requests(*transfer(np.random.default_rng(0), memories, False)))
    firmware.close()


def branches(folder, name):
    """Dict (line, text, number of the branch) -> times taken, from gcov."""
    text = subprocess.run(["gcov", "-b", "--json-format", "--stdout", f"{name}.gcda"], cwd=folder, capture_output=True,
                          text=True, check=True).stdout
    taken = {}
    for file in json.loads(text)["files"]:
        if not file["file"].endswith(f"{name}.c"):
            continue
        with open(file["file"]) as source:
            lines = source.read().splitlines()
        for line in file["lines"]:
            for number, branch in enumerate(line["branches"]):
                taken[line["line_number"], lines[line["line_number"] - 1].strip(), number] = branch["count"]
    return taken


def everything(shape, rng):
    """Requests of all kinds, lengths and sizes."""
    def row(count):
        return rng.integers(-1 << 31, 1 << 31, count * shape.features, np.int64).astype("<i4").tobytes()

    return b"".join([
        requests((Command.RESULT, b"")), b"\x7e\x01", b"\x55" * 3,
        *(requests((Command.INFER, row(count)), (Command.RESULT, b""), (Command.BENCH, struct.pack("<I", 2)),
                   (Command.PUSH, row(1)), (Command.PUSH, b"123"), (Command.PUSH, bytes(4)), (Command.PUSH, b""))
          for count in (shape.window, 1, 2)),
        requests((Command.INFER, b""), (Command.SELF_TEST, b""), (Command.RESET, b""), (Command.INFER, b"")),
        requests(*((Command.INFER, bytes(4 * shape.features)) for _ in range(60))),
        requests((Command.RESET, b""), *((Command.INFER, row(1)) for _ in range(60 * bool(shape.calibration)))),
        requests((Command.BENCH, struct.pack("<I", 0)), (Command.BENCH, struct.pack("<I", 1001)), (Command.BENCH, b""))])


def transfers(shape, rng):
    """Streams that load models, whole, damaged, misplaced and broken off; the last one brings the first model back."""
    def data(number, first, *parts):
        return Command.LOAD_DATA, struct.pack(f"<{2 + len(parts)}I", number, first, *parts)

    for _ in range(60):
        memories = [rng.integers(0, 1 << 32, parts).tolist() for parts in PARTS]
        yield requests(*transfer(rng, memories, rng.random() < 0.7), (Command.SELF_TEST, b""), (Command.INFER, bytes(16)))
    # Onto a complete model, then onto an incomplete one: no such memory, too many parts, too far behind, out of order, twice.
    wrong = [data(len(PARTS), 0, 1), data(0, 0, *[1] * (PARTS[0] + 1)), data(0, PARTS[0], 1), data(0, 1, 1), data(0, 0, 1),
             data(0, 0, 1), data(2, 1, 1), data(0, 2, 1), data(1, 1), (Command.LOAD_DATA, b"12345678901"),
             (Command.LOAD_DATA, bytes(13)), (Command.LOAD_END, b""), (Command.BENCH, struct.pack("<I", 1))]
    yield requests(*wrong, (Command.LOAD_BEGIN, b""), *wrong)
    # The boot behind it finds the model incomplete.
    yield b""
    yield requests(*[(command, struct.pack("<2I", MODEL, shape.checksum) if command == Command.LOAD_END else payload)
                     for command, payload in transfer(rng, [[0] * parts for parts in PARTS], False)], (Command.SELF_TEST, b""))


def test_every_branch_is_taken(start):
    """Of all of sw/ but the applications, see test_native_applications.py, and assembler; the exceptions are named above."""
    shapes = (PLAIN, LOADED, ANOMALY, replace(ANOMALY, calibration=2), CLASSES, Shape(1, 1, 1, known=False),
              Shape(1, 1, 1, off=1))
    rng, seen = np.random.default_rng(3), {}
    for shape in shapes:
        firmware = start(shape, COVERED)
        stream = everything(shape, rng)
        for quiet in (3, 0, 1, 2, 4):
            firmware.run(stream, quiet)
        if shape is PLAIN:
            fuzzed(firmware, rng, 30_000)
        if shape.parts:
            for part in transfers(shape, rng):
                firmware.run(part)
            firmware.run(part, 3)
        firmware.close()
        for name in FILES:
            for key, count in branches(firmware.directory, name).items():
                seen[name, *key] = seen.get((name, *key), 0) + count
    missing = sorted({(name, line, text) for (name, line, text, _), count in seen.items() if not count
                      and not any(name == file and part in text for file, part in EXCEPTIONS)})
    assert not missing, "\n".join(map(str, missing))
    # Every exception is still one, and there are as many branches as such a firmware has.
    assert all(any(name == file and part in text and not count for (name, _, text, _), count in seen.items())
               for file, part in EXCEPTIONS)
    assert len(seen) > 150
