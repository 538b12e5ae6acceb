# SPDX-License-Identifier: BSD-2-Clause
"""OrangeCrab r0.2 with an LFE5U-25F-8: 48 MHz oscillator, RGB LED, UART on the Feather pins; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import gsd_orangecrab

from liteformer.boards.ecp5 import TOOLCHAINS, ECP5SoC, make_crg, make_pll
from liteformer.boards.target import run_board

DEVICE     = "lfe5u-25f"
LOADER     = {"board": "orangeCrab"}
SERIAL     = True
OSCILLATOR = 48e6

__all__ = ["DEVICE", "LOADER", "OSCILLATOR", "SERIAL", "TOOLCHAINS", "BaseSoC", "Platform", "main", "make_pll"]

# Platform -----------------------------------------------------------------------------------------

class Platform(gsd_orangecrab.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        gsd_orangecrab.Platform.__init__(self, revision="0.2", device="25F", toolchain=toolchain)
        self.add_extension(gsd_orangecrab.feather_serial)
        self.add_extension(gsd_orangecrab.feather_i2c)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(ECP5SoC):
    """The SoC on this board."""

    Platform = Platform

    def make_board_crg(self, platform, sys_clk_freq):
        """CRG of the board."""
        return make_crg(platform.request("clk48"), OSCILLATOR, ~platform.request("usr_btn"), sys_clk_freq)

    def led_pads(self, platform):
        """All LEDs."""
        return {"leds": platform.request_all("user_led")}

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    run_board(BaseSoC, DEVICE, "the OrangeCrab")

if __name__ == "__main__":
    main()
