# SPDX-License-Identifier: BSD-2-Clause
"""Radiona ULX3S with an LFE5U-45F-6: 25 MHz oscillator, eight LEDs, UART over USB; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import radiona_ulx3s

from liteformer.boards.ecp5 import TOOLCHAINS, ECP5SoC, make_crg, make_pll
from liteformer.boards.target import run_board

DEVICE     = "lfe5u-45f"
LOADER     = {"board": "ulx3s"}
SERIAL     = True
OSCILLATOR = 25e6

__all__ = ["DEVICE", "LOADER", "OSCILLATOR", "SERIAL", "TOOLCHAINS", "BaseSoC", "Platform", "main", "make_pll"]

# Platform -----------------------------------------------------------------------------------------

class Platform(radiona_ulx3s.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        radiona_ulx3s.Platform.__init__(self, device="LFE5U-45F", toolchain=toolchain)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(ECP5SoC):
    """The SoC on this board."""

    Platform = Platform

    def make_board_crg(self, platform, sys_clk_freq):
        """CRG of the board."""
        crg = make_crg(platform.request("clk25"), OSCILLATOR, platform.request("rst"), sys_clk_freq)
        # The ESP32 on the board resets the FPGA otherwise.
        crg.comb += platform.request("wifi_gpio0").eq(1)
        return crg

    def led_pads(self, platform):
        """All LEDs."""
        return {"leds": platform.request_all("user_led")}

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    run_board(BaseSoC, DEVICE, "the ULX3S")

if __name__ == "__main__":
    main()
