# SPDX-License-Identifier: BSD-2-Clause
"""The clock and reset of a board whose oscillator feeds one PLL."""

from migen import *

from litex.gen import *

from litex.soc.cores.clock import S7PLL


def series_7_pll():
    """LiteX's PLL of the 7 series in speed grade -1."""
    return S7PLL(speedgrade=-1)


class CRG(LiteXModule):
    """Domain ``sys`` from an oscillator through a PLL.

    Args:
        pll: LiteX's PLL, not connected yet; clock: pad of the oscillator; oscillator, sys_clk_freq: in Hz.
        reset: high while the board's button holds the SoC. **options: of the PLL's output, such as ``margin``.
    Attributes:
        rst: of the SoC, added to ``reset``.
    """

    def __init__(self, pll, clock, oscillator, reset, sys_clk_freq, **options):
        self.rst    = Signal()
        self.cd_sys = ClockDomain()

        # # #

        self.pll = pll
        self.comb += pll.reset.eq(reset | self.rst)
        pll.register_clkin(clock, oscillator)
        pll.create_clkout(self.cd_sys, sys_clk_freq, **options)
