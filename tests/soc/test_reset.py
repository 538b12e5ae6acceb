# SPDX-License-Identifier: BSD-2-Clause
"""A reset of one cycle, in any cycle of an inference and of a model's transfer: nothing of what was before is left over."""

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.loading import checksum, loader_words, replace_model
from liteformer.accel.core import ERROR_NO_MODEL, STORE_WORD
from liteformer.accel.gateware.model_store import CHECKSUM, COMPLETE
from liteformer.accel.random_model import random_model
from liteformer.soc.core_simulation import RUN, CoreSimulation

SHAPE = {"window": 2, "features": 2, "d_model": 2, "heads": 2, "ffn": 2, "bits": 4}
START, BOTH_EVENTS = 1, 3
ERROR, MODEL = 4, 1 << 3    # In status: the error's lowest bit, a complete model.


def build(seed=1, loadable=False, shape=SHAPE, **options):
    return compile_model(random_model(np.random.default_rng(seed), **shape),
                         HardwareOptions(loadable=loadable, dsp_lanes=1, **options))


def rows(compiled, seed):
    config = compiled.model.config
    return np.random.default_rng(seed).integers(-1 << 14, 1 << 14, (config.window, config.features)).astype(np.int32)


def check_inference(simulation, raw):
    """One window from the start: outputs, cycles."""
    simulation.access([(simulation.words[name], BOTH_EVENTS) for name in ("ev_pending", "ev_enable")])
    outputs, cycles, _ = simulation.stream(raw, [0] * (len(raw) - 1) + [RUN])
    assert outputs.tolist() == golden.infer(simulation.compiled.model, raw[None].astype(np.int64)).tolist()
    assert cycles.tolist() == [simulation.compiled.cycles]


def status(simulation):
    return simulation.access([(simulation.words[name], None) for name in ("status", "ev_pending", "cycles")]).tolist()


LONG = {"window": 4, "features": 2, "d_model": 6, "heads": 2, "layers": 2, "bits": 5, "readout": "mean", "skip": "persistence"}


@pytest.mark.parametrize(("shape", "options"), [
    (SHAPE, {}), pytest.param(LONG, {"rows": 2, "columns": 3, "requantizers": 2}, marks=pytest.mark.slow),
    pytest.param({"window": 9, "patch": 3, "stride": 2, "features": 2, "d_model": 3, "bits": 4},
                 {"rows": 2, "columns": 2}, marks=pytest.mark.slow)], ids=["small", "two layers", "patches"])
def test_in_any_cycle_of_an_inference(shape, options):
    compiled = build(shape=shape, **options)
    raw, other = rows(compiled, 1), rows(compiled, 2)
    with CoreSimulation(compiled, level=0) as simulation:
        words, cycle, inside = simulation.words, 0, True
        transfers = [(feature, int(value)) for row in raw for feature, value in enumerate(row)]
        transfers += [(words["control"], START), *[(words["status"], None)] * (compiled.cycles // 3 + 4)]
        idle = [MODEL, 0, 0]
        while inside:
            cycle += 1
            inside = simulation.cut(transfers, cycle)
            assert status(simulation) == idle, cycle
            check_inference(simulation, other)
        assert cycle > compiled.cycles + 30
        # Negative control: without a reset the window and the result are still there.
        assert status(simulation)[0] != MODEL


def test_in_any_cycle_of_a_transfer():
    """The memories then hold a whole model, the old or the new one, or the core says that they do not and runs nothing."""
    compiled = build(loadable=True)
    models, seen = [compiled, replace_model(compiled, build(2).model)], {0: 0, 1: 0}
    raw = rows(compiled, 1)
    with CoreSimulation(compiled, level=0) as simulation:
        old, cycle, inside = 0, 0, True
        while inside:
            cycle += 1
            before, new = models[old], models[1 - old]
            simulation.compiled = before
            inside = simulation.cut(simulation.loading(new), cycle)
            complete, kept = simulation.access([(STORE_WORD + COMPLETE, None), (STORE_WORD + CHECKSUM, None)]).tolist()
            seen[complete] += 1
            if complete:
                there = simulation.read_back()
                simulation.compiled = next(model for model in models if loader_words(model) == there)
                assert kept == checksum(simulation.compiled)
                check_inference(simulation, raw)
            else:
                assert status(simulation) == [0, 0, 0]
                simulation.access([(simulation.words["control"], START)])
                assert status(simulation)[0] == ERROR_NO_MODEL * (1 << ERROR)
            simulation.load(new)
            assert simulation.read_back() == loader_words(new)
            check_inference(simulation, raw)
            old = 1 - old
        assert seen[0] > 300 and seen[1] >= 3, seen
