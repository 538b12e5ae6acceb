# SPDX-License-Identifier: BSD-2-Clause
"""The energy estimate: its parts by hand, toggle rates of a waveform, blocks of a netlist, the check in the docs."""

from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel.devices import DEVICES, SERIES_7
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.markdown import fill
from liteformer.flow.measure import blocks, energy, published
from liteformer.flow.measure.activity import Activity, block_rates, busy_time, signal_block
from liteformer.flow.measure.energy_coefficients import DEFAULT_TOGGLE, PICOJOULES, STATIC_MW, Range, static_power
from liteformer.flow.measure.saif import saif_text
from liteformer.flow.measure.waveform import read_vcd
from liteformer.flow.publish import energy_check

AREA = {"lut": 100, "lutram": 0, "ff": 50, "bram36": 2, "dsp": 4}


# Coefficients and sum -----------------------------------------------------------------------------

def test_coefficients_by_hand():
    """Block RAM: 249 mW / 98.5 / 125 MHz = 20.2 pJ, 127 / 96 / 100 = 13.2, 6 / 6.5 / 100 = 9.2, 2 / 38 / 50 = 1.05."""
    assert PICOJOULES["bram36"].typical == pytest.approx((13.229 + 9.231) / 2, rel=1e-3)
    assert all(value.low < value.typical < value.high for value in (*PICOJOULES.values(), *STATIC_MW.values()))


def test_every_device_has_static_power():
    # Other families have no energy figure, which is refused with the reason.
    assert set(STATIC_MW) == {name for name, entry in DEVICES.items() if entry.family is SERIES_7}
    with pytest.raises(LiteFormerError, match="^no static power known for xc7z010; choose one of xc7s15, "):
        static_power("xc7z010")


def test_dynamic_power_by_hand():
    """count x clock x toggle rate x coefficient: at 200 MHz and 0.25 changes per cycle."""
    power = energy.dynamic_power(AREA, 0.25, 200)
    by_hand = {"clock": 50, "logic": 100 * 0.25, "signal": 150 * 0.25, "bram36": 2, "dsp": 4 * 0.25 / DEFAULT_TOGGLE}
    assert {name: value.typical for name, value in power.items()} == pytest.approx(
        {name: number * 200e6 * PICOJOULES[name].typical * 1e-12 * 1e3 for name, number in by_hand.items()})


def test_what_power_depends_on():
    """Twice the clock is twice the dynamic power and the same static power; at rest the clock tree and the memories remain."""
    slow, fast = (energy.estimate_power({"a": AREA}, {"a": 0.1}, "xc7s15", mhz) for mhz in (50, 100))
    assert fast.total.typical - 20 == pytest.approx(2 * (slow.total.typical - 20)) and fast.static == slow.static
    rest = energy.estimate_power({"a": AREA}, {"a": 0.0}, "xc7s15", 100).resources
    assert {name for name, value in rest.items() if value.high} == {"clock", "bram36"}
    parts = energy.estimate_power({"a": AREA, "b": AREA}, {"a": 0.1, "b": 0.3}, "xc7s15", 100)
    assert parts.blocks["b"].typical > parts.blocks["a"].typical
    assert parts.total.high == pytest.approx(35 + sum(value.high for value in parts.resources.values()))


def test_energy_and_duty_cycle():
    """100 mW for 10 us are 1 uJ. At the crossover both ways take the same; below it waiting takes less, above it more."""
    assert energy.energy(Range(50, 100, 200), 10) == Range(0.5, 1.0, 2.0)
    one, idle = Range(1.0, 1.0, 1.0), Range(20.0, 24.0, 30.0)
    crossover = energy.duty_cycle(one, idle, 12, 1).crossover
    assert crossover == 0.5
    for factor, sign in ((0.5, -1), (1, 0), (2, 1)):
        day = energy.duty_cycle(one, idle, 12, crossover * factor)
        difference = day.waiting.typical - day.switched.typical
        assert np.sign(round(difference, 6)) == sign
    assert energy.duty_cycle(one, idle, 12, 1).waiting.typical == pytest.approx(0.024 * 86400 + 0.0864)
    assert energy.mean_power(one, idle, 2).typical == pytest.approx(24_000 + 0.5)


# Check against published figures ------------------------------------------------------------------

def test_check_is_what_the_page_says():
    text = energy_check.PAGE.read_text()
    assert fill(text, "check", energy_check.check_table()) == text


def test_the_assumption_is_said_where_the_table_stands():
    """With the figures that the check would have without it; README.md, which refers to the check, says it too."""
    table, _, said = energy_check.check_table().partition("\n\n")
    said = " ".join(said.split())
    assert "rests on an assumption**: that 1.2 of the 17 layers in the paper's design work at a time" in said
    worst = [row.split("|")[-2].split(", +")[1].rstrip("% ") for row in table.splitlines()[2:]]
    assert f"the estimate is {min(map(int, worst))}% to {max(map(int, worst))}% too high, and 0 of 3 lie in it." in said
    readme = " ".join((energy_check.ROOT / "README.md").read_text().split())
    assert "its error against published figures, which rests on an assumed activity" in readme


def test_published_power_lies_in_the_range():
    """All three points; negative control: with every layer of their design at work, or at another clock, they do not."""
    assert all(published.inside(one) for one in published.PUBLISHED)
    assert not any(published.modelled_power(one, DEFAULT_TOGGLE).total.low <= one.power_mw for one in published.PUBLISHED)
    assert not any(published.inside(replace(one, clock_mhz=10)) for one in published.PUBLISHED)


