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


class KeptNet(Special):
    """``o`` is ``i``; synthesis maps what is before it and what is behind it apart from each other.

    Args:
        i, o: Signals of the same length.
    """

    def __init__(self, i, o):
        Special.__init__(self)
        self.i, self.o = i, o

    def iter_expressions(self):
        yield self, "i", SPECIAL_INPUT
        yield self, "o", SPECIAL_OUTPUT

    @staticmethod
    def emit_verilog(special, namespace, add_data_file):
        name, length = namespace.get_name(special.o), len(special.o)
        return (f'(* keep = "true" *) wire [{length - 1}:0] {name}_kept = {namespace.get_name(special.i)};\n'
                f"assign {name} = {name}_kept;\n\n")


class SimulatedNet:
    """What Migen's simulator puts in the place of a KeptNet."""

    @staticmethod
    def lower(special):
        module = Module()
        module.comb += special.o.eq(special.i)
        return module


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


def kept_net(module, value):
    """A signal with the value of an expression, which stays a net of its own; it belongs to ``module``."""
    source = Signal(len(value))
    net = Signal(len(value))
    module.comb += source.eq(value)
    module.specials += KeptNet(source, net)
    return net
