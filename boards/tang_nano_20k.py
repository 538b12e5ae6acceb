# SPDX-License-Identifier: BSD-2-Clause
"""Sipeed Tang Nano 20K: GW2AR-18C, 27 MHz oscillator, six LEDs, UART over USB; open tools only."""

from migen import *

from litex.gen import *

from litex.build.openfpgaloader import OpenFPGALoader

from litex.soc.cores.clock.gowin_gw2a import GW2APLL

from litex_boards.platforms import sipeed_tang_nano_20k

from liteformer.boards.clocks import EXACT
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "gw2a-18"
TOOLCHAINS = ("apicula",)
LOADER     = {"board": "tangnano20k"}
SERIAL     = True
OSCILLATOR = 27e6

# Platform -----------------------------------------------------------------------------------------

class Platform(sipeed_tang_nano_20k.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="apicula"):
        sipeed_tang_nano_20k.Platform.__init__(self, toolchain=toolchain)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

def make_pll():
    """LiteX's PLL of the GW2A."""
    return GW2APLL(devicename="GW2AR-18C", device="GW2AR-LV18QN88C8/I7")


class _CRG(LiteXModule):
    def __init__(self, platform, sys_clk_freq):
        self.rst    = Signal()
        self.cd_sys = ClockDomain()

        # # #

        clk27 = platform.request("clk27")

        # Power on reset
        self.cd_por = ClockDomain(reset_less=True)
        por_count   = Signal(16, reset=2**16-1)
        self.comb += self.cd_por.clk.eq(clk27)
        self.sync.por += If(por_count != 0, por_count.eq(por_count - 1))

        # PLL
        self.pll = pll = make_pll()
        self.comb += pll.reset.eq((por_count != 0) | self.rst)
        pll.register_clkin(clk27, OSCILLATOR)
        pll.create_clkout(self.cd_sys, sys_clk_freq, margin=EXACT)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, one that the PLL makes. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=54e6, toolchain="apicula", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, _CRG(platform, sys_clk_freq),
            leds_n = platform.request_all("led_n"),
            uart   = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the Tang Nano 20K.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
