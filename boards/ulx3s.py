# SPDX-License-Identifier: BSD-2-Clause
"""Radiona ULX3S with an LFE5U-45F-6: 25 MHz oscillator, eight LEDs, UART over USB; open tools only."""

from litex.build.openfpgaloader import OpenFPGALoader

from litex.soc.cores.clock import ECP5PLL

from litex_boards.platforms import radiona_ulx3s

from liteformer.boards.clocks import EXACT
from liteformer.boards.crg import CRG
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "lfe5u-45f"
TOOLCHAINS = ("trellis",)
LOADER     = {"board": "ulx3s"}
SERIAL     = True
OSCILLATOR = 25e6

# Platform -----------------------------------------------------------------------------------------

class Platform(radiona_ulx3s.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="trellis"):
        radiona_ulx3s.Platform.__init__(self, device="LFE5U-45F", toolchain=toolchain)

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

make_pll = ECP5PLL


def make_crg(platform, sys_clk_freq):
    """CRG of the board."""
    crg = CRG(make_pll(), platform.request("clk25"), OSCILLATOR, platform.request("rst"), sys_clk_freq, margin=EXACT)
    # The ESP32 on the board resets the FPGA otherwise.
    crg.comb += platform.request("wifi_gpio0").eq(1)
    return crg

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
    parser = target_parser(Platform, "LiteFormer SoC on the ULX3S.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
