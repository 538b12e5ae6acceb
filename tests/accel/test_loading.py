# SPDX-License-Identifier: BSD-2-Clause
"""Models replaced at run time: what fits a build, and the way through the core's window into its memories."""

import zlib

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.loading import build_id, checksum, loader_words, replace_model
from liteformer.accel.core import ERROR_NO_MODEL, ERROR_NONE, OUTPUT_WORD, STORE_WORD, LiteFormerCore
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.model_store import CHECKSUM, COMPLETE, DATA, MODEL_ID, SELECT

from .common import engine_infer, make_model, random_raw, simulate, wishbone_read, wishbone_write

LOADABLE = HardwareOptions(loadable=True)
SHAPE = {"window": 4, "features": 2, "d_model": 4, "ffn": 6, "bits": 4}
CLOSED = 255


def built(seed=0, options=LOADABLE, **shape):
    return compile_model(make_model(seed, **(SHAPE | shape)), options)


@pytest.mark.parametrize("shape", [
    {}, {"readout": "mean"}, pytest.param({"layers": 2, "heads": 2}, marks=pytest.mark.slow),
    {"bit_overrides": {"layers.0.expand.weight": 3}}, pytest.param({"bits": 6, "window": 6}, marks=pytest.mark.slow)])
def test_another_model_in_the_same_memories(shape):
    build = built(0, **shape)
    other = make_model(1, **(SHAPE | shape))
    raw = random_raw(other, 2)
    loaded = replace_model(build, other)
    assert loaded.hw == build.hw
    outputs, cycles = engine_infer(loaded, raw)
    assert (outputs == golden.infer(other, raw)).all()
    assert cycles == [build.cycles] * 2
    # Negative control: the first model's memories do not give the second one's results.
    assert (engine_infer(build, raw)[0] != golden.infer(other, raw)).any()


@pytest.mark.parametrize("device", ["lfe5u-25f", "ice40up5k", "gw2a-18"])
def test_another_model_in_the_memories_of_another_family(device):
    """A model says nothing of multipliers and block RAM: those of the build stay."""
    build, other = built(0, HardwareOptions(loadable=True, device=device)), make_model(1, **SHAPE)
    loaded = replace_model(build, other)
    assert loaded.hw == build.hw and loaded.images["streams"] != build.images["streams"]


@pytest.mark.parametrize("smaller", [{"d_model": 3}, {"ffn": 3}, {"d_model": 2, "ffn": 5}])
def test_a_smaller_model_fits(smaller):
    other = make_model(3, **(SHAPE | smaller))
    raw = random_raw(other, 2)
    assert (engine_infer(replace_model(built(), other), raw)[0] == golden.infer(other, raw)).all()


@pytest.mark.parametrize(("options", "shape"), [
    (HardwareOptions(loadable=True, rows=2, columns=3, requantizers=2, dsp_lanes=2), {"d_model": 6}),
    (HardwareOptions(loadable=True, rows=4, columns=2, requantizers=1, dsp_lanes=0), {"readout": "mean"})])
def test_streams_of_several_banks(options, shape, monkeypatch):
    # Banks of eight words, one of them in block RAM.
    monkeypatch.setattr("liteformer.accel.compiler.memories.unit_shape", lambda width, *_: (1, 8, width))
    build, other = built(0, options, **shape), make_model(1, **(SHAPE | shape))
    raw = random_raw(other, 1)
    assert (engine_infer(replace_model(build, other), raw)[0] == golden.infer(other, raw)).all()


@pytest.mark.parametrize(("shape", "words"), [
    ({"window": 2}, "window"), ({"window": 8, "patch": 2, "stride": 2}, "window"), ({"window": 7, "patch": 4}, "window"),
    ({"features": 3}, "features"), ({"d_model": 8}, "does not fit the build"),
    ({"ffn": 12}, "does not fit the build"), ({"bits": 5}, "softmax table"), ({"readout": "mean"}, "pool"),
    ({"layers": 2}, "layers"), ({"outputs": 2}, "outputs"), ({"bit_overrides": {"head.weight": 3}}, "weights")])
def test_what_does_not_fit_is_refused(shape, words):
    with pytest.raises(LiteFormerError, match=words):
        replace_model(built(), make_model(1, **(SHAPE | shape)))


def test_a_fixed_build_is_refused():
    fixed = built(options=None)
    assert build_id(fixed) == 0
    with pytest.raises(LiteFormerError, match="--loadable"):
        replace_model(fixed, make_model(1, **SHAPE))


def test_the_build_id_is_that_of_the_hardware():
    assert build_id(built(0)) == build_id(replace_model(built(0), make_model(1, **SHAPE))) != 0
    assert build_id(built(0)) != build_id(built(0, d_model=6))
    assert build_id(built(0, window=12, patch=4, stride=4)) != build_id(built(0, window=8, patch=4, stride=2))


