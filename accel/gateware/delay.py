# SPDX-License-Identifier: BSD-2-Clause
"""A delay line: signals that travel together, read by name some cycles later."""

from migen import *

from litex.gen import *


class DelayLine(LiteXModule):
    """Signals and their copies of up to ``cycles`` cycles later.

        signals (cycle t) --> register (t + 1) --> register (t + 2) --> ... --> register (t + cycles)

    One wide register per stage instead of one per signal: shift registers either way, but faster to simulate.

    Args:
        signals: dict name -> unsigned Signal or expression.
        cycles: length of the line.
    """

    def __init__(self, signals, cycles):
        self._stages = [dict(signals)]

        # # #

        line = Cat(*signals.values())
        for _ in range(cycles):
            register = Signal(len(line), reset_less=True)
            self.sync += register.eq(line)
            line, stage, low = register, {}, 0
            for name, signal in signals.items():
                stage[name] = register[low:low + len(signal)]
                low += len(signal)
            self._stages.append(stage)

    def after(self, cycles):
        """The signals ``cycles`` cycles later; dict name -> Signal or slice."""
        return self._stages[cycles]
