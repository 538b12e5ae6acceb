# SPDX-License-Identifier: BSD-2-Clause
"""Area: counting primitives, reading Yosys' statistics, synthesising a small design."""

import json
from pathlib import Path

import pytest
from litex.gen import LiteXModule
from litex.gen.fhdl import verilog
from migen import Cat, ClockDomain, Signal

from liteformer.accel.devices import DEVICES, DSP48E1, SERIES_7, device
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.pumped import DspLaneQuad, Halves, PumpedFlags, RowPair
from liteformer.flow.measure import area, timing

from ... import names

# A VexRiscv minimal SoC with 4 KB ROM, 2 KB RAM, UART and timer, as `stat -json` of Yosys 0.70 printed it.
STAT = Path(__file__).with_name("yosys_stat.json").read_text()


def test_stored_statistics():
    cells = area.parse_stat(STAT)
    assert "$scopeinfo" not in cells and cells["CARRY4"] == 76
    assert area.count(cells) == {"lut": 207 + 213 + 199 + 451 + 246 + 4 * 4, "lutram": 16, "ff": 1257 + 43, "bram36": 2.5,
                                 "dsp": 0}


@pytest.mark.parametrize("cells, expected", [
    ({"LUT1": 1, "LUT6": 2, "INV": 9, "CARRY4": 5, "MUXF7": 3}, {"lut": 3}),
    ({"RAM32M": 1, "RAM64M": 1, "RAM32X1D": 1, "RAM128X1D": 1, "RAM64X1S": 1}, {"lut": 15, "lutram": 15}),
    ({"SRL16E": 3, "SRLC32E": 2}, {"lut": 5, "lutram": 5}),
    ({"RAMB36E1": 2, "RAMB18E1": 3, "DSP48E1": 7}, {"bram36": 3.5, "dsp": 7}),
    ({"FDRE": 1, "FDSE": 2, "FDCE": 3, "FDPE": 4}, {"ff": 10}),
])
def test_primitives(cells, expected):
    assert area.count(cells) == dict.fromkeys(("lut", "lutram", "ff", "bram36", "dsp"), 0) | expected


@pytest.mark.parametrize("text", ["", "{}", '{"design": 3}', "ERROR: no such module"])
def test_no_statistics(text):
    with pytest.raises(LiteFormerError, match="^Yosys wrote no cell statistics"):
        area.parse_stat(text)


def test_unmapped_cells_are_an_error():
    stat = json.loads(STAT)
    stat["design"]["num_cells_by_type"] |= {"$mul": 2, "$mem_v2": 1}
    with pytest.raises(LiteFormerError, match=r"^Yosys left cells unmapped: \$mem_v2, \$mul;"):
        area.parse_stat(json.dumps(stat))


def test_devices():
    """DS180: four LUT6 and eight flip-flops a slice."""
    assert all(entry.ff == 2 * entry.lut and entry.lutram < entry.lut for entry in DEVICES.values() if entry.family is SERIES_7)
    with pytest.raises(LiteFormerError, match="^no device xc7z010; choose one of " + names.DEVICES + "$"):
        device("xc7z010")


VERILOG = """// Date       : {date}
module adder(input clk, input [15:0] a, b, output reg [15:0] sum, output reg [31:0] product);
reg [15:0] x, y;
always @(posedge clk) begin x <= a; y <= b; sum <= a {operator} b; product <= x * y; end
endmodule
"""


def test_synthesis_and_cache(tmp_path, monkeypatch):
    """A small design is synthesised once; another date hits the cache, another operator does not."""
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path / "cache"))
    runs, run = [], area.run_yosys
    monkeypatch.setattr(area, "run_yosys", lambda *arguments: runs.append(1) or run(*arguments))
    outside = tmp_path / "elsewhere" / "adder.v"
    outside.parent.mkdir()
    results, progress = [], []
    for date, operator in (("today", "+"), ("tomorrow", "+"), ("today", "&")):
        directory = tmp_path / f"{date}{len(results)}"
        directory.mkdir()
        outside.write_text(VERILOG.format(date=date, operator=operator))
        result = area.synthesise(directory, [outside], "adder", (), lambda *state: progress.append(state))
        results.append((result["area"], len(runs)))
        # A 16-bit adder is a LUT and four carry cells, the other operator a LUT.
        assert (1, 4 if operator == "+" else 0) in {(path["levels"], path["carries"]) for path in result["paths"]}
    assert [count for _, count in results] == [1, 1, 2]
    assert results[0][0] == results[1][0]
    assert results[0][0]["dsp"] == 1 and results[0][0]["lut"] == 16 and results[0][0]["ff"] == 16
    # The lowest bit's LUT is also the sum, so another one leads it into the chain; x and y are registers of the DSP block.
    assert {name: results[0][0][name] for name in ("lut_sites", "control_sets", "slices")} == {
        "lut_sites": 17, "control_sets": 1, "slices": 5}
    assert results[2][0]["lut_sites"] == results[2][0]["lut"] == 16
    assert progress[0][0] == 1 and progress[0][1] == area.PASSES and len(progress) > 100