class Driver:
    """A loadable core behind its bus."""

    def __init__(self, compiled):
        self.core = LiteFormerCore(compiled, with_csr=False)

    def write(self, word, value):
        yield from wishbone_write(self.core.bus, STORE_WORD + word, value)

    def read(self, word):
        return (yield from wishbone_read(self.core.bus, STORE_WORD + word)) & 0xFFFFFFFF

    def load(self, memories):
        yield from self.write(COMPLETE, 0)
        for number, parts in enumerate(memories):
            yield from self.write(SELECT, number)
            for part in parts:
                yield from self.write(DATA, part)

    def read_back(self, memories):
        content = []
        for number, parts in enumerate(memories):
            yield from self.write(SELECT, number)
            for _ in parts:
                content.append((yield from self.read(DATA)))
        yield from self.write(SELECT, CLOSED)
        return content

    def infer(self, window):
        for row in window:
            for feature, value in enumerate(row):
                yield from wishbone_write(self.core.bus, feature, value)
        yield self.core.start.eq(1)
        yield
        yield self.core.start.eq(0)
        yield
        while (yield self.core.busy):
            yield
        yield
        outputs = []
        for number in range(len(self.core.engine.outputs)):
            outputs.append((yield from wishbone_read(self.core.bus, OUTPUT_WORD + number)))
        return outputs, (yield self.core.error)


def crc(parts):
    return zlib.crc32(b"".join(part.to_bytes(4, "little") for part in parts))


def flat(memories):
    return [part for parts in memories for part in parts]


def test_a_model_goes_through_the_window_and_comes_back():
    build = built(0, d_model=2, ffn=2)
    loaded = replace_model(build, make_model(1, **(SHAPE | {"d_model": 2, "ffn": 2})))
    raw = random_raw(build.model, 1)[0]
    before, after = (golden.infer(compiled.model, raw[None])[0].tolist() for compiled in (build, loaded))
    assert before != after
    memories, driver = loader_words(loaded), Driver(build)

    def bench():
        assert (yield from driver.infer(raw)) == (before, ERROR_NONE)
        # After an inference the checksum is still that of the model: scratch is no part of it.
        assert crc((yield from driver.read_back(memories))) == checksum(build)
        assert (yield from driver.read(CHECKSUM)) == checksum(build)
        assert (yield from driver.read(MODEL_ID)) == int(build.model.id[:8], 16)
        # A complete model cannot be overwritten by accident.
        yield from driver.write(SELECT, 0)
        yield from driver.write(DATA, 0xFFFFFFFF)
        assert crc((yield from driver.read_back(memories))) == checksum(build)
        yield from driver.load(memories)
        yield from driver.write(SELECT, CLOSED)
        assert not (yield driver.core.ready)
        assert (yield from driver.infer(raw))[1] == ERROR_NO_MODEL
        assert crc((yield from driver.read_back(memories))) == checksum(loaded) != checksum(build)
        yield from driver.write(COMPLETE, 1)
        assert (yield from driver.read(COMPLETE)) == 1
        assert (yield from driver.infer(raw)) == (after, ERROR_NONE)

    simulate(driver.core, bench(), limit=60_000)


@pytest.mark.parametrize("wrong", [1, 1000])
def test_wrong_bits_change_the_checksum_and_the_result(wrong):
    build = built(0, d_model=2, ffn=2)
    raw = random_raw(build.model, 1)[0]
    memories, driver = loader_words(build), Driver(build)
    memories[2][:wrong] = [part ^ 1 << 2 for part in memories[2][:wrong]]

    def bench():
        yield from driver.load(memories)
        assert crc((yield from driver.read_back(memories))) == crc(flat(memories)) != checksum(build)
        yield from driver.write(COMPLETE, 1)
        outputs, error = yield from driver.infer(raw)
        assert error == ERROR_NONE
        # A single bit may vanish in a clamp; that is what the checksum is for.
        assert wrong == 1 or outputs != golden.infer(build.model, raw[None])[0].tolist()

    simulate(driver.core, bench(), limit=60_000)


def test_the_checksum_sees_every_flipped_bit():
    """Of all memories, parts and bits of a build, one after the other."""
    build = built()
    memories, right, flips = loader_words(build), checksum(build), 0
    data = bytearray(b"".join(part.to_bytes(4, "little") for parts in memories for part in parts))
    assert zlib.crc32(data) == right
    for place in range(len(data)):
        for bit in range(8):
            data[place] ^= 1 << bit
            assert zlib.crc32(data) != right
            data[place] ^= 1 << bit
            flips += 1
    assert flips == 32 * sum(map(len, memories)) > 1_000


def test_an_open_memory_keeps_the_core_from_running():
    build = built(0, d_model=2, ffn=2)
    raw = random_raw(build.model, 1)[0]
    driver = Driver(build)

    def bench():
        yield from driver.infer(raw)
        assert (yield driver.core.ready)
        yield from driver.write(SELECT, 1)
        yield
        assert not (yield driver.core.ready)
        yield from driver.write(SELECT, CLOSED)
        yield
        assert (yield driver.core.ready)

    simulate(driver.core, bench(), limit=20_000)


def test_every_memory_of_the_model_is_loaded():
    build = built(0)
    other = replace_model(build, make_model(5, **SHAPE))
    changed = [a != b for a, b in zip(loader_words(build), loader_words(other))]
    # The programs are those of the shape; everything else is the model's own.
    assert changed[:2] == [False, False]
    assert all(changed[2:-1])
    assert np.array_equal([len(m) for m in loader_words(build)], [len(m) for m in loader_words(other)])
