# SPDX-License-Identifier: BSD-2-Clause
"""The register between CPU and bus: every access is answered once, by what the slave said, a cycle later."""

import random
from dataclasses import dataclass

import pytest
from litex.gen import LiteXModule
from litex.soc.interconnect import wishbone
from migen import Array, If, Signal
from migen.sim import passive, run_simulation

from liteformer.soc.bus import RegisteredReply

WORDS, COUNT = 8, 300


@dataclass(frozen=True)
class Access:
    """One access: the request, what was answered (``data`` None for a write or an error), and in which cycle."""

    address: int
    written: int | None
    select: int
    error: bool
    data: int | None
    cycle: int

    @property
    def what(self):
        return self.address, self.written, self.select, self.error, self.data


class Dut(LiteXModule):
    """The register, and a slave with WORDS words, which answers after ``wait`` cycles, with an error where ``fails``; its data
    lines are right in the cycle of the answer only."""

    def __init__(self, register):
        self.bus = bus = wishbone.Interface(data_width=32, addressing="word")
        self.reply = register(bus)
        slave = self.slave = self.reply.master
        self.wait, self.fails, self.noise = Signal(2), Signal(), Signal(32)

        # # #

        words = Array(Signal(32) for _ in range(WORDS))
        waited, answer = Signal(2), Signal()
        merged = Signal(32)
        self.comb += [
            answer.eq(slave.cyc & slave.stb & (waited >= self.wait)),
            slave.ack.eq(answer & ~self.fails),
            slave.err.eq(answer & self.fails),
            slave.dat_r.eq(self.noise),
            If(slave.ack & ~slave.we, slave.dat_r.eq(words[slave.adr[:3]])),
            merged.eq(words[slave.adr[:3]]),
            *(If(slave.sel[lane], merged[8*lane:8*lane + 8].eq(slave.dat_w[8*lane:8*lane + 8])) for lane in range(4)),
        ]
        self.sync += [
            If(slave.cyc & slave.stb & ~answer, waited.eq(waited + 1)).Else(waited.eq(0)),
            If(slave.ack & slave.we, words[slave.adr[:3]].eq(merged)),
        ]


def answered(bus, cycle):
    """Generator: the Access that ends in this cycle, or None."""
    if not ((yield bus.cyc) and (yield bus.stb) and ((yield bus.ack) or (yield bus.err))):
        return None
    error, write = bool((yield bus.err)), (yield bus.we)
    return Access((yield bus.adr), (yield bus.dat_w) if write else None, (yield bus.sel), error,
                  None if write or error else (yield bus.dat_r), cycle)


def record(register, seed):
    """COUNT random accesses, often without a pause, held until the answer as VexRiscv holds them.

    Returns:
        Requests that were made, Accesses at the CPU, Accesses at the slave, and cycles with an answer that nobody waits for.
    """
    dut, chance = Dut(register), random.Random(seed)
    requests, at_cpu, at_slave, stray = [], [], [], []

    def cpu():
        for _ in range(COUNT):
            request = chance.randrange(WORDS), chance.choice((None, chance.getrandbits(32))), chance.randrange(1, 16)
            requests.append(request)
            address, written, select = request
            yield dut.bus.adr.eq(address)
            yield dut.bus.we.eq(written is not None)
            yield dut.bus.dat_w.eq(written or 0)
            yield dut.bus.sel.eq(select)
            yield dut.bus.cyc.eq(1)
            yield dut.bus.stb.eq(1)
            yield
            while not ((yield dut.bus.ack) or (yield dut.bus.err)):
                yield
            if pause := chance.choice((0, 0, 1, 3)):
                yield dut.bus.cyc.eq(0)
                yield dut.bus.stb.eq(0)
                for _ in range(pause):
                    yield
        yield dut.bus.cyc.eq(0)
        yield dut.bus.stb.eq(0)
        for _ in range(6):
            yield

    @passive
    def slave():
        own = random.Random(seed + 1)
        while True:
            yield dut.wait.eq(own.randrange(4))
            yield dut.fails.eq(own.random() < 0.2)
            yield dut.noise.eq(own.getrandbits(32))
            yield

    @passive
    def monitor():
        cycle = 0
        while True:
            for bus, log in ((dut.bus, at_cpu), (dut.slave, at_slave)):
                if access := (yield from answered(bus, cycle)):
                    log.append(access)
            if ((yield dut.bus.ack) or (yield dut.bus.err)) and not (yield dut.bus.cyc):
                stray.append(cycle)
            cycle += 1
            yield

    run_simulation(dut, [cpu(), slave(), monitor()])
    return requests, at_cpu, at_slave, stray


def words_of(accesses):
    """What the reads among ``accesses`` must give, None for the others."""
    words = [0] * WORDS
    for access in accesses:
        yield None if access.written is not None or access.error else words[access.address]
        if access.written is not None and not access.error:
            mask = sum(0xFF << 8 * lane for lane in range(4) if access.select >> lane & 1)
            words[access.address] = words[access.address] & ~mask | access.written & mask


@pytest.mark.parametrize("seed", range(3))
def test_every_access_is_answered_once(seed):
    requests, at_cpu, at_slave, stray = record(RegisteredReply, seed)
    assert not stray
    assert [access.what[:3] for access in at_slave] == requests
    assert [access.what for access in at_cpu] == [access.what for access in at_slave]
    assert [access.cycle for access in at_cpu] == [access.cycle + 1 for access in at_slave]
    assert [access.data for access in at_cpu] == list(words_of(at_slave))
    # Answers without a wait to requests without a pause, and errors, were among them.
    assert {2, 3, 4} <= {two.cycle - one.cycle for one, two in zip(at_cpu, at_cpu[1:])}
    assert 0.1 < sum(access.error for access in at_cpu) / COUNT < 0.3


class Greedy(RegisteredReply):
    """Asks on while the answer is on its way."""

    def __init__(self, bus):
        super().__init__(bus)
        self.comb += [self.master.cyc.eq(bus.cyc), self.master.stb.eq(bus.stb)]


class Late(RegisteredReply):
    """Takes the data a cycle after the answer."""

    def __init__(self, bus):
        outer = wishbone.Interface(data_width=32, addressing="word")
        super().__init__(outer)
        self.comb += [*(getattr(outer, name).eq(getattr(bus, name)) for name in ("adr", "dat_w", "sel", "we", "cyc", "stb")),
                      bus.ack.eq(outer.ack), bus.err.eq(outer.err)]
        self.sync += bus.dat_r.eq(outer.dat_r)


def test_a_second_access_is_seen():
    """Negative control."""
    requests, _, at_slave, _ = record(Greedy, 0)
    assert [access.what[:3] for access in at_slave] != requests


def test_other_data_is_seen():
    """Negative control."""
    _, at_cpu, at_slave, _ = record(Late, 0)
    assert [access.data for access in at_cpu] != list(words_of(at_slave))
