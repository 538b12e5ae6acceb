# SPDX-License-Identifier: BSD-2-Clause
"""Digilent Arty S7-25: XC7S25-1, 100 MHz oscillator, four LEDs, UART over USB; Vivado or the open toolchain openXC7."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import digilent_arty_s7

from liteformer.boards.arty import OSCILLATOR, TOOLCHAINS, ArtySoC, set_toolchain
from liteformer.boards.crg import series_7_pll
from liteformer.boards.target import run_board

DEVICE = "xc7s25"
LOADER = {"board": "arty_s7_25"}
SERIAL = True

__all__ = ["DEVICE", "LOADER", "OSCILLATOR", "SERIAL", "TOOLCHAINS", "BaseSoC", "Platform", "main", "make_pll"]

# Platform -----------------------------------------------------------------------------------------

class Platform(digilent_arty_s7.Platform):
    """LiteX-Boards' platform of the S7-25 with openFPGALoader as programmer."""

    def __init__(self, toolchain="vivado"):
        digilent_arty_s7.Platform.__init__(self, variant="s7-25", toolchain=toolchain)
        set_toolchain(self, toolchain)

    def create_programmer(self):
        """openFPGALoader through the board's own USB cable."""
        return OpenFPGALoader(**LOADER)

# BaseSoC ------------------------------------------------------------------------------------------

make_pll = series_7_pll


class BaseSoC(ArtySoC):
    """The SoC on this board."""

    Platform = Platform

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    run_board(BaseSoC, DEVICE, "the Arty S7-25")

if __name__ == "__main__":
    main()
