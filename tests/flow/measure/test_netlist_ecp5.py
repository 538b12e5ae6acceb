# SPDX-License-Identifier: BSD-2-Clause
"""The netlist mapped for an ECP5: a small design against its Verilog, faults in its contents, cells that are not modelled."""


import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.measure import netlist

from .test_netlist import VERILOG, WORDS, stimulus  # noqa: F401
from .verilog import responses, with_another_bit, written


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    """The design as it is written and as it is mapped, and the cells of that."""
    folder = tmp_path_factory.mktemp("bench")
    design = written(folder, VERILOG)
    values = np.random.default_rng(5).integers(0, 1 << 16, 512)
    (folder / "rom.init").write_text("\n".join(f"{value:04x}" for value in values))
    return design, *netlist.mapped(design, "lfe5u-25f")


def test_a_mapped_design_computes_the_same(designs, stimulus):  # noqa: F811
    design, mapped, cells = designs
    assert (cells["DP16KD"], cells["MULT18X18D"]) == (2, 1) and cells["TRELLIS_DPR16X4"] and cells["CCU2C"]
    expected = responses(design, stimulus, WORDS)
    assert all(len(np.unique(column)) > 16 for column in expected.T)
    assert np.array_equal(responses(mapped, stimulus, WORDS), expected)


@pytest.mark.parametrize("cell, parameter", [
    ("DP16KD", "INITVAL_00"), pytest.param("LUT4", "INIT", marks=pytest.mark.slow),
    pytest.param("CCU2C", "INIT0", marks=pytest.mark.slow)])
def test_a_fault_is_seen(designs, stimulus, tmp_path, cell, parameter):  # noqa: F811
    """Negative control: one bit of a parameter is another."""
    design, mapped, _ = designs
    pattern = rf"(?s)(\b{cell} #\((?:(?!\) \\?\S+ +\().)*?\.{parameter}\(\S*?)([0-9a-f])(\))"
    broken = with_another_bit(mapped, pattern, tmp_path)
    assert not np.array_equal(responses(broken, stimulus, WORDS), responses(design, stimulus, WORDS))


def block_ram(clocks=(2, 2), reset="0", **parameters):
    """A cell as Yosys writes it into JSON."""
    usual = {"DATA_WIDTH_A": f"{18:032b}", "REGMODE_A": "NOREG", "CLKAMUX": "CLKA", "INITVAL_3F": "01"}
    return {"type": "DP16KD", "parameters": usual | parameters,
            "connections": {"CLKA": [clocks[0]], "CLKB": [clocks[1]], "RSTA": [reset], "CSB1": ["0"]}}


def test_cells_that_are_modelled():
    netlist.check_ecp5_block_ram("ram", block_ram())
    netlist.check_ecp5_block_ram("ram", block_ram((2, "0"), WRITEMODE_B="READBEFOREWRITE"))
    netlist.check_multiplier("mul", {"type": "MULT18X18D", "parameters": {}})


@pytest.mark.parametrize("cell, words", [
    (block_ram(REGMODE_A="OUTREG"), "REGMODE_A = OUTREG"), (block_ram(CLKAMUX="INV"), "CLKAMUX = INV"),
    (block_ram((2, 3)), "two clocks"), (block_ram(reset=7), "a RSTA in use")])
def test_block_rams_that_are_not(cell, words):
    with pytest.raises(LiteFormerError) as error:
        netlist.check_ecp5_block_ram("ram", cell)
    assert str(error.value) == (f"Yosys made ram a DP16KD with {words}, whose behaviour is not modelled; simulate without "
                                "--netlist")


def test_a_multiplier_with_registers_is_not():
    with pytest.raises(LiteFormerError, match="^Yosys made mul a MULT18X18D with REG_OUTPUT_CLK = CLK0, whose behaviour"):
        netlist.check_multiplier("mul", {"type": "MULT18X18D", "parameters": {"REG_OUTPUT_CLK": "CLK0"}})
