# SPDX-License-Identifier: BSD-2-Clause
"""The model replaced and tested by the firmware: a whole transfer, broken ones, the self-test, the bench command."""

import contextlib
import struct
from dataclasses import replace

import numpy as np
import pytest
from migen import Constant

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.loading import checksum, loader_words, replace_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.soc.known_window import known_windows
from liteformer.soc.protocol import SELF_TESTS, Command
from liteformer.soc.simulation import Simulation

SHAPE = {"window": 4, "features": 3, "d_model": 8, "bits": 4, "outputs": 2}
UNTESTED, PASSED, BAD_MEMORIES, WRONG_ANSWER, OTHER_MODEL = SELF_TESTS


def model(seed, **shape):
    return random_model(np.random.default_rng(seed), **(SHAPE | shape))


@pytest.fixture
def raw():
    return np.random.default_rng(7).integers(-1 << 12, 1 << 12, (5, 4, 3))


@pytest.fixture
def start():
    """Simulations of compiled models, closed at the end of the test."""
    running = []

    def begin(compiled, **options):
        running.append(Simulation(compiled, **options))
        return running[-1]
    yield begin
    for simulation in running:
        simulation.close()


def loadable(seed=1):
    return compile_model(model(seed), HardwareOptions(loadable=True))


def altered(compiled):
    """The same build with one bit of its first weight flipped."""
    words = list(compiled.images["streams"][0])
    words[0] ^= 1
    return replace(compiled, images=compiled.images | {"streams": [words, *compiled.images["streams"][1:]]})


@pytest.mark.parametrize("cpu", ["vexriscv", pytest.param("serv", marks=pytest.mark.slow)])
def test_a_model_is_replaced(start, raw, cpu):
    built, seen = loadable(), []
    simulation = start(built, cpu=cpu, level=1)
    client = simulation.client
    assert client.info().self_test == PASSED
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(built.model, raw))
    other = replace_model(built, model(2))
    client.load(other, lambda done, total: seen.append((done, total)))
    info = client.info()
    assert (info.model_id, info.self_test) == (other.model.id[:8], OTHER_MODEL)
    assert seen[-1][0] == seen[-1][1] == sum(map(len, loader_words(other)))
    outputs = simulation.infer(raw).outputs
    assert np.array_equal(outputs, golden.infer(other.model, raw))
    assert not np.array_equal(outputs, golden.infer(built.model, raw))
    # And back.
    client.load(built)
    assert client.self_test() == PASSED
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(built.model, raw))


def test_a_broken_transfer_leaves_no_model(start, raw):
    built = loadable()
    simulation = start(built)
    client, memories = simulation.client, loader_words(replace_model(built, model(2)))
    client.request(Command.LOAD_BEGIN)
    half = memories[2][:len(memories[2]) // 2]
    client.request(Command.LOAD_DATA, struct.pack(f"<{2 + len(half)}I", 2, 0, *half))
    with pytest.raises(LiteFormerError, match="no complete model"):
        client.infer(raw[0])
    assert client.self_test() == BAD_MEMORIES
    with pytest.raises(LiteFormerError, match="did not arrive whole"):
        client.request(Command.LOAD_END, struct.pack("<2I", 1, checksum(built)))
    with pytest.raises(LiteFormerError, match="no complete model"):
        client.infer(raw[0])
    client.load(built)
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(built.model, raw))


def test_a_flipped_bit_in_the_transfer_is_found(start, raw):
    built = loadable()
    simulation = start(built)
    wrong = altered(built)
    assert checksum(wrong) != checksum(built)

    client = simulation.client
    client.request(Command.LOAD_BEGIN)
    for number, parts in enumerate(loader_words(wrong)):
        for first in range(0, len(parts), 100):
            piece = parts[first:first + 100]
            client.request(Command.LOAD_DATA, struct.pack(f"<{2 + len(piece)}I", number, first, *piece))
    with pytest.raises(LiteFormerError, match="did not arrive whole"):
        client.request(Command.LOAD_END, struct.pack("<2I", int(built.model.id[:8], 16), checksum(built)))
    with pytest.raises(LiteFormerError, match="no complete model"):
        client.infer(raw[0])


