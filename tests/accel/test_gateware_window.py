# SPDX-License-Identifier: BSD-2-Clause
"""The sliding window of quantized samples against ``golden.quantize_input``."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import golden, numerics
from liteformer.accel.compiler import HardwareOptions
from liteformer.accel.devices import DSP48E1
from liteformer.accel.gateware.drive import push_row
from liteformer.accel.gateware.requantizer import Requantizer
from liteformer.accel.gateware.window import QUANTIZE_CYCLES, SampleWindow

from .common import compiled_model, simulate


class Steps:
    """What a window needs of the sequencer: the words of one tile addressed in order."""

    def __init__(self):
        self.issue, self.start, self.value, self.zero = Signal(), Signal(), Signal(16), Signal()


class Bench(Module):
    """A window with a requantizer and its parameters, connected as the drain does; ``wanted``: a push when it is possible."""

    def __init__(self, compiled, eager=False):
        hw, model = compiled.hw, compiled.model
        self.steps = steps = Steps()
        self.submodules.window = window = SampleWindow(hw, steps.issue, steps, steps.start)
        self.wanted = Signal()
        if eager:
            self.comb += window.push.eq(self.wanted & window.ready)
        self.comb += steps.zero.eq(steps.value == 0)
        self.submodules.unit = unit = Requantizer(numerics.RAW_BITS, DSP48E1.narrow, 2, 2, numerics.OFFSET_BITS + 1,
                                                  [hw.input_bits], DSP48E1)
        for name, port, added in (("multiplier", unit.multiplier, 0), ("offset", unit.offset, numerics.ROUNDING)):
            first, second = Signal.like(port), Signal.like(port)
            table = Array([int(value) + added for value in model[f"input.{name}"]])
            self.sync += [first.eq(table[window.feature]), second.eq(first)]
            self.comb += port.eq(second)
        self.comb += [unit.acc.eq(window.quantize_raw), window.quantized.eq(unit.result)]


def push_eagerly(dut, row, cycles):
    """Push a row, each sample in the first cycle that takes it; ``cycles``: list that gets the cycles from one to the next."""
    yield dut.wanted.eq(1)
    for feature, value in enumerate(row):
        yield dut.window.feature.eq(feature)
        yield dut.window.raw.eq(int(value))
        yield
        passed = 1
        while not (yield dut.window.ready):
            yield
            passed += 1
        if feature:
            cycles.append(passed)
    yield dut.wanted.eq(0)
    yield
    while (yield dut.window.busy):
        yield


def contents(dut, hw):
    """Digits of all tokens, int64 ``(digits, tokens, patch * features)``, most significant first."""
    window, samples = dut.window, np.zeros((hw.input_digits, hw.tokens, hw.token_inputs), np.int64)
    for tile in range(hw.row_tiles):
        for feature in range(hw.token_inputs):
            yield window.address.eq(tile * hw.token_inputs + feature)
            yield dut.steps.value.eq(hw.token_inputs - 1 - feature)
            yield dut.steps.issue.eq(1)
            yield
            yield dut.steps.issue.eq(0)
            # The address of this cycle is read; the next word's rotation may differ.
            yield window.address.eq(0)
            yield
            yield
            word = yield window.data
            for row in range(hw.rows):
                for digit in range(hw.input_digits):
                    value = (word >> (hw.row_bits * (row * hw.input_digits + digit))) & ((1 << hw.row_bits) - 1)
                    value -= (value >> (hw.row_bits - 1)) << hw.row_bits
                    samples[hw.input_digits - 1 - digit, tile * hw.rows + row, feature] = value
    return samples


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(("bits", "rows", "shape"), [
    (4, 6, {}), (4, 2, {}), (3, 3, {}), (8, 1, {}), (2, 2, {"features": 1}), (5, 6, {"bit_overrides": {"input": 6}}),
    (4, 2, {"bit_overrides": {"input": 3}}), (6, 1, {"window": 1, "features": 1}),
    (4, 3, {"patch": 2, "stride": 2}), (4, 2, {"window": 9, "patch": 3, "stride": 2}), (8, 1, {"window": 5, "patch": 3}),
    (3, 5, {"window": 8, "patch": 4, "features": 1}),
], ids=str)
def test_window(bits, rows, shape, eager):
    compiled = compiled_model(bits=bits, options=HardwareOptions(rows=rows), **({"window": 6, "features": 3} | shape))
    hw, model = compiled.hw, compiled.model
    dut, count, between = Bench(compiled, eager), hw.samples + 4, []
    rng = np.random.default_rng(bits)
    raw = rng.integers(-1 << 17, 1 << 17, (count, hw.features))
    # Beyond 25 bits, on both sides, and the ends of the range.
    extremes = [-(1 << 31), (1 << 31) - 1, 1 << 24, -(1 << 24) - 1, (1 << 24) - 1, -(1 << 24)]
    raw.flat[:] = np.where(rng.random(raw.size) < 0.3, rng.choice(extremes, raw.size), raw.flat)
    full, seen = [], []

    def bench():
        for n, row in enumerate(raw):
            yield from push_eagerly(dut, row, between) if eager else push_row(dut.window, dut.window.busy, row)
            full.append((yield dut.window.full))
            if n + 1 >= hw.samples:
                seen.append((yield from contents(dut, hw)))

    simulate(dut, bench())
    quantized = golden.quantize_input(model, raw)
    windows = np.stack([quantized[n - hw.samples:n] for n in range(hw.samples, count + 1)])
    expected = [numerics.to_digits(window, hw.row_bits, hw.input_digits)
                for window in golden.patches(windows, hw.patch, hw.stride)]
    assert full == [int(n + 1 >= hw.samples) for n in range(count)]
    assert np.array_equal(seen, expected)
    assert set(between) == ({QUANTIZE_CYCLES + hw.row_tiles} if eager and hw.features > 1 else set())
    # Negative control: a window one token older differs.
    assert not np.array_equal(seen[1:], expected[:-1])


def test_clear_forgets_the_samples():
    compiled = compiled_model(window=3, features=2)
    dut, full = Bench(compiled), []

    def bench():
        for _ in range(4):
            yield from push_row(dut.window, dut.window.busy, (1, 2))
        full.append((yield dut.window.full))
        yield dut.window.clear.eq(1)
        yield
        yield dut.window.clear.eq(0)
        yield
        full.append((yield dut.window.full))
        for _ in range(3):
            yield from push_row(dut.window, dut.window.busy, (1, 2))
            full.append((yield dut.window.full))

    simulate(dut, bench())
    assert full == [1, 0, 0, 0, 1]


@pytest.mark.parametrize("shape", [{"features": 1}, {"features": 2}], ids=str)
def test_a_clear_in_any_cycle_of_a_sample_is_kept(shape):
    """The row in progress does not count, in whichever cycle the clear comes."""
    compiled = compiled_model(window=2, **shape)
    features, seen = compiled.hw.features, []
    dut = Bench(compiled)
    window = dut.window

    def pushed(value):
        yield from push_row(window, window.busy, [value] * features)

    def bench():
        for after in range(16):
            yield from pushed(1)
            while (yield window.busy):
                yield
            # The last sample of the second row, which would fill the window.
            yield from push_row(window, window.busy, [2] * (features - 1))
            yield window.push.eq(1)
            yield window.feature.eq(features - 1)
            yield
            yield window.push.eq(0)
            for _ in range(after):
                yield
            yield window.clear.eq(1)
            yield
            yield window.clear.eq(0)
            yield
            while (yield window.busy):
                yield
            full = [(yield window.full)]
            for value in (3, 4):
                yield from pushed(value)
                while (yield window.busy):
                    yield
                full.append((yield window.full))
            seen.append(full)
            yield window.clear.eq(1)
            yield
            yield window.clear.eq(0)
            yield

    simulate(dut, bench())
    assert seen == [[0, 0, 1]] * 16
