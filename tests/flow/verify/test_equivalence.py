# SPDX-License-Identifier: BSD-2-Clause
"""Mutants that are none are proven equal, by one round or by several; those that are some are not."""

import pytest

from liteformer.flow.verify.equivalence import PREPARE, Comparison
from liteformer.flow.verify.mutated_core import yosys

# 1: a disabled register takes another value; 2: an unused one is wrong; 3: two that end in nothing; 4: the output is wrong;
# 5: the output is wrong two cycles later.
DESIGN = """
module top(input clk, input [2:0] mutant, input [3:0] a, input enable, output [3:0] y, output reg z);
    reg [3:0] held = 0, first = 0, second = 0;
    (* keep *) reg [3:0] dead = 0, deader = 0;
    always @(posedge clk) begin
        if (enable) held <= (mutant == 1 && !enable) ? ~a : a;
        dead   <= (mutant == 2) ? a + 1 : a;
        deader <= (mutant == 3) ? ~dead : dead + deader;
        first  <= (mutant == 5) ? a ^ 1 : a;
        second <= first;
        z      <= &second;
    end
    assign y = (mutant == 4) ? held ^ 4 : held;
endmodule
"""


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("equivalence")
    (folder / "top.v").write_text(DESIGN)
    yosys(f"read_verilog top.v; hierarchy -top top; proc; opt_clean; {PREPARE.format(out='top.smt2').replace('opt_expr;', '')}",
          folder)
    return Comparison(folder / "top.smt2", "top", "mutant", outputs=("y", "z"))


@pytest.mark.parametrize(("mutation", "equal"), [(1, True), (2, True), (3, True), (4, False), (5, False), (6, True)])
def test_equal_or_not(comparison, mutation, equal):
    assert comparison.equal(mutation) == equal
