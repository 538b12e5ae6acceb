# SPDX-License-Identifier: BSD-2-Clause
"""The known windows: what they exercise, what they find, that nothing of them is stored, and the shapes that so fit the SoC."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model, memories
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.decision import decide
from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import random_windows
from liteformer.soc.generate import write_verilog
from liteformer.soc.known_window import SHIFTS, WINDOWS, known_answer, known_windows, step
from liteformer.soc.platform import simulation_platform
from liteformer.soc.simulation import Simulation
from liteformer.soc.soc import LiteFormerSoC

WORD = 0xFFFFFFFF


def model(seed=1, **shape):
    """A random model whose features lie far from zero, as a pressure does."""
    made = random_model(np.random.default_rng(seed), **{"window": 6, "features": 5, "d_model": 16, "bits": 4} | shape)
    offsets = np.random.default_rng(seed).integers(-1 << 20, 1 << 20, made.config.features)
    made.tensors["input.offset"] = offsets.astype(np.int32)
    return made


def altered(made, name, index, bit):
    """The model with one bit of a tensor flipped, unchecked: memories can go wrong in any way."""
    other = copy.copy(made)
    tensor = made.tensors[name].copy()
    tensor.flat[index] ^= 1 << bit
    object.__setattr__(other, "tensors", made.tensors | {name: tensor})
    return other


def flips_seen(made, raw, flips=100):
    """Share of single flips in weights that change an output for the windows."""
    rng, right = np.random.default_rng(9), golden.infer(made, raw)
    names = [name for name in made.tensors if name.endswith("weight")]
    sizes = np.array([made.tensors[name].size for name in names], float)
    wrong = [altered(made, name, rng.integers(made.tensors[name].size), rng.integers(2))
             for name in rng.choice(names, flips, p=sizes / sizes.sum())]
    return np.mean([(golden.infer(other, raw) != right).any() for other in wrong])


def test_the_generator_has_its_full_period():
    """As a matrix over bits, its order is 2**32 - 1: it is the identity at that power and at no quotient by a prime of it."""
    def times(left, right):
        return [sum_of(left, column) for column in right]

    def sum_of(columns, choice):
        result = 0
        for bit in range(32):
            result ^= columns[bit] if choice >> bit & 1 else 0
        return result

    def power(exponent):
        result, square = [1 << bit for bit in range(32)], [step(1 << bit) for bit in range(32)]
        while exponent:
            result = times(result, square) if exponent & 1 else result
            square, exponent = times(square, square), exponent >> 1
        return result

    identity = [1 << bit for bit in range(32)]
    assert power(WORD) == identity and sum(SHIFTS) < 20
    assert all(power(WORD // prime) != identity for prime in (3, 5, 17, 257, 65537))


@pytest.mark.parametrize("bits", [4, 8])
def test_the_window_covers_the_input_range_of_every_feature(bits):
    made = model(window=24, bit_overrides={"input": bits})
    lo, hi = made.input_range
    rows = known_windows(made)[0]
    quantized = golden.quantize_input(made, rows)
    assert (np.ptp(quantized, axis=0) > 0.4 * (hi - lo)).all() and (quantized.min(axis=0) < 0).all()
    assert (quantized.max(axis=0) > 0).all() and np.mean((quantized == lo) | (quantized == hi)) < (0.25 if bits == 4 else 0.02)
    assert abs(np.corrcoef(quantized.T)[0, 1:]).max() < 0.6
    # Negative control: samples around zero are far outside of these features' ranges.
    zeros = golden.quantize_input(made, np.zeros((1, made.config.features), int))
    assert ((zeros == lo) | (zeros == hi)).any()


def test_the_windows_follow_one_another():
    raw = known_windows(model())
    assert raw.shape == (WINDOWS, 6, 5) and np.array_equal(raw[1:, :-1], raw[:-1, 1:])
    assert len({row.tobytes() for row in raw[:, -1]}) == WINDOWS


def test_the_windows_find_flipped_weights_as_often_as_independent_samples():
    seen, independent, constant, first = [], [], [], []
    for seed in range(4):
        made = model(seed, readout="last", outputs=2)
        raw = known_windows(made)
        seen.append(flips_seen(made, raw))
        shuffled = np.random.default_rng(seed).permuted(raw.reshape(-1, 5), axis=0).reshape(raw.shape)
        independent.append(flips_seen(made, shuffled))
        constant.append(flips_seen(made, np.zeros_like(raw)))
        first.append(flips_seen(made, raw[:1]))
    assert np.mean(seen) > 0.9 and np.mean(seen) > np.mean(independent) - 0.05
    assert np.mean(constant) < np.mean(seen) - 0.05 and np.mean(first) < np.mean(seen) - 0.3


def test_one_wrong_output_is_another_answer(monkeypatch):
    made = model(outputs=3)
    right, outputs = known_answer(made), golden.infer(made, known_windows(made))
    for place in range(3):
        for bit, number in ((0, 0), (7, WINDOWS // 2), (31, WINDOWS - 1)):
            wrong = outputs.copy()
            wrong[number, place] ^= 1 << bit
            monkeypatch.setattr(golden, "infer", lambda *_, wrong=wrong: wrong)
            assert known_answer(made) != right
    monkeypatch.setattr(golden, "infer", lambda *_: outputs)
    assert known_answer(made) == right


def firmware_of(folder, loadable=False, **shape):
    """``(firmware, bytes of the ROM)`` of a SoC, without a simulator."""
    compiled = compile_model(model(d_model=4, **shape), HardwareOptions(1, 2, 1, loadable=loadable, device="xc7a35t"))
    soc = LiteFormerSoC(simulation_platform(), 1e8, LiteFormerCore(compiled))
    design = write_verilog(soc, folder)
    return len(soc.firmware), json.loads(design.csr_json.read_text())["memories"]["rom"]["size"]


def test_a_longer_window_takes_no_rom(tmp_path):
    short, long = firmware_of(tmp_path / "short", window=1), firmware_of(tmp_path / "long", window=128)
    assert short[0] == pytest.approx(long[0], abs=16) and short[1] == long[1] == 4096


@pytest.mark.parametrize("loadable, features, rom", [(False, 64, 4096), (True, 24, 4096), (True, 210, 8192), (True, 256, 8192)])
def test_the_rom_grows_with_the_features(tmp_path, loadable, features, rom):
    size, present = firmware_of(tmp_path, loadable, window=1, features=features)
    assert size <= memories.firmware_bytes(features, 1, loadable) <= present == rom
    # The compiler leaves the block RAM that the ROM takes.
    assert memories.soc_halves(features, 1, loadable) == (rom + 2048) // 2048


@pytest.mark.parametrize("shape, loadable", [
    pytest.param({"window": 64, "features": 20}, False, marks=pytest.mark.slow), ({"window": 1, "features": 210}, False),
    pytest.param({"window": 1, "features": 210}, True, marks=pytest.mark.slow),
    pytest.param({"window": 128, "features": 9, "outputs": 6}, False, marks=pytest.mark.slow),
    pytest.param({"window": 24, "features": 24}, True, marks=pytest.mark.slow)],
    ids=["64x20", "1x210", "1x210-loadable", "128x9", "24x24-loadable"])
def test_large_inputs_on_the_soc(shape, loadable):
    made = model(d_model=8, **shape)
    if "outputs" in shape:
        names = {"task": "classification", "class_names": list("abcdef")}
        made = replace(made, config=type(made.config)(**made.config.model_dump() | names))
    raw = random_windows(made, 2, 1)
    expected = golden.infer(made, raw)
    with Simulation(compile_model(made, HardwareOptions(loadable=loadable, device="xc7a35t")), level=1) as simulation:
        assert simulation.client.info().self_test == "passed"
        answer = simulation.infer(raw[:1])
    assert np.array_equal(answer.outputs, expected[:1])
    assert np.array_equal(answer.decisions, decide(made.config, expected[:1], raw[:1]))
    assert (expected[0] != expected[1]).any()
