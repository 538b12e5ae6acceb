# SPDX-License-Identifier: BSD-2-Clause
"""Digilent Arty A7-35: XC7A35T-1, 100 MHz oscillator, four LEDs, UART over USB; Vivado or the open toolchain openXC7."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import digilent_arty

from liteformer.boards.arty import OSCILLATOR, TOOLCHAINS, ArtySoC, set_toolchain
from liteformer.boards.crg import series_7_pll
from liteformer.boards.target import run_board

DEVICE = "xc7a35t"
LOADER = {"board": "arty_a7_35t"}
SERIAL = True

__all__ = ["DEVICE", "LOADER", "OSCILLATOR", "SERIAL", "TOOLCHAINS", "BaseSoC", "Platform", "main", "make_pll"]

# Platform -----------------------------------------------------------------------------------------

class Platform(digilent_arty.Platform):
    """LiteX-Boards' platform of the A7-35 with openFPGALoader as programmer."""

    def __init__(self, toolchain="vivado"):
        digilent_arty.Platform.__init__(self, variant="a7-35", toolchain=toolchain)
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
    run_board(BaseSoC, DEVICE, "the Arty A7-35")

if __name__ == "__main__":
    main()
