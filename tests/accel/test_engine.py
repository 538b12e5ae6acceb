# SPDX-License-Identifier: BSD-2-Clause
"""The engine, from raw samples to outputs, against the golden model and the compiler's cycle count."""

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liteformer.accel import golden, numerics
from liteformer.accel.compiler import HardwareOptions, choose, compile_model, memories
from liteformer.accel.devices import device as find_device
from liteformer.accel.gateware import engine as engine_module
from liteformer.accel.gateware import simulate as simulate_module
from liteformer.accel.gateware.drive import push_row
from liteformer.accel.gateware.softmax.softmax import Softmax
from liteformer.accel.tensors import tensor_names

from .common import EngineDriver, altered, compiled_model, engine_infer, make_model, random_raw, simulate


def simulated_and_predicted(model, options=None, windows=2, seed=0):
    """Outputs and cycles of every window, as the gateware gives them and as golden model and compiler predict them."""
    compiled = compile_model(model, options)
    raw = random_raw(model, windows, seed)
    outputs, cycles = engine_infer(compiled, raw)
    return (outputs.tolist(), cycles), (golden.infer(model, raw).tolist(), [compiled.cycles] * windows)


@pytest.mark.parametrize(("shape", "options"), [
    ({"readout": "mean", "features": 3}, {}),
    ({"readout": "last", "d_model": 6, "outputs": 2, "skip": "persistence"}, {"requantizers": 2}),
    ({"readout": "mean", "bits": 3, "heads": 2, "layers": 2}, {"rows": 2, "columns": 3}),
    ({"readout": "last", "bits": 5, "heads": 3, "d_model": 6, "layers": 2, "ffn": 7}, {"rows": 2, "columns": 5}),
    ({"readout": "mean", "bits": 2, "outputs": 3, "ffn": 3}, {"rows": 2, "columns": 4, "dsp_lanes": 0}),
    ({"readout": "mean", "bits": 8, "window": 3, "skip": "persistence", "ffn": 4}, {"columns": 2}),
    ({"readout": "last", "bits": 7, "features": 1}, {"rows": 1, "columns": 2}),
    ({"readout": "last", "bit_overrides": {"layers.0.key": 7, "head.weight": 2, "layers.0.expanded": 6}}, {"columns": 3}),
], ids=str)
def test_shapes(shape, options):
    simulated, predicted = simulated_and_predicted(make_model(**shape), HardwareOptions(**options))
    assert simulated == predicted


SINGLE = [
    ({"heads": 2, "d_model": 8}, {"rows": 4, "columns": 4, "requantizers": 2}, True),
    ({"bits": 2, "d_model": 6, "window": 6}, {"rows": 3, "columns": 2, "requantizers": 3}, True),
    ({"bits": 6, "d_model": 4, "window": 3, "layers": 2}, {"rows": 3, "columns": 4, "requantizers": 1}, True),
    ({"bits": 3, "d_model": 8, "heads": 2}, {"rows": 4, "columns": 4, "requantizers": 4, "pump": True, "loadable": True}, True),
    ({"bits": 5, "d_model": 4}, {"rows": 4, "columns": 3}, False),
    ({"bits": 4, "d_model": 4}, {"rows": 2, "columns": 4, "dsp_lanes": 2}, False),
    ({"bits": 8, "d_model": 4}, {"rows": 2, "columns": 4}, False),
]


@pytest.mark.parametrize(("shape", "options", "whole"), SINGLE, ids=str)
def test_a_single_query(shape, options, whole):
    """One row of softmax where there is one layer; weights in one pass where row 0 has DSP lanes only, and digits elsewhere."""
    model, options = make_model(readout="last", **shape), HardwareOptions(**options)
    compiled = compile_model(model, options)
    assert compiled.hw.whole == whole and compiled.hw.one_query == (model.config.layers == 1)
    assert compiled.hw.softmax.requantizers == (1 if compiled.hw.one_query else compiled.hw.requantizers)
    context = [step for step in compiled.steps if step.kind == "context"][-1]
    assert context.passes == (1 if whole else compiled.hw.probability_digits)
    simulated, predicted = simulated_and_predicted(model, options)
    assert simulated == predicted


