# SPDX-License-Identifier: BSD-2-Clause
"""The clock and reset of a board whose oscillator feeds one PLL."""

from migen import *

from litex.gen import *

from litex.soc.cores.clock import S7PLL

from liteformer.accel.errors import LiteFormerError
from liteformer.boards.clocks import EXACT
from liteformer.soc.quiet import quiet


def series_7_pll():
    """LiteX's PLL of the 7 series in speed grade -1."""
    return S7PLL(speedgrade=-1)


class CRG(LiteXModule):
    """Domain ``sys`` from an oscillator through a PLL, and ``sys2x`` for pumped lanes.

    Args:
        pll: LiteX's PLL, not connected yet; clock: pad of the oscillator; oscillator, sys_clk_freq: in Hz.
        reset: high while the board's button holds the SoC. pumped: there is ``sys2x``, of twice the frequency and in phase.
        **options: of the PLL's output, such as ``margin``.
    Attributes:
        rst: of the SoC, added to ``reset``.
    Raises:
        LiteFormerError: the PLL does not make both.
    """

    def __init__(self, pll, clock, oscillator, reset, sys_clk_freq, pumped=False, **options):
        self.rst    = Signal()
        self.cd_sys = ClockDomain()

        # # #

        self.pll = pll
        self.comb += pll.reset.eq(reset | self.rst)
        pll.register_clkin(clock, oscillator)
        if not pumped:
            pll.create_clkout(self.cd_sys, sys_clk_freq, **options)
            return
        self.cd_sys2x = ClockDomain(reset_less=True)
        pll.create_clkout(self.cd_sys, sys_clk_freq, margin=EXACT)
        pll.create_clkout(self.cd_sys2x, 2*sys_clk_freq, margin=EXACT, with_reset=False)
        try:
            with quiet():
                pll.compute_config()
        except ValueError:
            raise LiteFormerError(f"the board's PLL makes no clock of {sys_clk_freq/1e6:g} MHz with another of twice that, "
                                  "which --pump needs; choose another --sys-clk-freq, or leave --pump out") from None
