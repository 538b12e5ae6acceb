# SPDX-License-Identifier: BSD-2-Clause
"""OrangeCrab r0.2 with an LFE5U-25F-8: 48 MHz oscillator, RGB LED, UART on the Feather pins; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex.soc.cores.clock import ECP5PLL

from litex_boards.platforms import gsd_orangecrab

from liteformer.boards.clocks import EXACT
from liteformer.boards.crg import CRG
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "lfe5u-25f"
TOOLCHAINS = ("trellis",)
LOADER     = {"board": "orangeCrab"}
SERIAL     = True
OSCILLATOR = 48e6

# Platform -----------------------------------------------------------------------------------------

class Platform(gsd_orangecrab.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        gsd_orangecrab.Platform.__init__(self, revision="0.2", device="25F", toolchain=toolchain)
        self.add_extension(gsd_orangecrab.feather_serial)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

make_pll = ECP5PLL


def make_crg(platform, sys_clk_freq):
    """CRG of the board."""
    return CRG(make_pll(), platform.request("clk48"), OSCILLATOR, ~platform.request("usr_btn"), sys_clk_freq, margin=EXACT)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, one that the PLL makes. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=50e6, toolchain="trellis", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq),
            leds = platform.request_all("user_led"),
            uart = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the OrangeCrab.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
