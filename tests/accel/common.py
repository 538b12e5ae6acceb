# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the tests of accel: a simulation runner with a passive timeout, small models, an engine driver, bus drivers."""

from dataclasses import replace

import numpy as np
from migen.sim import passive

from liteformer.accel.compiler import compile_model
from liteformer.accel.gateware.drive import push_row
from liteformer.accel.gateware.engine import Engine
from liteformer.accel.gateware.simulate import run_simulation
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model

TIMEOUT = 20_000


def simulate(dut, *generators, limit=TIMEOUT):
    """Run generators on a Migen module until all have ended.

    Raises:
        TimeoutError: they have not after ``limit`` cycles.
    """
    @passive
    def watchdog():
        for _ in range(limit):
            yield
        raise TimeoutError(f"no end after {limit} cycles")

    run_simulation(dut, [*generators, watchdog()])


def cycle_by_cycle(dut, inputs, signals):
    """Drive a Migen module cycle by cycle.

    Args:
        inputs: list of dicts Signal -> value, one per cycle; a signal that is not named keeps its value.
        signals: list of Signals or slices to read in the same cycles.
    Returns:
        list of lists, the values of ``signals`` in each cycle.
    """
    seen = []

    def bench():
        for values in inputs:
            for signal, value in values.items():
                yield signal.eq(int(value))
            yield
            seen.append((yield from read_all(signals)))

    simulate(dut, bench())
    return seen


def read_all(signals):
    """Values of a list of signals, in a list."""
    values = []
    for signal in signals:
        values.append((yield signal))
    return values


def make_model(seed=0, **shape):
    """A random model from a seed; the shape defaults to the smallest one in which everything happens."""
    return random_model(np.random.default_rng(seed), **({"window": 4, "features": 2, "d_model": 4, "bits": 4} | shape))


def altered(model, **tensors):
    """The model with other tensors; ``__`` stands for the dot of a name."""
    changed = {name: tensor.copy() for name, tensor in model.tensors.items()}
    for name, tensor in tensors.items():
        changed[name.replace("__", ".")] = np.asarray(tensor, np.int32)
    return QuantizedModel(model.config, changed)


def random_raw(model, count, seed=0, tokens=None):
    """Raw samples, int64 ``(count, tokens or window, features)``."""
    shape = (count, tokens or model.config.window, model.config.features)
    return np.random.default_rng(seed).integers(-1 << 15, 1 << 15, shape)


class EngineDriver:
    """Drives an Engine through its signals; the generators of the methods go into ``simulate``."""

    def __init__(self, compiled, images=None):
        self.engine = Engine(compiled.hw, images or compiled.images)
        self.limit = 2 * compiled.cycles + 100

    def push(self, row):
        """One row of raw samples."""
        yield from push_row(self.engine, self.engine.push_busy, row)

    def pulse(self, signal):
        """One cycle of a signal."""
        yield signal.eq(1)
        yield
        yield signal.eq(0)

    def run(self):
        """One inference, once the engine is free; returns (outputs, cycles)."""
        while (yield self.engine.busy):
            yield
        yield from self.pulse(self.engine.start)
        cycles = 0
        while not (yield self.engine.done):
            yield
            cycles += 1
            if cycles > self.limit:
                raise TimeoutError("the engine is never done")
        yield
        return (yield from read_all(self.engine.outputs)), cycles


def engine_infer(compiled, raw, images=None):
    """Run windows ``(batch, window, features)`` one after the other.

    Returns:
        (outputs int64 ``(batch, outputs)``, list of cycles).
    """
    driver, outputs, cycles = EngineDriver(compiled, images), [], []

    def bench():
        for window in raw:
            for row in window:
                yield from driver.push(row)
            result, spent = yield from driver.run()
            outputs.append(result)
            cycles.append(spent)

    simulate(driver.engine, bench(), limit=len(raw) * (driver.limit + 50 * raw[0].size))
    return np.array(outputs), cycles


def compiled_model(seed=0, options=None, **shape):
    """A compiled random model."""
    return compile_model(make_model(seed, **shape), options)


def hardware(**fields):
    """A real Hardware with other fields, for a block that is tested alone."""
    return replace(compiled_model().hw, **fields)


def wishbone_write(bus, address, value):
    """Write a word."""
    yield bus.adr.eq(address)
    yield bus.dat_w.eq(int(value) & 0xFFFFFFFF)
    yield bus.we.eq(1)
    yield bus.cyc.eq(1)
    yield bus.stb.eq(1)
    yield
    while not (yield bus.ack):
        yield
    yield bus.cyc.eq(0)
    yield bus.stb.eq(0)
    yield bus.we.eq(0)
    yield


def wishbone_read(bus, address):
    """Read a word as a signed number."""
    yield bus.adr.eq(address)
    yield bus.we.eq(0)
    yield bus.cyc.eq(1)
    yield bus.stb.eq(1)
    yield
    while not (yield bus.ack):
        yield
    value = yield bus.dat_r
    yield bus.cyc.eq(0)
    yield bus.stb.eq(0)
    yield
    return value - (1 << 32) if value >> 31 else value
