# SPDX-License-Identifier: BSD-2-Clause
"""What the boards with an ECP5 share: an oscillator that feeds one PLL, LEDs, a UART, the open toolchain."""

from litex.soc.cores.clock import ECP5PLL

from liteformer.boards.clocks import EXACT
from liteformer.boards.crg import CRG
from liteformer.boards.target import BoardSoC

TOOLCHAINS = ("trellis",)

make_pll = ECP5PLL

# CRG ----------------------------------------------------------------------------------------------

def make_crg(clock, oscillator, reset, sys_clk_freq):
    """CRG from the pad of an oscillator of so many Hz; ``reset`` is high while the board's button is pressed."""
    return CRG(make_pll(), clock, oscillator, reset, sys_clk_freq, margin=EXACT)

# ECP5SoC ------------------------------------------------------------------------------------------

class ECP5SoC(BoardSoC):
    """The SoC on one of the boards.

    Subclasses have ``Platform``, ``make_board_crg(platform, sys_clk_freq)`` and ``led_pads(platform)``, a dict of BoardSoC's
    ``leds`` or ``leds_n``.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, one that the PLL makes. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=50e6, toolchain="trellis", uart="serial", **kwargs):
        platform = self.Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, self.make_board_crg(platform, sys_clk_freq),
            uart = uart,
            **self.led_pads(platform),
            **kwargs)
