# SPDX-License-Identifier: BSD-2-Clause
"""The example applications on this machine, with sanitizers: what they write, and that every branch of them is taken."""

import struct

import numpy as np
import pytest

from .native_firmware import COVERED, ORIGIN, SANITIZED, NativeFirmware, Shape
from .test_native import branches, pytestmark  # noqa: F401

WATCH, ALARM = ("watch.c", "sensor.c", "liteformer.c"), ("alarm.c", "liteformer.c")
XADC, I2C = Shape(2, 3, 1, sensor="xadc"), Shape(3, 1, 1, sensor="i2c", shifts=(-1, -2))
BAND, WORD = 8, 1 << 32


def wrapped(value):
    """As a 32-bit signed integer."""
    return (value + WORD // 2) % WORD - WORD // 2


def shifted(value, shift):
    return value >> -shift if shift < 0 else wrapped(value << shift)


def samples(rng, kind, count):
    """Codes of ``count`` samples, None for one that is not there, and the bytes that the modelled hardware takes for them."""
    codes, stream = [], b""
    for step in range(count):
        # The timer is asked twice for every third sample.
        stream += (b"\0\1" if step % 3 == 0 else b"\1")
        if kind == "xadc":
            codes.append(rng.integers(0, 4096, 4).tolist())
            stream += struct.pack("<4H", *codes[-1])
        else:
            code, deaf = int(rng.integers(-2048, 2048)), int(rng.integers(1, 4)) if rng.random() < 0.2 else 0
            codes.append(None if deaf else [code])
            stream += bytes([deaf]) + struct.pack(">h", code << 4)
    return codes, stream


def log(shape, codes):
    """What watch.c writes for them."""
    inputs, output = shape.shifts
    lines, rows, forecast = [], [], None
    for step, code in enumerate(codes):
        if code is None:
            rows, forecast = [], None
            continue
        there = shifted(code[0], output)
        on = forecast is not None and abs(forecast - there) >= shifted(BAND, output)
        lines.append([step, *code, "" if forecast is None else shifted(forecast, -output), int(on)])
        rows.append([wrapped(shifted(value, inputs) - ORIGIN) for value in code[:shape.features]])
        full = len(rows) >= shape.window
        forecast = wrapped(shape.outputs_of(rows[-shape.window:])[0] + ORIGIN) if full else None
    return [",".join(map(str, line)) for line in lines]


@pytest.fixture
def start(tmp_path_factory):
    """Callable (shape, sources, extra flags) -> NativeFirmware."""
    started = []

    def build(shape, sources, extra=SANITIZED):
        started.append(NativeFirmware(tmp_path_factory.mktemp("native"), shape, extra, sources))
        return started[-1]

    yield build
    for firmware in started:
        firmware.close()


@pytest.mark.parametrize("shape", [XADC, I2C], ids=["xadc", "i2c"])
def test_watch_logs_what_is_measured(start, shape):
    """Also the extremes of an output, whose difference to a sample has one bit more, and samples that are not there."""
    codes, stream = samples(np.random.default_rng(4), shape.sensor, 200)
    header, *lines = start(shape, WATCH).run(stream).decode().split("\r\n")[:-1]
    assert header.startswith("step,temperature") and header.endswith("forecast,led")
    assert lines == log(shape, codes) and {line[-2:] for line in lines} == {",0", ",1"}
    # Negative control.
    codes[next(step for step, code in enumerate(codes) if code)][0] ^= 1
    assert lines != log(shape, codes)


def test_every_branch_of_the_applications_is_taken(start):
    """watch.c, sensor.c and alarm.c; all of their branches."""
    rng, seen = np.random.default_rng(5), {}
    # Forecasts that hold: the output is the sample, which is always the same.
    steady = b"\1" + struct.pack("<4H", 1000, 1, 2, 3)
    runs = [*((shape, WATCH, samples(rng, shape.sensor, 150)[1]) for shape in (XADC, I2C)),
            (Shape(1, 1, 1, sensor="xadc", shifts=(3, 3)), WATCH, steady * 5), (Shape(2, 5, 1, sensor="xadc"), WATCH, b""),
            (Shape(2, 1, 2, sensor="xadc"), WATCH, b""),
            (Shape(2, 2, 1), ALARM, b"\0\1" * 100), (Shape(2, 33, 1), ALARM, b"\1")]
    for shape, sources, stream in runs:
        firmware = start(shape, sources, COVERED)
        for quiet in (0, 1, 3):
            answer = firmware.run(stream, quiet)
            fits = quiet != 3 and shape.features <= 4 and shape.outputs == 1
            assert (b"does not fit" in answer) == (sources is WATCH and not fits)
        firmware.close()
        for name in (name.removesuffix(".c") for name in sources if name != "liteformer.c"):
            for key, count in branches(firmware.directory, name).items():
                seen[name, shape.sensor, *key] = seen.get((name, shape.sensor, *key), 0) + count
    taken = {}
    for (name, kind, line, text, number), count in seen.items():
        # sensor.c is two programs, watch.c one.
        key = name, kind if name == "sensor" else "", line, text, number
        taken[key] = taken.get(key, 0) + count
    missing = sorted(key[:4] for key, count in taken.items() if not count)
    assert not missing, "\n".join(map(str, missing))
    assert len(taken) > 60 and {key[0] for key in taken} == {"watch", "sensor", "alarm"}
