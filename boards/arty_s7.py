# SPDX-License-Identifier: BSD-2-Clause
"""Digilent Arty S7-25: XC7S25-1, 100 MHz oscillator, four LEDs, UART over USB; Vivado or the open toolchain openXC7."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import digilent_arty_s7

from liteformer.boards.crg import CRG, series_7_pll
from liteformer.boards.openxc7 import OpenXC7Toolchain
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "xc7s25"
TOOLCHAINS = ("vivado", "openxc7")
LOADER     = {"board": "arty_s7_25"}
SERIAL     = True
OSCILLATOR = 100e6

# Platform -----------------------------------------------------------------------------------------

class Platform(digilent_arty_s7.Platform):
    """LiteX-Boards' platform of the S7-25 with openFPGALoader as programmer."""

    def __init__(self, toolchain="vivado"):
        digilent_arty_s7.Platform.__init__(self, variant="s7-25", toolchain=toolchain)
        if toolchain == "openxc7":
            self.toolchain = OpenXC7Toolchain()

    def create_programmer(self):
        """openFPGALoader through the board's own USB cable."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

make_pll = series_7_pll


def make_crg(platform, sys_clk_freq):
    """CRG of the board."""
    # The button's name differs between versions of LiteX-Boards.
    button = platform.request("cpu_reset", loose=True)
    if button is None:
        button = platform.request("cpu_reset_n")
    crg = CRG(make_pll(), platform.request("clk100"), OSCILLATOR, ~button, sys_clk_freq)
    platform.add_false_path_constraints(crg.cd_sys.clk, crg.pll.clkin)
    return crg

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz. toolchain: "vivado" or "openxc7". **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=100e6, toolchain="vivado", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq),
            leds = platform.request_all("user_led"),
            uart = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the Arty S7-25.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
