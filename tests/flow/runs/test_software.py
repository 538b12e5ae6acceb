# SPDX-License-Identifier: BSD-2-Clause
"""The exported C on the simulated SoC's CPU: equal to the golden model, and slower than the core."""

import json

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import random_windows
from liteformer.flow.measure import hardware
from liteformer.flow.runs import software
from liteformer.flow.runs.software import compare, run_on, run_software

from ...refusal import refusal


@pytest.fixture
def small():
    """Model, compiled model, windows."""
    model = random_model(np.random.default_rng(1), window=2, features=1, d_model=2, bits=4, ffn=2)
    return model, hardware.compile_model(model), random_windows(model, 2, 1)


def test_it_equals_the_golden_model(small):
    model, compiled, raw = small
    found = run_on(model, compiled, raw, "vexriscv", "minimal")
    assert found["mismatches"] == 0 and not found["multiplier"] and found["ram_bytes"] < 64
    assert found["cycles"] > 10 * compiled.cycles
    faster, = compare([found], 2 * compiled.cycles)
    assert faster["times_faster"] == round(found["cycles"] / (2 * compiled.cycles), 1)


def test_a_wrong_table_is_seen(small, monkeypatch):
    """Negative control: another multiplier of the head."""
    model, compiled, raw = small
    source = software.c_source(model, software.NAME)
    number = int(model["head.multiplier"][0])
    assert f"head_multiplier[] = {{\n\t{number}," in source
    wrong = source.replace(f"head_multiplier[] = {{\n\t{number},", f"head_multiplier[] = {{\n\t{number // 2},")
    monkeypatch.setattr(software, "c_source", lambda *_: wrong)
    assert run_on(model, compiled, raw, "vexriscv", "minimal")["mismatches"] > 0


def test_no_answer(small, monkeypatch):
    monkeypatch.setattr(software, "MOST", 1)
    monkeypatch.setattr(software, "LEAST_LIMIT", 100)
    limit = small[0].config.macs + 100
    assert refusal(run_on, *small, "vexriscv", "minimal") == (
        f"vexriscv minimal did not compute the model in {limit} clock cycles; leave --software out")


@pytest.mark.slow
def test_bench_with_multiplier_and_without(run):
    code, out, _ = run("bench", "--no-area", "--software", "--windows", 2, "--window", 4, "--d-model", 8, "--json")
    result = json.loads(out)
    plain, fast = result["software"]
    assert code == 0 and (plain["variant"], plain["multiplier"], fast["variant"], fast["multiplier"]) == (
        "minimal", False, "standard", True)
    assert plain["mismatches"] == fast["mismatches"] == 0
    assert 10 < fast["times_faster"] < plain["times_faster"] == round(
        plain["cycles"] / result["cycles"]["end_to_end"], 1)


@pytest.mark.slow
def test_serv(small):
    found, = run_software(*small, "serv")
    assert found["mismatches"] == 0 and found["variant"] is None and not found["multiplier"]


def test_not_for_the_grid(run):
    assert run("bench", "--grid", "paper", "--software")[2] == "error: --software measures one shape; leave --grid out\n"

