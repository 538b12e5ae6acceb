# SPDX-License-Identifier: BSD-2-Clause
"""Longest paths: counted by hand in small netlists, and attributed to the block they end in."""

import pytest

from liteformer.flow.measure import timing

OUTPUTS = {"Q", "O", "CO", "P", "DOADO"}


class Netlist:
    """Writes a module as Yosys' ``write_json`` does; a bit is a number, a register's output bears its name."""

    def __init__(self):
        self.cells, self.nets, self.bits = {}, {}, 1

    def cell(self, kind, parameters=None, outputs=1, **inputs):
        """Add a cell; returns its output bits (one bit alone)."""
        port = {"FDRE": "Q", "DSP48E1": "P", "RAMB18E1": "DOADO"}.get(kind, "O")
        bits = [self.bits + 1 + n for n in range(outputs)]
        self.bits += outputs
        connections = {name: value if isinstance(value, list) else [value] for name, value in inputs.items()} | {port: bits}
        directions = {name: "output" if name in OUTPUTS else "input" for name in connections}
        self.cells[f"${len(self.cells)}"] = {"type": kind, "parameters": parameters or {}, "connections": connections,
                                             "port_directions": directions}
        return bits if outputs > 1 else bits[0]

    def register(self, name, bit="0"):
        out = self.cell("FDRE", D=bit, CE="1", R="0")
        self.nets[name] = {"bits": [out], "hide_name": 0}
        return out

    def paths(self):
        found = timing.longest_paths({"modules": {"top": {"cells": self.cells, "netnames": self.nets}}}, "top")
        return {path.block: path for path in found}


def array_path(levels):
    """A path through this many LUTs from the CPU to the array."""
    netlist = Netlist()
    bit = first = netlist.register("VexRiscv_source")
    for _ in range(levels):
        bit = netlist.cell("LUT6", I0=bit, I1="1")
    netlist.register("liteformercore_engine_matrixarray_sum", bit)
    # A shorter way to the same register does not count.
    netlist.register("liteformercore_engine_matrixarray_other", first)
    return netlist.paths()["array"]


def test_levels():
    """Also the negative control: a level more is seen."""
    five, six = array_path(5), array_path(6)
    assert (five.levels, five.start, five.end) == (5, "VexRiscv_source", "liteformercore_engine_matrixarray_sum")
    assert six.levels == 6 and six.ns == pytest.approx(five.ns + timing.NET + timing.LUT, abs=0.011)


def test_fanout_costs():
    netlist = Netlist()
    source = netlist.register("VexRiscv_source")
    for index in range(8):
        netlist.register(f"liteformercore_engine_window_{index}", netlist.cell("LUT1", I0=source))
    assert netlist.paths()["window"].ns == pytest.approx(0.52 + timing.NET + 3 * timing.FANOUT + timing.LUT + 0.1)


def test_carry_chain():
    """Two cells of a chain behind a LUT: the LUT is next to the first, no net between."""
    netlist = Netlist()
    source = netlist.register("VexRiscv_source")
    lut = netlist.cell("LUT2", I0=source)
    low = netlist.cell("CARRY4", S=[lut, "0", "0", "0"], DI=["0"] * 4, CI="0", CYINIT="0")
    # The cell's carry output, not its sum, goes on.
    netlist.cells["$2"]["connections"]["CO"] = ["0", "0", "0", 99]
    netlist.cells["$2"]["port_directions"]["CO"] = "output"
    assert low != 99
    high = netlist.cell("CARRY4", S=["0"] * 4, DI=["0"] * 4, CI=99, CYINIT="0")
    netlist.register("liteformercore_engine_softmax_sum", high)
    path = netlist.paths()["softmax"]
    assert (path.levels, path.carries) == (1, 2)
    assert path.ns == pytest.approx(0.52 + timing.NET + timing.LUT + timing.CARRY_IN + timing.CARRY_THROUGH + timing.CARRY_OUT
                                    + 0.1, abs=0.006)


