# SPDX-License-Identifier: BSD-2-Clause
"""LiteFormerCore: the Wishbone window, start, abort, clear, status, cycle counter and events."""

import numpy as np
from migen import *
from migen.sim import passive

from liteformer.accel import golden
from liteformer.accel.core import ERROR_ABORTED, ERROR_NONE, ERROR_NOT_READY, OUTPUT_WORD, LiteFormerCore

from .common import compiled_model, random_raw, simulate, wishbone_read, wishbone_write

COMPILED = compiled_model(2, window=2, d_model=2, ffn=2, outputs=2, features=2)
SERIES = random_raw(COMPILED.model, 1, tokens=8)[0]
EXPECTED = golden.infer(COMPILED.model, np.stack([SERIES[n:n + 2] for n in range(7)])).tolist()
assert len({tuple(outputs) for outputs in EXPECTED}) == len(EXPECTED), "each window needs its own result"


class Driver:
    """A core without CSRs, driven through its pulses, its bus and its state."""

    def __init__(self):
        self.core = LiteFormerCore(COMPILED, with_csr=False)
        self.events = {"failed": 0, "done": 0}

    @passive
    def monitor(self):
        while True:
            self.events["failed"] += yield self.core.failed
            self.events["done"] += yield self.core.engine.done
            yield

    def pulse(self, *signals):
        for signal in signals:
            yield signal.eq(1)
        yield
        for signal in signals:
            yield signal.eq(0)
        yield

    def push(self, row, first=0):
        for feature, value in enumerate(row[first:], first):
            yield from wishbone_write(self.core.bus, feature, value)

    def settle(self):
        """Until a sample on its way has been quantized."""
        for _ in range(40):
            yield

    def wait(self):
        while (yield self.core.busy):
            yield
        yield

    def state(self):
        values = {}
        for name in ("ready", "busy", "valid", "error"):
            values[name] = yield getattr(self.core, name)
        return values

    def results(self):
        values = []
        for output in range(2):
            values.append((yield from wishbone_read(self.core.bus, OUTPUT_WORD + output)))
        return values

    def run(self, bench):
        simulate(self.core, bench, self.monitor())


def state(**changes):
    return {"ready": 0, "busy": 0, "valid": 0, "error": ERROR_NONE} | changes


def test_forecast_after_forecast():
    """Each row makes a forecast; the result stays readable until the next start; cycles are the compiler's."""
    driver, got = Driver(), []
    core = driver.core

    def bench():
        assert (yield from driver.state()) == state()
        yield from driver.push(SERIES[0])
        yield from driver.settle()
        assert (yield from driver.state()) == state()
        for row in SERIES[1:5]:
            yield from driver.push(row)
            yield from driver.settle()
            assert (yield core.ready)
            yield from driver.pulse(core.start)
            assert (yield from driver.state()) == state(busy=1)
            yield from driver.wait()
            assert (yield from driver.state()) == state(valid=1, ready=1)
            assert (yield core.cycles) == COMPILED.cycles
            got.append((yield from driver.results()))

    driver.run(bench())
    assert got == EXPECTED[:4]
    assert got != EXPECTED[1:5]
    assert driver.events == {"failed": 0, "done": 4}


def test_same_window_twice():
    """Back-to-back starts give the same result."""
    driver, got = Driver(), []

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        for _ in range(2):
            yield from driver.pulse(driver.core.start)
            yield from driver.wait()
            got.append((yield from driver.results()))

    driver.run(bench())
    assert got == [EXPECTED[0]] * 2


def test_start_while_the_last_sample_is_quantized():
    driver, got = Driver(), []

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.pulse(driver.core.start)
        assert (yield driver.core.busy)
        yield from driver.wait()
        assert (yield from driver.state()) == state(valid=1, ready=1)
        assert (yield driver.core.cycles) == COMPILED.cycles
        got.append((yield from driver.results()))

    driver.run(bench())
    assert got == EXPECTED[:1] and driver.events == {"failed": 0, "done": 1}


def test_start_before_full():
    driver = Driver()

    def bench():
        yield from driver.pulse(driver.core.start)
        yield
        assert (yield from driver.state()) == state(error=ERROR_NOT_READY)
        yield from driver.push(SERIES[0])
        yield from driver.settle()
        yield from driver.pulse(driver.core.start)
        yield from driver.settle()
        assert (yield from driver.state()) == state(error=ERROR_NOT_READY)
        yield from driver.push(SERIES[1])
        yield from driver.settle()
        # The next good start ends the error.
        yield from driver.pulse(driver.core.start)
        assert (yield from driver.state()) == state(busy=1)
        yield from driver.wait()
        assert (yield from driver.results()) == EXPECTED[0]

    driver.run(bench())
    assert driver.events == {"failed": 2, "done": 1}


