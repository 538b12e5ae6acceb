# SPDX-License-Identifier: BSD-2-Clause
"""The compiled simulator against Migen's own, on random modules of every kind of statement and value."""

import random

import pytest
from migen import *
from migen.sim import run_simulation as run_interpreted

from liteformer.accel.gateware import simulate
from liteformer.accel.gateware.simulate import run_simulation as run_compiled

OPERATORS = ("+", "-", "*", "&", "|", "^", "<", "<=", "==", "!=", ">", ">=")


class RandomModule(Module):
    """Two clocked and three combinatorial signals, a memory, an array; all they are assigned is random."""

    def __init__(self, seed):
        self.choose = choose = random.Random(seed)
        self.inputs    = [self.signal(f"input{n}") for n in range(3)]
        self.registers = [self.signal(f"register{n}", reset=choose.randrange(4)) for n in range(2)]
        self.array     = Array(self.signal(f"array{n}") for n in range(3))
        memory = Memory(5, 8, init=[choose.randrange(32) for _ in range(8)])
        write, read = memory.get_port(write_capable=True), memory.get_port(async_read=True)
        self.specials += memory, write, read
        # A wire depends on wires before it only, and not on the memory's output: no loops.
        self.known = [*self.inputs, *self.registers, *self.array, write.dat_r]
        self.wires = []
        for n in range(3):
            wire = self.signal(f"wire{n}")
            self.comb += self.statements(wire, 2)
            self.wires.append(wire)
            self.known.append(wire)
        self.comb += [read.adr.eq(self.value(2)), write.adr.eq(self.value(2)), write.we.eq(self.value(1)),
                      write.dat_w.eq(self.value(2))]
        self.known.append(read.dat_r)
        for register in self.registers:
            self.sync += self.statements(register, 2)
        self.sync += self.array[self.key()].eq(self.value(3))
        self.seen = [*self.registers, *self.wires, *self.array, read.dat_r, write.dat_r]

    def signal(self, name, **options):
        return Signal((self.choose.randrange(1, 9), self.choose.random() < 0.5), name=name, **options)

    def key(self):
        """Unsigned index of two bits at the most."""
        return self.choose.choice(self.known)[:2]

    def part(self, signal):
        """All of a signal or a part of it, to be assigned."""
        kind = self.choose.randrange(4)
        if kind == 0 and len(signal) > 1:
            start = self.choose.randrange(len(signal) - 1)
            return signal[start:start + self.choose.randrange(1, len(signal) - start + 1)]
        if kind == 1:
            return signal.part(self.inputs[0][:2], 1) if len(signal) > 4 else signal
        if kind == 2 and len(signal) > 2:
            return Cat(signal[1:], signal[:1])
        return signal

    def statements(self, target, depth):
        choose = self.choose
        if depth == 0:
            return [self.part(target).eq(self.value(3)) for _ in range(choose.randrange(1, 3))]
        kind = choose.randrange(3)
        if kind == 0:
            return [If(self.value(2), *self.statements(target, depth - 1)).Else(*self.statements(target, depth - 1))]
        if kind == 1:
            cases = {n: self.statements(target, depth - 1) for n in choose.sample(range(8), 3)}
            if choose.random() < 0.5:
                cases["default"] = self.statements(target, depth - 1)
            return [target.eq(self.value(2)), Case(self.value(1), cases)]
        return [target.eq(self.value(2)), If(self.value(1), *self.statements(target, depth - 1))]

    def value(self, depth):
        choose = self.choose
        if depth == 0 or choose.random() < 0.1:
            return choose.choice(self.known) if choose.random() < 0.8 else C(choose.randrange(-8, 8), (5, True))
        kind, a, b = choose.randrange(10), self.value(depth - 1), self.value(depth - 1)
        if kind < 3:
            return {"+": a + b, "-": a - b, "*": a*b, "&": a & b, "|": a | b, "^": a ^ b, "<": a < b, "<=": a <= b,
                    "==": a == b, "!=": a != b, ">": a > b, ">=": a >= b}[choose.choice(OPERATORS)]
        return [lambda: Mux(a, b, self.value(depth - 1)), lambda: ~a if choose.random() < 0.5 else -a,
                lambda: Cat(a, b), lambda: Replicate(a, choose.randrange(1, 4)),
                lambda: Array([a, b, self.value(depth - 1)])[self.key()],
                lambda: a >> b[:2], lambda: a << b[:2]][kind - 3]()


def trace(seed, run, cycles=20):
    """Values of all signals in each cycle while the inputs are random."""
    module, stimuli, rows = RandomModule(seed), random.Random(seed + 1), []

    def bench():
        for _ in range(cycles):
            for signal in module.inputs:
                yield signal.eq(stimuli.randrange(256))
            yield
            rows.append([])
            for signal in module.seen:
                rows[-1].append((yield signal))
    run(module, bench())
    return rows


@pytest.mark.parametrize("seed", range(40))
def test_it_equals_migens_own(seed):
    assert trace(seed, run_compiled) == trace(seed, run_interpreted)


def test_the_traces_differ_from_each_other():
    """What is compared is not constant."""
    rows = [trace(seed, run_compiled) for seed in range(10)]
    assert sum(len({tuple(row) for row in one}) > 10 for one in rows) >= 8


def test_a_wrong_truncation_is_seen(monkeypatch):
    """Negative control."""
    monkeypatch.setattr(simulate, "_truncated", lambda value, bits, signed: f"({value}) & {(1 << bits) - 1}")
    assert any(trace(seed, run_compiled) != trace(seed, run_interpreted) for seed in range(10))
