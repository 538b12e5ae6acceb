# SPDX-License-Identifier: BSD-2-Clause
"""Mutated model files: each is refused in a sentence or read as what it was, quickly and within little memory."""

import json
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from liteformer.accel import LiteFormerError, QuantizedModel

from .common import make_model

SECONDS, MEGABYTES = 1.0, 200
ODD = (0, -1, 1, 2**31, 2**63, 10**30, 1e308, -0.5, float("nan"), float("inf"), None, "", "x" * 10_000, [], {}, [[]], True,
       "\ud7ff\0", {"window": 1})


def parts_of(path):
    """``(tensors, metadata)`` of a file."""
    with safe_open(path, "np") as archive:
        return {name: archive.get_tensor(name) for name in archive.keys()}, archive.metadata()  # noqa: SIM118 (not a dict)


def damaged_bytes(rng, data):
    """Bytes cut off, changed, moved, inserted, repeated; lengths and offsets of the header that are not true."""
    data, kind = bytearray(data), rng.integers(8)
    at, other = sorted(int(n) for n in rng.integers(0, len(data), 2))
    if kind == 0:
        del data[at:]
    elif kind == 1:
        data[at] ^= 1 << rng.integers(8)
    elif kind == 2:
        data[at:other] = rng.bytes(min(other - at, 64))
    elif kind == 3:
        data = data[other:] + data[at:other] + data[:at]
    elif kind == 4:
        data[at:at] = rng.bytes(int(rng.integers(1, 50)))
    elif kind == 5:
        data[:8] = struct.pack("<Q", int(rng.choice([0, 1, 7, 2**16, 2**31, 2**40, 2**63, len(data)])))
    elif kind == 6:
        length, = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        name = str(rng.choice([key for key in header if key != "__metadata__"]))
        entry = header[name]
        change = rng.integers(4)
        if change == 0:
            entry["shape"] = [int(rng.choice([0, 1, 2**20, 2**32, 2**62])) for _ in range(int(rng.integers(0, 5)))]
        elif change == 1:
            entry["dtype"] = str(rng.choice(["F64", "U8", "BF16", "F8_E4M3", "BOOL", "I64", "I16", "", "no"]))
        elif change == 2:
            entry["data_offsets"] = [int(n) for n in rng.choice([0, 1, 4, 2**31, 2**62, len(data)], 2)]
        else:
            header[name] = header[str(rng.choice(list(header)))]
        text = json.dumps(header).encode()
        data = bytearray(struct.pack("<Q", len(text)) + text + data[8 + length:])
    else:
        data = bytearray(rng.bytes(int(rng.integers(0, 300))))
    return bytes(data)


def damaged_contents(rng, tensors, metadata):
    """A sound file with other contents: odd values in the configuration, tensors of other types, shapes, names or values."""
    tensors, metadata, kind = dict(tensors), dict(metadata), rng.integers(6)
    name = str(rng.choice(list(tensors)))
    if kind == 0:
        config = json.loads(metadata["config"])
        field = str(rng.choice(list(config)))
        odd = ODD[int(rng.integers(len(ODD)))]
        if isinstance(config[field], (list, dict)) and config[field] and rng.random() < 0.7:
            places = range(len(config[field])) if isinstance(config[field], list) else list(config[field])
            config[field][places[int(rng.integers(len(places)))]] = odd
        else:
            config[field] = odd
        metadata["config"] = json.dumps(config)
    elif kind == 1:
        key = str(rng.choice(list(metadata)))
        metadata[key] = str(rng.choice(["", "0", "-1", "9" * 20, "nan", "{", "[" * 5000, "{}", "null", "liteformer"]))
    elif kind == 2:
        with np.errstate(all="ignore"):
            tensors[name] = tensors[name].astype(rng.choice(["f4", "f8", "i1", "i8", "u4", "bool", "f2"]))
    elif kind == 3:
        tensors[name] = np.zeros([int(n) for n in rng.choice([0, 1, 2, 3, 64], int(rng.integers(0, 4)))], np.int32)
    elif kind == 4:
        one = tensors[name].copy()
        one.flat[int(rng.integers(one.size))] = int(rng.choice([-(2**31), 2**31 - 1, 0, 1, -1, 128, 1 << 24]))
        tensors[name] = one
    else:
        other = str(rng.choice(list(tensors)))
        tensors[name], tensors[other] = tensors[other], tensors[name]
        if rng.random() < 0.5:
            del tensors[other]
    return save(tensors, metadata)


class Peak:
    """Resident memory at its highest since the start, in bytes: also what the reader's compiled parts take."""

    def __init__(self):
        Path("/proc/self/clear_refs").write_text("5")
        self._start = self._read("VmRSS")

    @staticmethod
    def _read(name):
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) << 10

    def grown(self):
        return self._read("VmHWM") - self._start


def outcome(path, original):
    """"refused", or "equal" if it was read as what it was; an assertion fails otherwise."""
    begin = time.process_time()
    try:
        read = QuantizedModel.load(path)
    except LiteFormerError as error:
        text = str(error)
        assert text and "\n" not in text and len(text) < 1000, text[:200]
        found = "refused"
    else:
        assert read.id == original.id and read.config == original.config
        assert all(np.array_equal(read.tensors[name], tensor) for name, tensor in original.tensors.items())
        found = "equal"
    assert time.process_time() - begin < SECONDS
    return found


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", [{"heads": 2, "layers": 2}, {"window": 8, "patch": 2, "stride": 2}], ids=str)
def test_mutated_files(tmp_path, shape, count):
    original, path, rng = make_model(**shape), tmp_path / "model.safetensors", np.random.default_rng(count)
    original.save(path)
    data, (tensors, metadata) = path.read_bytes(), parts_of(path)
    found = {"refused": 0, "equal": 0}
    memory = Peak()
    for number in range(count // 2):
        mutated = damaged_bytes(rng, data) if number % 2 else damaged_contents(rng, tensors, metadata)
        path.write_bytes(mutated)
        found[outcome(path, original)] += 1
    assert memory.grown() < MEGABYTES << 20
    assert found["refused"] > count // 3 and found["equal"]


def test_another_model_is_told_apart(tmp_path):
    """Negative control: a sound file of another model is neither refused nor equal."""
    path = tmp_path / "model.safetensors"
    make_model(1).save(path)
    with pytest.raises(AssertionError):
        outcome(path, make_model(0))


def test_memory_that_is_taken_is_seen():
    """Negative control: also what is given back."""
    memory = Peak()
    assert memory.grown() < 20 << 20
    np.ones(30 << 20, np.uint8)
    assert 25 << 20 < memory.grown() < 60 << 20
