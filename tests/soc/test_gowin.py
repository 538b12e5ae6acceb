# SPDX-License-Identifier: BSD-2-Clause
"""The techmap that makes smaller LUTs of Gowin's FPGAs LUT4: the function stays, whatever the open inputs are."""

import json

import pytest

from liteformer.flow.measure import area
from liteformer.soc.gowin import ALL_LUT4, add_luts


@pytest.mark.parametrize("inputs, init", [(1, 0b01), (2, 0b0110), (3, 0b10010111)])
def test_a_smaller_lut(tmp_path, inputs, init):
    pins = ", ".join(f".I{n}(i[{n}])" for n in range(inputs))
    (tmp_path / "bench.v").write_text(
        f"module bench(input [2:0] i, output o); LUT{inputs} #(.INIT({1 << inputs}'d{init})) lut (.F(o), {pins}); endmodule\n")
    add_luts(tmp_path)
    area.run_yosys(tmp_path, f"read_verilog bench.v; hierarchy -top bench; {ALL_LUT4}; "
                             "write_json bench.json")
    (cell,) = json.loads((tmp_path / "bench.json").read_text())["modules"]["bench"]["cells"].values()
    assert cell["type"] == "LUT4" and set(cell["connections"]) == {"F", *(f"I{n}" for n in range(inputs))}
    contents = int(cell["parameters"]["INIT"], 2)
    for address in range(16):
        assert contents >> address & 1 == init >> (address % (1 << inputs)) & 1