def test_parts_out_of_order_are_refused_and_repeated_ones_taken_once(start, raw):
    built = loadable()
    simulation = start(built)
    client, other = simulation.client, replace_model(built, model(2))
    memories = loader_words(other)

    def data(number, first, parts):
        client.request(Command.LOAD_DATA, struct.pack(f"<{2 + len(parts)}I", number, first, *parts))

    client.request(Command.LOAD_BEGIN)
    for bad in ((0, 1, memories[0][1:3]), (len(memories), 0, [0]), (0, 0, [0] * (len(memories[0]) + 1))):
        with pytest.raises(LiteFormerError, match="did not arrive whole"):
            data(*bad)
    for number, parts in enumerate(memories):
        for first in range(0, len(parts), 50):
            data(number, first, parts[first:first + 50])
            data(number, first, parts[first:first + 50])
    client.request(Command.LOAD_END, struct.pack("<2I", int(other.model.id[:8], 16), checksum(other)))
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(other.model, raw))


def test_parts_for_a_complete_model_are_refused(start, raw):
    """A memory opened then would block the core; after that the device answers as before, window and result included."""
    built = loadable()
    simulation = start(built)
    client = simulation.client
    outputs = client.infer(raw[0]).outputs
    memories = loader_words(built)
    for number in range(len(memories)):
        with pytest.raises(LiteFormerError, match="did not arrive whole"):
            client.request(Command.LOAD_DATA, struct.pack("<3I", number, 0, memories[number][0]))
    with pytest.raises(LiteFormerError, match="did not arrive whole"):
        client.request(Command.LOAD_END, struct.pack("<2I", 1, checksum(built) ^ 1))
    assert np.array_equal(client.result().outputs, outputs)
    row = np.array([[5, -5, 50]])
    window = np.concatenate([raw[0, 1:], row])
    assert np.array_equal(client.infer(row).outputs, golden.infer(built.model, window[None])[0])
    # The last frames of a transfer again, as a host sends them whose reply was lost.
    client.load(built)
    client.infer(raw[0])
    client.request(Command.LOAD_END, struct.pack("<2I", int(built.model.id[:8], 16), checksum(built)))
    with pytest.raises(LiteFormerError, match="window is not full"):
        client.infer(raw[0, 1:])
    assert np.array_equal(client.infer(raw[0]).outputs, golden.infer(built.model, raw)[0])


def test_rows_without_a_model_are_refused(start, raw):
    built = loadable()
    client = start(built).client
    client.infer(raw[0])
    client.request(Command.LOAD_BEGIN)
    for request in (client.push, client.infer, lambda rows: client.bench(1)):
        with pytest.raises(LiteFormerError, match="no complete model"):
            request(raw[0])
    client.load(built)
    with pytest.raises(LiteFormerError, match="window is not full"):
        client.infer(raw[0, 1:])
    assert np.array_equal(client.infer(raw[1]).outputs, golden.infer(built.model, raw)[1])


def test_numbers_of_parts_do_not_wrap(start):
    """The first part's number plus the count is the next position, but modulo 2**32 only."""
    built = loadable()
    client = start(built).client
    memories = loader_words(built)
    client.request(Command.LOAD_BEGIN)
    client.request(Command.LOAD_DATA, struct.pack("<3I", 0, 0, memories[0][0]))
    for first, count in ((0xFFFFFFFF, 2), (0xFFFFFFFE, 3), (0xFFFFFFFF, 1), (1 << 31, 1)):
        with pytest.raises(LiteFormerError, match="did not arrive whole"):
            client.request(Command.LOAD_DATA, struct.pack(f"<{2 + count}I", 0, first, *[0] * count))
    client.load(built)
    assert client.self_test() == PASSED