class PumpedLanes(LiteXModule):
    """Four lanes with their flags and operands, ports all."""

    def __init__(self, acc_bits):
        self.cd_sys, self.cd_sys2x = (ClockDomain(name, reset_less=True) for name in ("sys", "sys2x"))
        flags  = [Signal(name_override=f"flag{index}") for index in range(3)]
        rows   = [Signal((8, True), name_override=f"row{index}") for index in range(2)]
        packed = Signal((DSP48E1.wide, True), name_override="packed")
        self.halves = Halves()
        self.flags  = flags_here = PumpedFlags(self, *flags, self.halves)
        # Operands come from registers, as in the array.
        held = [kept_copy(self, signal) for signal in (*rows, packed)]
        self.both = both = RowPair(held[:2], flags_here.second)
        self.lane = lane = DspLaneQuad(both.row, held[2], 8, flags_here, acc_bits, DSP48E1)
        sums = [total for row in lane.sums for total in row] + [fix for fix in lane.fixes if fix is not None]
        self.out = Signal(sum(map(len, sums)), name_override="out")
        self.comb += self.out.eq(Cat(*sums))
        for domain in (self.cd_sys, self.cd_sys2x):
            domain.clk.name_override = f"{domain.name}_clk"
        self.ports = {*flags, *rows, packed, self.out, self.cd_sys.clk, self.cd_sys2x.clk}


@pytest.mark.parametrize(("acc_bits", "most_luts", "most_ns"), [(16, 20, 3.0),
                                                                pytest.param(22, 60, 4.5, marks=pytest.mark.slow)])
def test_four_lanes_are_one_dsp_block(tmp_path, monkeypatch, acc_bits, most_luts, most_ns):
    """All registers of operands, product and sum are inside; what is outside is the operands' multiplexer and the counters."""
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path / "cache"))
    top = PumpedLanes(acc_bits)
    verilog.convert(top, ios=top.ports, name="quad").write(str(tmp_path / "quad.v"))
    result = area.synthesise(tmp_path, ["quad.v"], "quad")
    assert result["area"]["dsp"] == 1 and 8 < result["area"]["lut"] <= most_luts
    # The row operand and the sum that is held; the other row's sum is in the block if it starts at 0.
    pumped = sum(block.get("ff_pumped", 0) for block in result["blocks"].values())
    assert 16 + acc_bits < pumped < result["area"]["ff"]
    slowest = max(path["ns"] for path in result["paths"] if path["block"] == timing.PUMPED_BLOCK)
    # From an operand without a register of the block through its multiplier: 4.2 ns and more.
    assert 1 < slowest < most_ns


def test_rejected_design(tmp_path, monkeypatch):
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.v").write_text("module broken(input a; endmodule")
    with pytest.raises(LiteFormerError, match="^Yosys could not synthesise the design \\(.*ERROR: .*see .*yosys.log$"):
        area.synthesise(tmp_path, ["broken.v"], "broken")
    assert "broken.v" in (tmp_path / "cache" / "area" / "yosys.log").read_text()
    assert not list((tmp_path / "cache" / "area").glob("*.json"))


def install(folder, monkeypatch, version):
    """A program `yosys` on PATH that says which version it is."""
    program = folder / "yosys"
    program.write_text(f"#!/bin/sh\necho 'Yosys {version} (git sha1 1234567)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return str(program)


def test_a_native_yosys_of_the_same_version_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(area.importlib.metadata, "version", lambda name: "0.70.0.0.post1259")
    program = install(tmp_path, monkeypatch, "0.70")
    assert area.yosys_command() == [program]


@pytest.mark.parametrize("version", ["0.23", "0.7", "0.70+12", "0.701", "0.70.1"])
def test_another_native_yosys_is_left_alone(tmp_path, monkeypatch, version):
    """It would count other areas."""
    monkeypatch.setattr(area.importlib.metadata, "version", lambda name: "0.70.0.0.post1259")
    install(tmp_path, monkeypatch, version)
    assert area.RUN_YOSYS in area.yosys_command()
