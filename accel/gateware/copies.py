# SPDX-License-Identifier: BSD-2-Clause
"""Copies of a register, so that no net has many loads; synthesizers merge equal registers unless they are kept."""

from migen import *
from migen.fhdl.specials import Special
from migen.fhdl.tools import SPECIAL_INPUT, SPECIAL_OUTPUT


class KeptRegister(Special):
    """``q`` follows ``d`` a cycle later; synthesis merges it with no other register and takes none of its loads away.

    Yosys looks for the attribute at the flip-flops, which have that of their ``always`` block; Vivado at the signal.

    Args:
        d, q: Signals of the same length; ``q`` has no reset.
    """

    def __init__(self, d, q):
        Special.__init__(self)
        self.d, self.q, self.clock = d, q, ClockSignal()

    def iter_expressions(self):
        yield self, "clock", SPECIAL_INPUT
        yield self, "d", SPECIAL_INPUT
        yield self, "q", SPECIAL_OUTPUT

    @staticmethod
    def emit_verilog(special, namespace, add_data_file):
        name, length = namespace.get_name(special.q), len(special.q)
        sign = "signed " if special.q.signed else ""
        return (f'(* keep = "true" *) reg {sign}[{length - 1}:0] {name}_kept = {length}\'d0;\n'
                f"(* keep *) always @(posedge {namespace.get_name(special.clock)})\n"
                f"    {name}_kept <= {namespace.get_name(special.d)};\n"
                f"assign {name} = {name}_kept;\n\n")


class SimulatedRegister:
    """What Migen's simulator puts in the place of a KeptRegister."""

    @staticmethod
    def lower(special):
        module = Module()
        module.sync += special.q.eq(special.d)
        return module


def kept_copy(module, source):
    """A register of its own that follows ``source``, a Signal or an expression, a cycle later; it belongs to ``module``."""
    if not isinstance(source, Signal):
        value, source = source, Signal(len(source))
        module.comb += source.eq(value)
    copy = Signal.like(source, reset_less=True)
    module.specials += KeptRegister(source, copy)
    return copy