@pytest.mark.parametrize("close", [lambda client: client.self_test(),
                                   lambda client: client.request(Command.LOAD_END, bytes(8))], ids=["self-test", "load end"])
def test_a_transfer_that_was_ended_does_not_go_on(start, close):
    """The checksum has closed the memory; parts that follow would go nowhere."""
    built = loadable()
    client = start(built).client
    memories = loader_words(built)
    client.request(Command.LOAD_BEGIN)
    client.request(Command.LOAD_DATA, struct.pack("<3I", 0, 0, memories[0][0]))
    with contextlib.suppress(LiteFormerError):
        close(client)
    with pytest.raises(LiteFormerError, match="did not arrive whole"):
        client.request(Command.LOAD_DATA, struct.pack("<3I", 0, 1, memories[0][1]))
    client.request(Command.LOAD_DATA, struct.pack("<3I", 0, 0, memories[0][0]))
    client.load(built)
    assert client.self_test() == PASSED


def test_a_fixed_model_stays(start, raw):
    built = compile_model(model(1))
    simulation = start(built)
    assert simulation.client.info().build == 0
    with pytest.raises(LiteFormerError, match="--loadable"):
        simulation.client.load(replace_model(loadable(), model(2)))
    with pytest.raises(LiteFormerError, match="--loadable"):
        simulation.client.request(Command.LOAD_BEGIN)
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(built.model, raw))


def test_a_model_for_another_build_is_refused(start):
    simulation = start(loadable())
    other = compile_model(model(1, d_model=6), HardwareOptions(loadable=True))
    with pytest.raises(LiteFormerError, match="was compiled for"):
        simulation.client.load(other)
    assert simulation.client.info().self_test == PASSED


@pytest.mark.parametrize("memory", ["multiplier", "streams"])
def test_the_self_test_sees_a_flipped_bit(start, memory):
    fixed = compile_model(model(1))
    raw = known_windows(fixed.model)[0]
    images = fixed.images | {"multiplier": [word ^ 1 << 12 for word in fixed.images["multiplier"]]}
    wrong = start(replace(fixed, images=images) if memory == "multiplier" else altered(fixed))
    assert wrong.client.info().self_test == WRONG_ANSWER == wrong.client.self_test()
    # The device keeps serving; its answers are wrong, as it reports.
    assert not np.array_equal(wrong.client.infer(raw).outputs, golden.infer(fixed.model, raw[None])[0])


def test_the_self_test_at_boot_sees_a_flipped_weight(start, raw):
    built = loadable()
    core = LiteFormerCore(altered(built))
    core.store.checksum.reset = Constant(checksum(built), 32)
    simulation = start(core)
    assert simulation.client.info().self_test == BAD_MEMORIES
    with pytest.raises(LiteFormerError, match="no complete model"):
        simulation.client.infer(raw[0])
    simulation.client.load(built)
    assert np.array_equal(simulation.infer(raw).outputs, golden.infer(built.model, raw))


def test_the_self_test_forgets_the_samples(start, raw):
    simulation = start(compile_model(model(1)))
    simulation.client.infer(raw[0])
    assert simulation.client.self_test() == PASSED
    with pytest.raises(LiteFormerError, match="window is not full"):
        simulation.client.infer(raw[0][:1])


def test_bench_runs_the_window_again(start, raw):
    built = compile_model(model(1))
    client = start(built).client
    with pytest.raises(LiteFormerError, match="window is not full"):
        client.bench(1)
    outputs = client.infer(raw[0]).outputs
    core, total = client.bench(10)
    assert core == built.cycles
    assert 10 * built.cycles < total < 10 * (built.cycles + 300)
    assert np.array_equal(client.result().outputs, outputs)
    for count in (0, 1001):
        with pytest.raises(LiteFormerError, match="does not fit"):
            client.bench(count)