def test_start_before_full_while_a_sample_is_quantized():
    driver = Driver()

    def bench():
        yield from driver.push(SERIES[0])
        yield from driver.pulse(driver.core.start)
        yield from driver.settle()
        assert (yield from driver.state()) == state(error=ERROR_NOT_READY)

    driver.run(bench())
    assert driver.events == {"failed": 1, "done": 0}


def test_abort():
    """Error 2 and its event; the window is kept; the next start works."""
    driver = Driver()
    core = driver.core

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.settle()
        for cycles in (0, COMPILED.cycles // 2):
            yield from driver.pulse(core.start)
            for _ in range(cycles):
                yield
            yield from driver.pulse(core.abort)
            while (yield core.busy):
                yield
            assert (yield from driver.state()) == state(error=ERROR_ABORTED, ready=1)
            yield from driver.settle()
            yield from driver.pulse(core.start)
            yield from driver.wait()
            assert (yield from driver.state()) == state(valid=1, ready=1)
            assert (yield from driver.results()) == EXPECTED[0]

    driver.run(bench())
    assert driver.events == {"failed": 2, "done": 2}


def test_abort_while_idle_does_nothing():
    driver = Driver()

    def bench():
        yield from driver.pulse(driver.core.abort)
        assert (yield from driver.state()) == state()

    driver.run(bench())
    assert driver.events == {"failed": 0, "done": 0}


def test_abort_right_behind_start():
    driver = Driver()
    core = driver.core

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.settle()
        yield core.start.eq(1)
        yield
        yield core.start.eq(0)
        yield core.abort.eq(1)
        yield
        yield core.abort.eq(0)
        yield
        yield
        assert (yield from driver.state()) == state(error=ERROR_ABORTED, ready=1)
        for _ in range(2 * COMPILED.cycles):
            yield

    driver.run(bench())
    assert driver.events == {"failed": 1, "done": 0}


def test_abort_just_before_done():
    driver = Driver()

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.settle()
        yield from driver.pulse(driver.core.start)
        for _ in range(COMPILED.cycles - 5):
            yield
        yield from driver.pulse(driver.core.abort)
        yield from driver.settle()
        assert (yield from driver.state()) == state(error=ERROR_ABORTED, ready=1)

    driver.run(bench())
    assert driver.events == {"failed": 1, "done": 0}


def test_clear():
    """Samples, result and error are forgotten; the next window starts from nothing."""
    driver = Driver()
    core = driver.core

    def bench():
        for row in SERIES[5:7]:
            yield from driver.push(row)
        yield from driver.pulse(core.start)
        yield from driver.wait()
        yield from driver.pulse(core.clear)
        assert (yield from driver.state()) == state()
        yield from driver.push(SERIES[0])
        yield from driver.settle()
        yield from driver.pulse(core.start)
        yield
        assert (yield from driver.state()) == state(error=ERROR_NOT_READY)
        yield from driver.pulse(core.clear)
        assert (yield from driver.state()) == state()
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.pulse(core.start)
        yield from driver.wait()
        assert (yield from driver.results()) == EXPECTED[0]

    driver.run(bench())


def test_clear_while_a_sample_is_quantized():
    driver = Driver()

    def bench():
        yield from driver.push(SERIES[0])
        yield from driver.pulse(driver.core.clear)
        yield from driver.settle()
        yield from driver.push(SERIES[1])
        yield from driver.settle()
        assert not (yield driver.core.ready)

    driver.run(bench())


def test_push_while_busy_waits():
    """A sample written during an inference is taken after it and does not disturb it."""
    driver, got = Driver(), []

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.settle()
        yield from driver.pulse(driver.core.start)
        yield from driver.push(SERIES[2])
        assert not (yield driver.core.busy)
        got.append((yield from driver.results()))
        yield from driver.pulse(driver.core.start)
        yield from driver.wait()
        got.append((yield from driver.results()))

    driver.run(bench())
    assert got == EXPECTED[:2]


def test_push_in_the_cycle_of_start():
    """A write already on the bus when a start arrives waits for that inference."""
    driver, got = Driver(), []
    core = driver.core

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
        yield from driver.settle()
        yield core.start.eq(1)
        yield
        yield core.start.eq(0)
        yield from driver.push(SERIES[2])
        yield from driver.wait()
        got.append((yield from driver.results()))

    driver.run(bench())
    assert got == EXPECTED[:1]


def test_writes_beyond_the_features_are_ignored():
    driver = Driver()

    def bench():
        for row in SERIES[:2]:
            yield from driver.push(row)
            for address in (2, 3, 0x100, 0x3FF):
                yield from wishbone_write(driver.core.bus, address, 12345)
        yield from driver.pulse(driver.core.start)
        yield from driver.wait()
        assert (yield from driver.results()) == EXPECTED[0]

    driver.run(bench())
