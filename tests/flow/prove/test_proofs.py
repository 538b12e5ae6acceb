# SPDX-License-Identifier: BSD-2-Clause
"""The proofs: quick ones here, all by `make prove`; what the sequencer's proof assumes holds for compiled programs."""

from dataclasses import replace

import numpy as np
import pytest
from migen import Signal

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import compute_fields, encode
from liteformer.accel.random_model import random_model
from liteformer.flow.prove.control import keeps_to
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


@pytest.mark.parametrize("seed", range(12))
def test_compiled_programs_keep_to_what_the_sequencer_s_proof_assumes(seed):
    rng = np.random.default_rng(seed)
    window = int(rng.integers(1, 9))
    heads = int(rng.integers(1, 4))
    model = random_model(rng, window=window, features=int(rng.integers(1, 4)), d_model=heads * int(rng.integers(1, 5)),
                         heads=heads, bits=int(rng.integers(2, 9)), layers=int(rng.integers(1, 3)),
                         readout=str(rng.choice(["mean", "last"])))
    compiled = compile_model(model, HardwareOptions(loadable=bool(rng.integers(2))))
    fields, program = compute_fields(compiled.hw), compiled.images["compute"][:len(compiled.steps)]
    assert keeps_to(fields, program)
    # Negative controls: a program without an end, one that ends early, an instruction of one cycle.
    assert not keeps_to(fields, program[:-1])
    assert not keeps_to(fields, [program[-1], *program])
    assert not keeps_to(fields, [encode(fields, {"end": 0}), *program])


def test_every_proof_names_its_module():
    from ...docs.imports import ROOT
    for proof in PROOFS:
        assert proof.says and ((ROOT / "accel" / "gateware" / f"{proof.module}.py").exists() or proof.module == "core")
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
