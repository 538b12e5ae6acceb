# SPDX-License-Identifier: BSD-2-Clause
"""What is proven: a Migen module around the real one, with its properties as signals, and a twin in which they must fail."""

from collections.abc import Callable
from dataclasses import dataclass

from litex.gen import LiteXModule
from migen import ClockDomain, ResetSignal, Signal

# How a property is proven.
PIPELINE  = "pipeline"     # In any state that has gone on for ``depth`` cycles, reachable or not: complete for what forgets.
INDUCTION = "induction"    # From reset for ``depth`` cycles, and wherever it has held for ``depth`` cycles: complete.
BOUNDED   = "bounded"      # From reset for ``depth`` cycles.


class Bench(LiteXModule):
    """Base of a module with properties.

    Attributes:
        inputs: Signals that take any value in any cycle; assumed, asserted: expressions that hold, or must hold, in every
        cycle.
    """

    def __init__(self):
        self.cd_sys = ClockDomain()
        self.inputs, self.assumed, self.asserted = [], [], []

    def input(self, signal):
        """The Signal, as one that takes any value in any cycle."""
        self.inputs.append(signal)
        return signal

    def past(self, value, cycles=1, reset=0):
        """The value ``cycles`` cycles ago."""
        signed = getattr(value, "signed", False)
        for _ in range(cycles):
            register = Signal((len(value), signed), reset=reset)
            self.sync += register.eq(value)
            value = register
        return value

    def constant(self, value, bits):
        """A signed number; Verilog's literals are unsigned."""
        signal = Signal((bits, True))
        self.comb += signal.eq(value)
        return signal

    def equal(self, one, other):
        """Assert that two values are the same as numbers."""
        self.asserted.append(one == other)

    def ports(self):
        """Name -> Signal of what the solver sees; finishes the bench."""
        holds, given = Signal(), Signal()
        ports = {"clk": self.cd_sys.clk, "holds": holds, "given": given}
        self.comb += [holds.eq(_all(self.asserted)), given.eq(_all(self.assumed) & ~ResetSignal())]
        self.comb += self.cd_sys.rst.eq(0)
        for number, signal in enumerate(self.inputs):
            ports[f"in{number}"] = signal
        for name, signal in ports.items():
            signal.name_override = name
        return ports


def _all(conditions):
    whole = 1
    for condition in conditions:
        whole = whole & condition
    return whole


@dataclass(frozen=True)
class Proof:
    """One proof.

    Attributes:
        name; says: the property in a sentence; module: the gateware's file without ``.py``.
        bench: callable without arguments -> Bench; kind, depth: see above.
        twin: (pattern, replacement) of a regular expression that occurs in the bench's Verilog and breaks it.
        split: index of the input whose values in the first cycle are decided one by one, None for none; of PIPELINE only.
        quick: seconds; run by `make test`.
    """

    name: str
    says: str
    module: str
    bench: Callable
    kind: str
    depth: int
    twin: tuple
    split: int | None = None
    quick: bool = False