def test_digits_in_one_pass_are_seen():
    """Negative control: weights that are split where they are taken whole give wrong outputs in as many cycles."""
    model, options = make_model(readout="last", d_model=8, seed=2), HardwareOptions(rows=4, columns=4, requantizers=2)
    right, predicted = simulated_and_predicted(model, options)
    assert right == predicted
    with mock.patch.object(engine_module, "Softmax", lambda *args: Softmax(*args[:4])):
        wrong, _ = simulated_and_predicted(model, options)
    assert wrong[0] != predicted[0] and wrong[1] == predicted[1]


@pytest.mark.parametrize(("shape", "options"), [
    # One of everything; heads of one channel; more columns than channels; more outputs than columns.
    ({"window": 1, "features": 1, "d_model": 1, "ffn": 1, "readout": "last"}, {}),
    ({"window": 1, "features": 1, "d_model": 2, "bits": 8, "ffn": 1, "readout": "mean"}, {}),
    ({"window": 2, "heads": 4, "readout": "last"}, {"rows": 1, "columns": 8}),
    ({"window": 2, "heads": 4, "readout": "mean", "outputs": 5}, {"rows": 2, "columns": 3, "requantizers": 2}),
    ({"window": 3, "d_model": 1, "bits": 8, "ffn": 1, "features": 1, "readout": "mean"}, {"rows": 1}),
], ids=str)
def test_smallest_shapes(shape, options):
    simulated, predicted = simulated_and_predicted(make_model(**shape), HardwareOptions(**options))
    assert simulated == predicted


@pytest.mark.parametrize(("shape", "options"), [
    ({"readout": "mean", "features": 3}, {}),
    ({"readout": "last", "bits": 5, "heads": 2, "window": 6}, {"rows": 6, "columns": 4, "requantizers": 3}),
    ({"readout": "mean", "bits": 8, "d_model": 8, "ffn": 40}, {"columns": 5, "dsp_lanes": 16}),
    ({"readout": "last", "bits": 8, "window": 3, "loadable": True}, {"columns": 4, "requantizers": 3}),
    ({"readout": "mean", "bits": 4, "window": 1}, {"columns": 4}),
], ids=str)
def test_pumped_lanes(shape, options):
    """As fast as lanes of two, and as exact; arrays without two rows have none."""
    shape, loadable = dict(shape), shape.get("loadable", False)
    shape.pop("loadable", None)
    model, options = make_model(**shape), HardwareOptions(pump=True, loadable=loadable, **options)
    compiled, paired = compile_model(model, options), compile_model(model, replace(options, pump=False))
    assert bool(compiled.hw.quads) == (model.config.tokens > 1) and compiled.hw.pump and not paired.hw.quads
    assert compiled.cycles == paired.cycles or compiled.hw.columns != paired.hw.columns
    raw = random_raw(model, 2)
    outputs, cycles = engine_infer(compiled, raw)
    assert (outputs.tolist(), cycles) == (golden.infer(model, raw).tolist(), [compiled.cycles] * 2)


def test_pumped_lanes_need_both_clocks_in_phase():
    """Negative control: half a cycle of the fast clock beside the slow one's edge, results are wrong."""
    model = make_model(readout="mean")
    compiled, raw = compile_model(model, HardwareOptions(pump=True)), random_raw(model, 2)
    expected = golden.infer(model, raw).tolist()
    assert engine_infer(compiled, raw)[0].tolist() == expected
    with mock.patch.dict(simulate_module.CLOCKS, {"sys2x": (4, 0)}):
        assert engine_infer(compiled, raw)[0].tolist() != expected


