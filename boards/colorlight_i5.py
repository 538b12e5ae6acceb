# SPDX-License-Identifier: BSD-2-Clause
"""Colorlight i5 v7.0: LFE5U-25F-6, 25 MHz oscillator, one LED, UART on the extension board; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex.soc.cores.clock import ECP5PLL

from litex_boards.platforms import colorlight_i5

from liteformer.boards.clocks import EXACT
from liteformer.boards.crg import CRG
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "lfe5u-25f"
TOOLCHAINS = ("trellis",)
LOADER     = {"board": "colorlight-i5"}
SERIAL     = True
OSCILLATOR = 25e6

# Platform -----------------------------------------------------------------------------------------

class Platform(colorlight_i5.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        colorlight_i5.Platform.__init__(self, board="i5", toolchain=toolchain)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

make_pll = ECP5PLL


def make_crg(platform, sys_clk_freq):
    """CRG of the board."""
    return CRG(make_pll(), platform.request("clk25"), OSCILLATOR, ~platform.request("cpu_reset_n"), sys_clk_freq, margin=EXACT)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, one that the PLL makes. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=50e6, toolchain="trellis", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq),
            leds_n = platform.request("user_led_n"),
            uart   = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the Colorlight i5.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
