# SPDX-License-Identifier: BSD-2-Clause
"""LUT sites of a mapped netlist: which bits of a carry chain need a LUT that only passes a signal, control sets, slices."""

import copy

import pytest

from liteformer.flow.measure import sites

LUT_DIRECTIONS = {"O": "output"} | {f"I{pin}": "input" for pin in range(6)}


def lut(output, *inputs):
    return {"type": f"LUT{len(inputs)}", "port_directions": LUT_DIRECTIONS,
            "connections": {"O": [output]} | {f"I{pin}": [bit] for pin, bit in enumerate(inputs)}}


def carry(select, data, outputs):
    return {"type": "CARRY4", "port_directions": {"S": "input", "DI": "input", "CI": "input", "CYINIT": "input", "O": "output",
                                                  "CO": "output"},
            "connections": {"S": list(select), "DI": list(data), "CI": ["0"], "CYINIT": ["0"], "O": list(outputs),
                            "CO": [90, 91, 92, 93]}}


def register(output, data, enable=1, reset=2, kind="FDRE", clock=0):
    pin = sites.FLIP_FLOPS[kind]
    return {"type": kind, "port_directions": {"C": "input", "CE": "input", pin: "input", "D": "input", "Q": "output"},
            "connections": {"C": [clock], "CE": [enable], pin: [reset], "D": [data], "Q": [output]}}


def inverter(output, data):
    return {"type": "INV", "port_directions": {"O": "output", "I": "input"}, "connections": {"O": [output], "I": [data]}}


def design(**cells):
    return {"cells": cells}


# A sum of one bit, S = 10, DI = 11, sum 20, registered.
SUM = design(carry=carry((10, "0", "0", "0"), (11, "0", "0", "0"), (20, 21, 22, 23)), lut=lut(10, 11, 12), out=register(30, 20))


@pytest.mark.parametrize("change, wires", [
    ({}, 0),
    ({"lut": register(10, 12)}, 1),                                                # S from a flip-flop
    ({"lut": inverter(10, 11)}, 1),                                                # from an inverter
    ({"other": lut(40, 10, 13), "user": register(41, 40)}, 1),                     # from a LUT that serves elsewhere too
    ({"lut": lut(10, 12, 13, 14, 15)}, 0),                                         # five inputs with DI
    ({"lut": lut(10, 12, 13, 14, 15, 16)}, 1),                                     # six with DI
    ({"lut": lut(10, 11, 12, 13, 14, 15)}, 0),                                     # five, DI is one of them
    ({"out": register(30, 22)}, 2),                                                # two positions below pass a constant
], ids=str)
def test_a_position_of_a_carry_chain(change, wires):
    module = copy.deepcopy(SUM)
    module["cells"] |= change
    found = sites.cell_sites(module)
    luts = sum(cell["type"].startswith("LUT") for cell in module["cells"].values())
    assert found["carry"] == wires and found.total() == luts + wires


def test_a_constant_needs_no_room_for_the_data():
    module = copy.deepcopy(SUM)
    module["cells"] |= {"lut": lut(10, 11, 12, 13, 14, 15, 16), "carry": carry((10, "0", "0", "0"), "0000", (20, 21, 22, 23))}
    assert sites.cell_sites(module)["carry"] == 0


@pytest.mark.parametrize("readers, expected", [
    ({"lut": lut(8, 6, 7)}, 0), ({"register": register(8, 6)}, 1), ({"lut": lut(8, 6, 7), "register": register(9, 6)}, 1)],
    ids=["lut", "register", "both"])
def test_an_inverter(readers, expected):
    assert sites.cell_sites(design(inverter=inverter(6, 5), **readers))["inverter"] == expected


def test_memories_take_their_share():
    kinds = {"RAM32M": 4, "RAM64X1D": 2, "SRL16E": 1, "RAMB36E1": 0, "DSP48E1": 0}
    found = sites.cell_sites(design(**{kind: {"type": kind, "port_directions": {}, "connections": {}} for kind in kinds}))
    assert {kind: found[kind] for kind in kinds} == kinds


def test_control_sets_and_slices():
    """Nine of one set take two slices; set and reset share, another enable, reset, clock or an asynchronous one does not."""
    same = {f"same{n}": register(100 + n, 50) for n in range(8)} | {"set": register(120, 50, kind="FDSE")}
    others = [register(130, 50, enable=7), register(131, 50, reset=7), register(132, 50, clock=7),
              register(133, 50, kind="FDCE")]
    whole, parts = sites.count(design(**same), dict.fromkeys(same, "a"))
    assert whole == parts["a"] == {"lut_sites": 0, "control_sets": 1, "slices": 2}
    cells = same | {f"other{n}": cell for n, cell in enumerate(others)}
    whole, parts = sites.count(design(**cells), {name: "a" if name in same else "b" for name in cells})
    assert whole == {"lut_sites": 0, "control_sets": 5, "slices": 6} and parts["b"]["control_sets"] == 4


def test_blocks_sum_to_the_whole():
    whole, parts = sites.count(SUM, {"carry": "a", "lut": "b", "out": "b"})
    assert whole["lut_sites"] == 1 and whole["slices"] == 1
    assert {block: part["lut_sites"] for block, part in parts.items()} == {"a": 0, "b": 1}
