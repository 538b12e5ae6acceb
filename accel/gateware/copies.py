# SPDX-License-Identifier: BSD-2-Clause
"""Copies of a register, so that no net has many loads; synthesizers merge equal registers unless they are kept."""

from migen import *
from migen.fhdl.specials import Special
from migen.fhdl.tools import SPECIAL_INPUT, SPECIAL_OUTPUT


class _Kept(Special):
    """``q`` from ``d``, both Signals of the same length, with a name that synthesis keeps."""

    def __init__(self, d, q):
        Special.__init__(self)
        self.d, self.q = d, q

    def iter_expressions(self):
        yield self, "d", SPECIAL_INPUT
        yield self, "q", SPECIAL_OUTPUT


class KeptRegister(_Kept):
    """``q`` follows ``d`` a cycle later; synthesis merges it with no other register and takes none of its loads away.

    Yosys looks for the attribute at the flip-flops, which have that of their ``always`` block; Vivado at the signal.
    ``q`` has no reset unless ``reset``, to 0 by the domain's.
    """

    def __init__(self, d, q, domain="sys", reset=False):
        _Kept.__init__(self, d, q)
        self.clock = ClockSignal(domain)
        self.reset = ResetSignal(domain, allow_reset_less=True) if reset else None

    def iter_expressions(self):
        yield self, "clock", SPECIAL_INPUT
        if self.reset is not None:
            yield self, "reset", SPECIAL_INPUT
        yield from _Kept.iter_expressions(self)

    @staticmethod
    def emit_verilog(special, namespace, add_data_file):
        name, length = namespace.get_name(special.q), len(special.q)
        sign = "signed " if special.q.signed else ""
        # None, or the constant that it is in a domain without reset.
        signal = isinstance(special.reset, Signal)
        reset = f"if ({namespace.get_name(special.reset)}) {name}_kept <= {length}'d0; else " if signal else ""
        return (f'(* keep = "true" *) reg {sign}[{length - 1}:0] {name}_kept = {length}\'d0;\n'
                f"(* keep *) always @(posedge {namespace.get_name(special.clock)})\n"
                f"    {reset}{name}_kept <= {namespace.get_name(special.d)};\n"
                f"assign {name} = {name}_kept;\n\n")


class KeptNet(_Kept):
    """``q`` is ``d``; synthesis maps what is before it and what is behind it apart from each other."""

    @staticmethod
    def emit_verilog(special, namespace, add_data_file):
        name, length = namespace.get_name(special.q), len(special.q)
        return (f'(* keep = "true" *) wire [{length - 1}:0] {name}_kept = {namespace.get_name(special.d)};\n'
                f"assign {name} = {name}_kept;\n\n")


class SimulatedKept:
    """What Migen's simulator puts in the place of both."""

    @staticmethod
    def lower(special):
        module, follows = Module(), special.q.eq(special.d)
        if isinstance(special, KeptRegister):
            sync = getattr(module.sync, special.clock.cd)
            sync += follows
            if special.reset is not None:
                sync += If(special.reset, special.q.eq(0))
        else:
            module.comb += follows
        return module


def kept_copy(module, source, domain="sys", reset=False):
    """A register of its own that follows ``source``, a Signal or an expression, a cycle of ``domain`` later; it belongs to
    ``module``. ``reset``: the domain's makes it 0."""
    source = _signal(module, source)
    copy = Signal.like(source, reset_less=True)
    module.specials += KeptRegister(source, copy, domain, reset)
    return copy


def kept_net(module, value):
    """A signal with the value of an expression, which stays a net of its own; it belongs to ``module``."""
    net = Signal(len(value))
    module.specials += KeptNet(_signal(module, value), net)
    return net


def _signal(module, value):
    """An expression as a Signal."""
    if isinstance(value, Signal):
        return value
    signal = Signal(len(value))
    module.comb += signal.eq(value)
    return signal