@pytest.mark.parametrize(("shape", "options"), [
    # Side by side and overlapping; one token of the whole window; tiles that hand over tokens; more inputs than channels.
    ({"window": 8, "patch": 2, "stride": 2, "readout": "last"}, {}),
    pytest.param({"window": 12, "patch": 4, "stride": 4, "features": 1, "skip": "persistence", "readout": "mean"}, {"rows": 1},
                 marks=pytest.mark.slow),
    pytest.param({"window": 9, "patch": 4, "stride": 1, "features": 3, "readout": "mean", "bits": 5}, {"rows": 2},
                 marks=pytest.mark.slow),
    ({"window": 11, "patch": 5, "stride": 2, "features": 2, "bits": 3}, {"rows": 2, "columns": 3}),
    ({"window": 6, "patch": 6, "stride": 6, "features": 2, "bits": 8}, {}),
    ({"window": 7, "patch": 3, "stride": 2, "features": 1, "bits": 2, "layers": 2}, {"loadable": True}),
], ids=str)
def test_patches(shape, options):
    """More windows than the samples of a patch: their places rotate."""
    model = make_model(**shape)
    compiled = compile_model(model, HardwareOptions(**options))
    window, driver, outputs = model.config.window, EngineDriver(compiled), []
    rows = random_raw(model, 1, tokens=window + 2 * model.config.patch)[0]

    def bench():
        for number, row in enumerate(rows, 1):
            yield from driver.push(row)
            assert (yield driver.engine.full) == (number >= window)
            if number >= window:
                result, cycles = yield from driver.run()
                assert cycles == compiled.cycles
                outputs.append(result)

    simulate(driver.engine, bench(), limit=len(rows) * (driver.limit + 200))
    expected = golden.infer(model, np.stack([rows[n:n + window] for n in range(len(outputs))])).tolist()
    assert outputs == expected and outputs[1:] != expected[:-1]


def test_patches_after_an_abort_and_a_clear():
    """An inference that was stopped within a patch and a row that was cleared half-way leave no trace."""
    compiled = compiled_model(window=8, patch=4, stride=2, features=2)
    driver, outputs = EngineDriver(compiled), []
    engine, rows = driver.engine, random_raw(compiled.model, 1, tokens=20)[0]

    def bench():
        for row in rows[:9]:
            yield from driver.push(row)
        for after in range(3, 14):
            yield from driver.pulse(engine.start)
            for _ in range(after):
                yield
            yield from driver.pulse(engine.abort)
            outputs.append((yield from driver.run())[0])
        yield from push_row(engine, engine.push_busy, rows[9][:1])
        yield from driver.pulse(engine.clear)
        for row in rows[10:18]:
            yield from driver.push(row)
        outputs.append((yield from driver.run())[0])

    simulate(engine, bench())
    first, second = golden.infer(compiled.model, np.stack([rows[1:9], rows[10:18]])).tolist()
    assert outputs == [first] * 11 + [second] and first != second


@pytest.mark.parametrize(("shape", "options"), [
    ({"d_model": 2, "heads": 2, "readout": "mean"}, {"rows": 4, "columns": 4, "requantizers": 4}),
    ({"d_model": 2, "heads": 2, "readout": "last", "layers": 2}, {"rows": 4, "columns": 4, "requantizers": 4}),
    ({"d_model": 1, "ffn": 1, "features": 1, "bits": 8, "layers": 2, "readout": "mean"}, {"columns": 2, "requantizers": 4}),
], ids=str)
def test_steps_that_drain_in_one_cycle(shape, options):
    simulated, predicted = simulated_and_predicted(make_model(**shape), HardwareOptions(**options))
    assert simulated == predicted


def test_model_without_offsets():
    model = make_model()
    without = altered(model, **{name: 0 * tensor for name, tensor in model.tensors.items() if name.endswith("offset")})
    simulated, predicted = simulated_and_predicted(without)
    assert simulated == predicted


def test_position_wider_than_activations():
    simulated, predicted = simulated_and_predicted(make_model(bit_overrides={"position": 8}))
    assert simulated == predicted


def test_more_features_than_row_words():
    simulated, predicted = simulated_and_predicted(make_model(window=2, features=20, d_model=2, ffn=2))
    assert simulated == predicted


