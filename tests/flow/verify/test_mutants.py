# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of the core: the core itself passes all checks, mutants fail them, and the figures add up."""

import json

import pytest

from liteformer.flow.verify import mutants
from liteformer.flow.verify.mutated_core import usable
from liteformer.soc.core_simulation import CoreSimulation


@pytest.mark.slow
def test_mutants_of_a_small_core(tmp_path, monkeypatch):
    """Nine of ten mutants fail a check; a second call takes what is stored."""
    monkeypatch.setattr(mutants, "LONG_ROWS", 200)
    found = mutants.examine(0, 20, 3, tmp_path)
    assert len(found) == 20 and sum(one["killed"] is not None for one in found) >= 12
    assert all(("equal" in one) == (one["killed"] is None) for one in found)
    stored, = tmp_path.glob("*.json")
    assert json.loads(stored.read_text()) == found == mutants.examine(0, 20, 3, tmp_path)


def test_the_summary_adds_up():
    one = {"core": 0, "mutant": 1, "mode": "inv", "place": "x <= y", "command": "", "killed": "outputs", "by": "quick"}
    found = mutants.summary(5, [one] * 8 + [one | {"by": "long"}] * 2 + [
        one | {"killed": None, "by": None, "equal": True, "place": "assign address = 0;"}])
    assert (found["killed"], found["missed"], found["share"]) == (8, 2, 0.8)
    assert (found["not told apart"], found["proven equal"]) == (1, 1)
    assert found["killed by"] == {"outputs": 8} and "address" in found["survivors"][0]["why"]


def test_ports_that_yosys_adds_are_left_alone():
    """Their constants are a rule of Yosys' memories; what is left is numbered without gaps."""
    listed = ["# comment", "mutate -ctrl mutant 10 1 -mode inv -cell a -port Q -portbit 0",
              "mutate -ctrl mutant 10 2 -mode inv -cell rates -port RD_ARST -portbit 0",
              "mutate -ctrl mutant 10 3 -mode const0 -cell memory -port RD_DATA -portbit 23",
              "mutate -ctrl mutant 10 4 -mode inv -cell b -port A -portbit 0"]
    assert usable(listed, 2) == [listed[1], listed[3].replace("10 3", "10 2")]
    assert len(usable(listed, 9)) == 3


@pytest.mark.slow
def test_a_reset_that_is_lost_is_seen(monkeypatch):
    """A core passes every check; one whose reset does nothing fails the check of the reset."""
    compiled = mutants.build(0)
    checks = mutants.Checks(compiled, 40, 1)
    with CoreSimulation(compiled, level=0) as core:
        registers = checks.registers(core)
        core.restart()
        assert checks.failure(core, registers) is None
        monkeypatch.setattr(core, "cut", lambda transfers, cycles: core.access(transfers))
        core.restart()
        assert checks.failure(core, registers) == "reset"


def test_every_core_has_something_of_its_own():
    builds = [mutants.build(number) for number in range(len(mutants.CORES))]
    assert {built.hw.loadable for built in builds} == {built.hw.pool for built in builds} == {True, False}
    assert {built.hw.patch > 1 for built in builds} == {built.hw.dsp_lanes > 0 for built in builds} == {True, False}
    assert all(built.cycles < 1000 for built in builds)
