# SPDX-License-Identifier: BSD-2-Clause
"""Flipped bits in the memories of a simulated SoC: all of a loadable build's are noticed at boot, most of a fixed build's."""

import json
import re

import pytest
import typer
from litex.gen.fhdl import verilog
from migen import Cat, ClockDomain, Module, Signal

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.delay import DelayLine
from liteformer.accel.gateware.softmax.weights import SCORE_TO_WEIGHT, WeightLookup
from liteformer.accel.numerics import SCORE_BITS
from liteformer.flow.verify import faults
from liteformer.flow.verify.mutated_core import yosys


@pytest.mark.slow
def test_flips_are_noticed(tmp_path, capsys):
    with pytest.raises(typer.Exit) as ended:
        faults.main(seed=3, loadable=40, fixed=40, out=tmp_path / "faults.json")
    assert ended.value.exit_code == 0 and "loadable: 40 of 40 flips noticed; seed 3" in capsys.readouterr().out
    found = json.loads((tmp_path / "faults.json").read_text())
    fixed = found["fixed"]
    assert len(found["loadable"]["memories"]) == 9 and 20 < fixed["noticed"] < 40
    assert fixed["others"]["windows"] == faults.OTHERS
    assert sum(fixed["others"]["told apart"].values()) <= 40 - fixed["noticed"]
    for name in ("loadable", "fixed"):
        table = found[name]["table"]
        assert table["flips"] == 7 * 64 and table["noticed"] + table["told apart"] > 0.8 * table["flips"]


@pytest.mark.slow
def test_other_windows_tell_flips_apart():
    """One in a weight's sign, one in an offset's."""
    compiled = faults.build(False)
    flips = [("stream0", 0, 3), ("offset", 0, 11)]
    assert faults.told_apart(compiled, flips, 1)["told apart"] == {"stream0": 1, "offset": 1}
    # Negative control: an undamaged core answers all windows.
    assert faults.told_apart(compiled, [None], 1) == {"windows": faults.OTHERS, "told apart": {}}


def test_flips_in_every_memory_of_a_loadable_build():
    """Each is noticed, another boot without it passes; an image that does not change what is loaded is not."""
    with faults.DamagedSoC(faults.build(True), level=0) as soc:
        for flip in faults.draw(soc.places, len(soc.places), 1):
            assert soc.boot(flip) == faults.BAD_MEMORIES, flip
        assert soc.boot() == faults.PASSED
        name, (path, first, *_) = next(item for item in soc.places.items() if item[1][1])
        # Negative control: what is below the first word is scratch.
        assert soc.boot((name, first - 1, 0)) == faults.PASSED


def test_bits_are_drawn_once_and_from_every_memory():
    places = {"a": (None, 2, 5, 3), "b": (None, 0, 4, 8)}
    everything = faults.draw(places, 1000, 1)
    assert len(everything) == len(set(everything)) == 41 and {word for name, word, _ in everything if name == "a"} == {2, 3, 4}
    assert {name for name, *_ in faults.draw(places, 2, 1)} == {"a", "b"} and faults.draw(places, 9, 1) == everything[:9]


def test_an_undamaged_build_that_fails_is_said(monkeypatch):
    monkeypatch.setattr(faults.DamagedSoC, "boot", lambda soc, flip=None: faults.WRONG_ANSWER)
    with pytest.raises(LiteFormerError, match="the check is wrong"):
        faults.examine(faults.build(True), 1, 1)


class Lookup(Module):
    """The softmax's lookup of a build with another table, ports all."""

    def __init__(self, hw, table):
        self.clock_domains.cd_sys = ClockDomain()
        score, maximum = ([Signal((SCORE_BITS, True), name_override=f"{name}{p}") for p in range(hw.requantizers)]
                          for name in ("score", "maximum"))
        now = {"valid": Signal(), "group": Signal(max=max(hw.groups, 2)), "key": Signal(max=max(hw.tokens, 2))}
        self.submodules.line = line = DelayLine(now, SCORE_TO_WEIGHT)
        self.submodules.lookup = lookup = WeightLookup(hw, table, score, maximum,
                                                       [line.after(cycles) for cycles in range(SCORE_TO_WEIGHT + 1)])
        out = Signal(sum(map(len, [*lookup.weight, *lookup.totals])), name_override="out")
        self.comb += out.eq(Cat(*lookup.weight, *lookup.totals))
        self.ports = {*score, *maximum, *now.values(), lookup.total_group, out, self.cd_sys.clk, self.cd_sys.rst}


# Blocks of which Yosys makes ROMs; of ECP5 and iCE40 it also does so where the table is sixteen times as long.
@pytest.mark.parametrize(("synthesis", "block", "long"), [
    ("synth_ecp5", "DP16KD", True), pytest.param("synth_ice40 -device u", "SB_RAM40_4K", True, marks=pytest.mark.slow),
    pytest.param("synth_xilinx -flatten", r"RAMB\w+", False, marks=pytest.mark.slow),
    pytest.param("synth_gowin -family gw2a", r"p?(ROM|SP|SDPB?|DPB?)(X9B?)?", False, marks=pytest.mark.slow)])
def test_the_softmax_s_table_is_logic(tmp_path, synthesis, block, long):
    """No family makes a block RAM of it, which no loader would read back."""
    compiled, found = faults.build(True), []
    tables = [compiled.images["table"], [(n * n * 40503 + 12345) % 120 for n in range(1 << SCORE_BITS)]][:1 + long]
    for table in tables:
        top = Lookup(compiled.hw, [max(table), *table[1:]])
        verilog.convert(top, ios=top.ports, name="lookup").write(str(tmp_path / "lookup.v"))
        yosys(f"read_verilog lookup.v; {synthesis} -top lookup; tee -o cells.txt stat", tmp_path)
        found.append(re.search(rf"\s{block}\b", (tmp_path / "cells.txt").read_text()) is not None)
    assert found == [False, True][:len(tables)]