@pytest.mark.parametrize("shape", [{"window": 13, "d_model": 2}, {"window": 8, "d_model": 4, "heads": 4}], ids=str)
def test_more_probabilities_than_row_words(shape):
    model = make_model(ffn=1, readout="mean", **shape)
    simulated, predicted = simulated_and_predicted(model, HardwareOptions(columns=2), windows=1)
    assert simulated == predicted


def test_table_just_above_the_digits():
    model = make_model(bits=3)
    assert numerics.operand_range(6, 3)[1] < 31
    simulated, predicted = simulated_and_predicted(altered(model, softmax__table=numerics.exp_table(64, 31, 0.08)), windows=4)
    assert simulated == predicted


def test_head_sums_over_all_row_tiles():
    """Every sum of the head at its extreme: weights, activations and tokens all of one sign."""
    d, window = 16, 4
    model = make_model(window=window, features=1, d_model=d, ffn=2, readout="mean", bit_overrides={"head.weight": 8})
    # The last layer's output saturates; 1/256 keeps the result far from the clamp.
    extreme = altered(model, layers__0__contract__offset=np.full(d, -(1 << 27)), head__weight=np.full((1, d), 127),
                      head__multiplier=[1 << 12])
    assert golden.infer(extreme, random_raw(model, 1))[0, 0] < -window * d * 8 * 127 // 256 + 4
    simulated, predicted = simulated_and_predicted(extreme, HardwareOptions(rows=1, columns=2), windows=1)
    assert simulated == predicted


def test_all_saturated():
    """Weights, samples and scales at their extremes; the sums come near their proven bounds."""
    model = make_model(readout="mean", bits=4)
    tensors = {name: np.full_like(tensor, 7) for name, tensor in model.tensors.items() if name.endswith("weight")}
    tensors |= {name: np.full_like(tensor, -(1 << 23)) for name, tensor in model.tensors.items()
                if name.endswith("multiplier") and "input" not in name and not name.endswith(("score.multiplier",
                                                                                             "context.multiplier"))}
    tensors |= {name: np.full_like(tensor, -(1 << 15)) for name, tensor in model.tensors.items() if name.endswith("residual")}
    tensors |= {name: np.full_like(tensor, (1 << 27) - 1) for name, tensor in model.tensors.items() if "d.offset" in name}
    model = altered(model, **tensors)
    raw = np.array([np.full((4, 2), (1 << 31) - 1), np.full((4, 2), -(1 << 31))])
    outputs, _ = engine_infer(compile_model(model), raw)
    assert outputs.tolist() == golden.infer(model, raw).tolist()


