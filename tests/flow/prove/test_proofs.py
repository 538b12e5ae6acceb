# SPDX-License-Identifier: BSD-2-Clause
"""The proofs: quick ones here, all by `make prove`; what the sequencer's proof assumes holds for compiled programs."""

from dataclasses import replace

import numpy as np
import pytest
from migen import Signal

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.schedule import START_CYCLES
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import compute_fields, drain_fields, encode
from liteformer.accel.random_model import random_model
from liteformer.flow.prove import drain
from liteformer.flow.prove.control import decode, keeps_to, stays_inside
from liteformer.flow.prove.proof import BOUNDED, INDUCTION, PIPELINE, Bench, Proof
from liteformer.flow.prove.prover import prove
from liteformer.flow.prove.run import PROOFS

from ...refusal import refusal

QUICK = [proof for proof in PROOFS if proof.quick]
LONG  = [proof for proof in PROOFS if not proof.quick]


def verdicts(proof):
    """Whether the proof holds, and whether its twin does."""
    return prove(proof).proven, prove(proof, twin=True).proven


@pytest.mark.parametrize("proof", QUICK, ids=lambda proof: proof.name)
def test_quick_proofs(proof):
    assert verdicts(proof) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("proof", LONG, ids=lambda proof: proof.name)
def test_long_proofs(proof):
    assert verdicts(proof) == (True, False)


class Counter(Bench):
    """Four bits that count up."""

    def __init__(self, limit, assumed):
        super().__init__()
        count = Signal(4)
        self.sync += count.eq(count + 1)
        self.asserted.append(count < limit)
        self.assumed.append(assumed)


def counter(limit, kind, depth, assume=1):
    return Proof("counter", "", "", lambda: Counter(limit, assume), kind, depth, (r"\+ 1'd1", "+ 1'd0"))


def test_the_prover_itself():
    """A counter of four bits reaches 12 in cycle 12; by induction nothing is known of it; a twin that stands still is fine."""
    assert prove(counter(12, BOUNDED, 11)).proven
    verdict = prove(counter(12, BOUNDED, 20))
    assert not verdict.proven and verdict.cycle == 12
    assert not prove(counter(12, INDUCTION, 5)).proven and not prove(counter(12, PIPELINE, 5)).proven
    assert prove(counter(12, BOUNDED, 20), twin=True).proven


def test_assumptions_that_exclude_everything_are_seen():
    for kind in (BOUNDED, PIPELINE):
        assert refusal(prove, counter(12, kind, 5, 0)) == "what the proof assumes contradicts itself"


def test_a_twin_that_is_none_is_seen():
    with pytest.raises(ValueError, match="does not occur"):
        prove(replace(counter(12, BOUNDED, 5), twin=("no such text", "")), twin=True)


def test_a_missing_solver_is_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bitwuzla", None)
    with pytest.raises(LiteFormerError, match=r"pip install '\.\[formal\]'"):
        prove(counter(12, BOUNDED, 5))


def compiled_of(seed):
    rng = np.random.default_rng(seed)
    window = int(rng.integers(1, 9))
    heads = int(rng.integers(1, 4))
    model = random_model(rng, window=window, features=int(rng.integers(1, 4)), d_model=heads * int(rng.integers(1, 5)),
                         heads=heads, bits=int(rng.integers(2, 9)), layers=int(rng.integers(1, 3)),
                         readout=str(rng.choice(["mean", "last"])))
    return compile_model(model, HardwareOptions(loadable=bool(rng.integers(2))))


@pytest.mark.parametrize("seed", range(12))
def test_compiled_programs_keep_to_what_the_sequencer_s_proof_assumes(seed):
    compiled = compiled_of(seed)
    fields, program = compute_fields(compiled.hw), compiled.images["compute"][:len(compiled.steps)]
    assert keeps_to(fields, program) and stays_inside(compiled.hw, program)
    # Negative controls: a program without an end, one that ends early, an instruction of one cycle.
    assert not keeps_to(fields, program[:-1])
    assert not keeps_to(fields, [program[-1], *program])
    assert not keeps_to(fields, [encode(fields, {"end": 0}), *program])
    for memory in ("row_depth", "key_depth", "value_depth"):
        assert not stays_inside(replace(compiled.hw, **{memory: 0}), program)


def ready_tiles(compiled):
    """Cycle in which each tile becomes ready, from the start of the program."""
    hw = compiled.hw
    return [START_CYCLES + step.timing["start"] + tile * step.interval(hw) + step.k * step.passes - 1 + hw.issue_to_drain - 1
            for step in compiled.steps for tile in range(step.tiles(hw))]


@pytest.mark.parametrize("seed", range(12))
def test_compiled_programs_keep_to_what_the_drain_s_proof_assumes(seed):
    """Addresses inside their memories, tiles ready in time, and what is drained are the channels of every step."""
    compiled = compiled_of(seed)
    hw, program = compiled.hw, compiled.images["drain"][:len(compiled.steps)]
    ready = ready_tiles(compiled)
    assert drain.keeps_to(hw, program) and drain.ready_in_time(hw, program, ready)
    for step, word in zip(compiled.steps, program):
        tiles = drain.walk(hw, decode(drain_fields(hw), word))
        assert [len(tile) for tile in tiles] == [step.column_cycles(hw) * (
            step.last_columns(hw) if tile == step.tiles(hw) - 1 else step.tile_columns(hw)) for tile in range(step.tiles(hw))]
    # Negative controls: no end, an early one, addresses behind the end, a tile too early, one too many, one missing.
    fields = drain_fields(hw)
    assert not drain.keeps_to(hw, program[:-1]) and not drain.keeps_to(hw, [program[-1], *program])
    parameter = sum(bits for name, bits in fields[:[name for name, _ in fields].index("parameter")])
    far = [word | (1 << dict(fields)["parameter"]) - 1 << parameter for word in program]
    assert not drain.keeps_to(hw, far)
    busy = next(n for n, tile in enumerate(ready[1:]) if tile - ready[n] > 1)
    assert not drain.ready_in_time(hw, program, [*ready[:busy + 1], ready[busy], *ready[busy + 2:]])
    assert not drain.ready_in_time(hw, program, [*ready, ready[-1] + 999])
    assert not drain.ready_in_time(hw, program, ready[:-1])
    assert not drain.ready_in_time(hw, program, [1, *ready[1:]])


def test_every_proof_names_its_module():
    from ...docs.test_testplan import gateware_modules
    for proof in PROOFS:
        assert proof.says and proof.module in gateware_modules() | {"core"}
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