@pytest.mark.parametrize("parameters, ns", [
    ({"MREG": "1", "PREG": "1"}, timing.DSP_MULTIPLY), ({"PREG": "0001"}, timing.DSP_MULTIPLY_ADD),
    ({"AREG": "1", "MREG": "1", "PREG": "1"}, timing.DSP_INPUT),
])
def test_into_a_dsp_block(parameters, ns):
    netlist = Netlist()
    netlist.nets["liteformercore_engine_drain_product"] = {"bits": [netlist.cell(
        "DSP48E1", parameters, A=netlist.register("VexRiscv_source"), B="0", C="0")], "hide_name": 0}
    path = netlist.paths()["drain"]
    assert (path.levels, path.end) == (0, "liteformercore_engine_drain_product")
    assert path.ns == pytest.approx(0.52 + timing.NET + ns)


def test_through_a_dsp_block():
    """Without any register the multiplier is part of the path; with input registers only, the path begins there."""
    for parameters, begin in (({}, 0.52 + timing.NET), ({"AREG": "1", "BREG": "1"}, 0.0)):
        netlist = Netlist()
        product = netlist.cell("DSP48E1", parameters, A=netlist.register("VexRiscv_source"), B="0", C="0", D="0")
        netlist.register("liteformercore_engine_drain_x", product)
        assert netlist.paths()["drain"].ns == pytest.approx(begin + timing.DSP_MULTIPLY_ADD + timing.NET + 0.1)


def test_block_ram_without_output_register():
    netlist = Netlist()
    word = netlist.cell("RAMB18E1", ADDRARDADDR=netlist.register("VexRiscv_source"), CLKARDCLK="x")
    netlist.nets["liteformercore_engine_memory"] = {"bits": [word], "hide_name": 0}
    netlist.register("liteformercore_engine_matrixarray_row", netlist.cell("LUT3", I0=word))
    paths = netlist.paths()
    assert paths["array"].ns == pytest.approx(2.45 + timing.NET + timing.LUT + 0.1)
    assert paths["core"].end == "liteformercore_engine_memory"


@pytest.mark.parametrize("name, block", [
    ("VexRiscv.dBus_ADR", "CPU"), ("__main___uart_tx", timing.OTHER),
    ("liteformercore_engine_drain_requantizer0_x", "requantizers"),
    ("liteformercore_engine_drainsequencer_x", "drain sequencer"), ("liteformercore_engine_drain_register1", "drain"),
    ("__main___liteformercore_state", "core"), ("soc_synthesis_uart_storage", timing.OTHER), ("memory_1.0.0", "core"),
    ("liteformercore_engine_drain_unit_x", "requantizers"), ("liteformercore_engine_window_x", "window"),
])
def test_blocks(name, block):
    assert timing.block_of(name) == block


@pytest.mark.parametrize("second", [True, False])
def test_pumped_paths(second):
    """Into and out of registers of the second clock; none without it, and none between the others."""
    netlist = Netlist()
    port, buffered = 1000, netlist.cell("BUFG", I=1000)
    slow = netlist.register("VexRiscv_source")
    for _ in range(3):
        slow = netlist.cell("LUT6", I0=slow, I1="1")
    fast = netlist.register("liteformercore_engine_matrixarray_p", netlist.cell("LUT1", I0=slow))
    bit = netlist.cell("LUT2", I0=netlist.cell("LUT1", I0=fast), I1=slow)
    netlist.register("liteformercore_engine_matrixarray_drain", bit)
    register = next(cell for cell in netlist.cells.values() if cell["connections"].get("Q") == [fast])
    register["connections"]["C"] = [buffered if second else 7]
    ports = {"sys2x_clk": {"bits": [port]}} if second else {}
    module = {"cells": netlist.cells, "netnames": netlist.nets, "ports": ports}
    found = timing.longest_paths({"modules": {"top": module}}, "top")
    blocks = {path.block: (path.levels, path.start, path.end) for path in found}
    into = (4, "VexRiscv_source", "liteformercore_engine_matrixarray_p")
    assert blocks.pop("array") == (into[:2] + ("liteformercore_engine_matrixarray_drain",) if second else into)
    if second:
        # The slowest way out of it is shorter: two LUTs.
        assert blocks.pop(timing.PUMPED_BLOCK) == into
        del register["connections"]["D"]
        out = {path.block: path for path in timing.longest_paths({"modules": {"top": module}}, "top")}[timing.PUMPED_BLOCK]
        assert (out.levels, out.start) == (2, "liteformercore_engine_matrixarray_p")
    assert set(blocks) <= {"CPU"}