# Waveforms ----------------------------------------------------------------------------------------

VCD = """$timescale 1ps $end
 $scope module TOP $end
  $scope module soc $end
   $var wire 1 ! sys_clk $end
   $var wire 1 " core_busy $end
   $var wire 1 " core_status $end
   $var wire 4 # core_engine_matrixarray_sum [3:0] $end
   $var wire 8 $ memory[0] [7:0] $end
   $scope module VexRiscv $end
    $var wire 2 % pc [1:0] $end
   $upscope $end
  $upscope $end
 $upscope $end
$enddefinitions $end
#0
0!
0"
b0 #
b11 $
b1 %
#2
1"
b1111 #
#4
b101 #
b10 %
#6
0"
b0 #
#8
"""


@pytest.fixture
def vcd(tmp_path):
    path = tmp_path / "x.vcd"
    path.write_text(VCD)
    return path


def test_vcd(vcd):
    waveforms, end = read_vcd(vcd)
    assert end == 8
    total = next(w for w in waveforms if w.names[0][-1].endswith("sum"))
    assert total.bits.tolist() == [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert total.transitions.tolist() == [2, 2, 2, 2]
    assert total.high(end).tolist() == [4, 2, 4, 2]
    part = total.between(2, 6)
    assert part.times.tolist() == [2, 4] and part.transitions.tolist() == [0, 1, 0, 1]
    assert total.between(3, 4).times.tolist() == [3] and total.between(7, 8).bits.tolist() == [[0, 0, 0, 0]]


def test_truncated_vcd(vcd):
    vcd.write_text(VCD[:80])
    with pytest.raises(LiteFormerError, match="x.vcd is not a complete VCD file; run the simulation again$"):
        read_vcd(vcd)


def test_rates_by_block(vcd):
    """While the core is busy, time 2 to 6, 2 of 4 sum bits and both bits of the pc change, in 2 cycles; a clock and the
    contents of memories do not count."""
    waveforms, end = read_vcd(vcd)
    assert busy_time(waveforms, end) == (2, 6)
    rates = block_rates([w.between(2, 6) for w in waveforms], 2)
    assert rates == {blocks.ARRAY: 2 / 4 / 2, blocks.CPU: 2 / 2 / 2, blocks.CONTROL: 0.0}
    assert [signal_block(w) for w in waveforms] == [None, blocks.CONTROL, blocks.ARRAY, None, blocks.CPU]


def test_never_busy(vcd):
    waveforms, end = read_vcd(vcd)
    with pytest.raises(LiteFormerError, match="^the simulated core was never busy; "):
        busy_time([w for w in waveforms if w.names[0][-1] != "core_busy"], end)


def test_saif_by_hand(vcd):
    """At 100 MHz a time step is 5 ns."""
    waveforms, end = read_vcd(vcd)
    text = saif_text(Activity({}, {}, 1, 4, waveforms, end), 100)
    assert "(DURATION 40000)" in text
    assert r"(core_engine_matrixarray_sum\[1\] (T0 30000) (T1 10000) (TX 0) (TC 2) (IG 0))" in text
    assert r"(pc\[0\] (T0 20000) (T1 20000) (TX 0) (TC 1) (IG 0))" in text
    assert text.index("(INSTANCE soc") < text.index("(INSTANCE VexRiscv") and "INSTANCE TOP" not in text


# Blocks -------------------------------------------------------------------------------------------

def cell(kind, inputs, outputs):
    return {"type": kind, "port_directions": {"I": "input", "O": "output"}, "connections": {"I": inputs, "O": outputs}}


def netlist(register):
    """Two LUTs in a row in front of a register, a block RAM behind it, a LUT of a weight ROM, a LUT that feeds nothing."""
    return {
        "cells": {"$a": cell("LUT2", [1, 2], [3]), "$b": cell("LUT3", [3, 2, 2], [4]), "$c": cell("FDRE", [4], [5]),
                  "memory_3.0.0": cell("RAMB36E1", [5], [6]), "rom.0.0": cell("RAMB18E1", [5], [8]),
                  "liteformer_roms.$d": cell("LUT6", [6], [7]), "$e": cell("LUT1", [8], [9])},
        "netnames": {register: {"bits": [5], "hide_name": 0}, "$hidden": {"bits": [3], "hide_name": 1}}}


def by_block(module):
    return blocks.cells_by_block(module, blocks.owners(module))


def test_cells_count_for_what_they_feed():
    found = by_block(netlist("main_liteformercore_engine_matrixarray_sum"))
    assert found == {blocks.ARRAY: {"LUT2": 1, "LUT3": 1, "FDRE": 1}, blocks.MEMORIES: {"RAMB36E1": 1, "LUT6": 1},
                     blocks.CPU_MEMORY: {"RAMB18E1": 1}, blocks.BUS: {"LUT1": 1}}
    # Negative control: another name of the register moves it and what feeds it, nothing else.
    moved = by_block(netlist("VexRiscv.pc"))
    assert moved[blocks.CPU] == found[blocks.ARRAY] and moved[blocks.MEMORIES] == found[blocks.MEMORIES]


def test_invented_names_name_no_block():
    assert blocks.block_of("builder_sync_slice_proxy12") is None and blocks.block_of("$auto$ff.cc:12") is None
    assert blocks.block_of("soc_timer_value") == blocks.BUS
    assert blocks.block_of("core_engine_softmax_distance") == blocks.SOFTMAX
    assert blocks.block_of("memory_12_adr0") == blocks.MEMORIES and blocks.block_of("memory_mapped") == blocks.BUS
