# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of the core: the core itself passes all checks, mutants fail them, and the figures add up."""

import json

import pytest

from liteformer.flow.verify import mutants


@pytest.mark.slow
def test_mutants_of_a_small_core(tmp_path, monkeypatch):
    """Nine of ten mutants fail a check; a second call takes what is stored."""
    monkeypatch.setattr(mutants, "LONG_ROWS", 200)
    found = mutants.examine(0, 20, 3, tmp_path)
    assert len(found) == 20 and sum(one["killed"] is not None for one in found) >= 12
    stored, = tmp_path.glob("*.json")
    assert json.loads(stored.read_text()) == found == mutants.examine(0, 20, 3, tmp_path)


def test_the_summary_adds_up():
    one = {"core": 0, "mutant": 1, "mode": "inv", "place": "x <= y", "command": "", "killed": "outputs", "by": "quick"}
    found = mutants.summary(5, [one] * 8 + [one | {"by": "long"}] * 2 + [one | {"killed": None, "by": None,
                                                                                "place": "assign address = 0;"}])
    assert (found["killed"], found["missed"], found["not told apart"], found["share"]) == (8, 2, 1, 0.8)
    assert found["killed by"] == {"outputs": 8} and "address" in found["survivors"][0]["why"]


def test_every_core_has_something_of_its_own():
    builds = [mutants.build(number) for number in range(len(mutants.CORES))]
    assert {built.hw.loadable for built in builds} == {built.hw.pool for built in builds} == {True, False}
    assert {built.hw.patch > 1 for built in builds} == {built.hw.dsp_lanes > 0 for built in builds} == {True, False}
    assert all(built.cycles < 1000 for built in builds)