def test_streaming_and_abort():
    """One row a forecast; an inference stopped anywhere does not disturb the next."""
    compiled = compiled_model(window=3, readout="last")
    model, driver = compiled.model, EngineDriver(compiled)
    series = random_raw(model, 1, tokens=9)[0]
    aborts = [1, compiled.cycles // 4, compiled.cycles // 2, 3 * compiled.cycles // 4, compiled.cycles - 2]
    outputs, busy = [], []

    def bench():
        for n, row in enumerate(series):
            yield from driver.push(row)
            assert (yield driver.engine.full) == (n >= 2)
            if n < 2:
                continue
            if n - 2 < len(aborts):
                yield from driver.pulse(driver.engine.start)
                for _ in range(aborts[n - 2]):
                    yield
                yield from driver.pulse(driver.engine.abort)
                # What is in the pipeline runs out.
                for _ in range(40):
                    yield
                busy.append((yield driver.engine.busy))
            result, cycles = yield from driver.run()
            assert cycles == compiled.cycles
            outputs.append(result)

    simulate(driver.engine, bench())
    windows = np.stack([series[n:n + 3] for n in range(7)])
    assert busy == [0] * len(aborts)
    assert outputs == golden.infer(model, windows).tolist()


@pytest.mark.parametrize("gap", [2, 6])
def test_start_soon_after_abort(gap):
    compiled = compiled_model(window=2, readout="last", d_model=2, ffn=2)
    model, driver = compiled.model, EngineDriver(compiled)
    raw, outputs = random_raw(model, 1), []
    stops = [22, compiled.cycles - 12, compiled.cycles - 10, compiled.cycles - 8]

    def bench():
        for row in raw[0]:
            yield from driver.push(row)
        for stop in stops:
            yield from driver.pulse(driver.engine.start)
            for _ in range(stop):
                yield
            yield from driver.pulse(driver.engine.abort)
            for _ in range(gap - 1):
                yield
            outputs.append((yield from driver.run()))
            for _ in range(compiled.cycles):
                yield

    simulate(driver.engine, bench())
    assert outputs == [(golden.infer(model, raw)[0].tolist(), compiled.cycles)] * len(stops)


def test_a_flipped_weight_bit_is_seen():
    """Negative control: the compiled image decides the result; one bit of one weight in each stream changes an output."""
    compiled = compiled_model(readout="last", bits=4, features=3)
    raw = random_raw(compiled.model, 6)
    expected = golden.infer(compiled.model, raw)
    for index in range(len(compiled.images["streams"])):
        streams = [list(words) for words in compiled.images["streams"]]
        streams[index][0] ^= 1 << compiled.hw.streams[index].bits - 1
        outputs, cycles = engine_infer(compiled, raw, compiled.images | {"streams": streams})
        assert cycles == [compiled.cycles] * len(raw)
        assert outputs.tolist() != expected.tolist()


@pytest.mark.parametrize("bias", [-1, 1])
def test_wrong_waits_are_seen(bias):
    """Negative control: the cycle count is measured, not copied from the prediction."""
    compiled = compiled_model(window=2, d_model=2)
    _, cycles = engine_infer(replace(compiled, cycles=compiled.cycles + bias), random_raw(compiled.model, 1))
    assert cycles == [compiled.cycles]


@st.composite
def builds(draw):
    """A small model of any shape, with some widths of its own, and an array for it."""
    heads, layers = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    tokens, patch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    stride = draw(st.integers(1, patch))
    d_model = heads * draw(st.integers(2, 4))
    names = [name for name in tensor_names(layers) if name != "position" and not name.endswith("probability")]
    shape = {"window": (tokens - 1) * stride + patch, "patch": patch, "stride": stride,
             "features": draw(st.integers(1, 3)), "d_model": d_model, "heads": heads, "layers": layers,
             "ffn": draw(st.integers(2, 9)), "outputs": draw(st.integers(1, 3)), "bits": draw(st.integers(2, 8)),
             "readout": draw(st.sampled_from(["mean", "last"])), "skip": draw(st.sampled_from(["none", "persistence"])),
             "bit_overrides": draw(st.dictionaries(st.sampled_from(names), st.integers(2, 8), max_size=3))}
    rows = draw(st.sampled_from([r for r in range(1, tokens + 1) if tokens % r == 0]))
    requantizers = draw(st.sampled_from([p for p in range(1, rows + 1) if rows % p == 0]))
    options = HardwareOptions(rows, draw(st.integers(1, 7)), requantizers, draw(st.sampled_from([None, 0, 4])),
                              loadable=draw(st.booleans()), pump=draw(st.booleans()))
    # Halves of a block RAM that there are: everything in LUTs, a part, or all that the device has.
    return shape, options, draw(st.sampled_from([0, 2, 5, None])), draw(st.integers(0, 1000))


def build_and_simulate(build):
    """``simulated_and_predicted`` of a drawn build, with the block RAM it is given."""
    shape, options, halves, seed = build
    budget = 2 * find_device(options.device).bram36 - halves if halves is not None else memories.soc_halves(1, 1, False)
    with mock.patch.object(choose, "soc_halves", lambda *_: budget):
        return simulated_and_predicted(make_model(seed, **shape), options, windows=1, seed=seed)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(builds())
def test_random_builds(build):
    simulated, predicted = build_and_simulate(build)
    assert simulated == predicted


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(builds())
def test_many_random_builds(build):
    simulated, predicted = build_and_simulate(build)
    assert simulated == predicted
