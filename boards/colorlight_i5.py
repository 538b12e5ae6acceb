# SPDX-License-Identifier: BSD-2-Clause
"""Colorlight i5 v7.0: LFE5U-25F-6, 25 MHz oscillator, one LED, UART on the extension board; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import colorlight_i5

from liteformer.boards.ecp5 import TOOLCHAINS, ECP5SoC, make_crg, make_pll
from liteformer.boards.target import run_board

DEVICE     = "lfe5u-25f"
LOADER     = {"board": "colorlight-i5"}
SERIAL     = True
OSCILLATOR = 25e6

__all__ = ["DEVICE", "LOADER", "OSCILLATOR", "SERIAL", "TOOLCHAINS", "BaseSoC", "Platform", "main", "make_pll"]

# Platform -----------------------------------------------------------------------------------------

class Platform(colorlight_i5.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        colorlight_i5.Platform.__init__(self, board="i5", toolchain=toolchain)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(ECP5SoC):
    """The SoC on this board."""

    Platform = Platform

    def make_board_crg(self, platform, sys_clk_freq):
        """CRG of the board."""
        return make_crg(platform.request("clk25"), OSCILLATOR, ~platform.request("cpu_reset_n"), sys_clk_freq)

    def led_pads(self, platform):
        """The LED."""
        return {"leds_n": platform.request("user_led_n")}

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    run_board(BaseSoC, DEVICE, "the Colorlight i5")

if __name__ == "__main__":
    main()
