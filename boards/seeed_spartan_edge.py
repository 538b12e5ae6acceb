# SPDX-License-Identifier: BSD-2-Clause
"""Seeed Studio Spartan Edge Accelerator: XC7S15-1, 100 MHz oscillator, two LEDs, UART on connector J10."""

from litex.build.generic_platform import IOStandard, Pins, Subsignal
from litex.build.openfpgaloader import OpenFPGALoader

from litex_boards.platforms import seeedstudio_spartan_edge_accelerator

from liteformer.boards.crg import CRG, series_7_pll
from liteformer.boards.target import BoardSoC, run_target, target_parser
from liteformer.soc.integration import is_pumped

DEVICE     = "xc7s15"
TOOLCHAINS = ("vivado",)
# The board has a JTAG header and no on-board cable.
LOADER     = {"board": "spartanEdgeAccelBoard", "cable": "digilent_hs2"}
SERIAL     = True
OSCILLATOR = 100e6

# IOs ----------------------------------------------------------------------------------------------

_io = [
    # Seen from the FPGA: it sends on the first pin of J10 and receives on the second.
    ("serial", 0,
        Subsignal("tx", Pins("j10:j10_0")),
        Subsignal("rx", Pins("j10:j10_1")),
        IOStandard("LVCMOS33")
    ),
    ("i2c", 0,
        Subsignal("scl", Pins("i2c:0")),
        Subsignal("sda", Pins("i2c:1")),
        IOStandard("LVCMOS33")
    ),
]

# Platform -----------------------------------------------------------------------------------------

class Platform(seeedstudio_spartan_edge_accelerator.Platform):
    """LiteX-Boards' platform with the pins of UART and I2C, the part's speed grade and a programmer."""

    def __init__(self, toolchain="vivado"):
        seeedstudio_spartan_edge_accelerator.Platform.__init__(self, toolchain=toolchain)
        self.device = "xc7s15ftgb196-1"
        self.add_extension(_io)

    def create_programmer(self):
        """openFPGALoader with a JTAG cable on the header."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

make_pll = series_7_pll


def make_crg(platform, sys_clk_freq, core):
    """CRG of the board for a core."""
    crg = CRG(make_pll(), platform.request("clk100"), OSCILLATOR, ~platform.request("rst_n"), sys_clk_freq,
              pumped=is_pumped(core))
    platform.add_false_path_constraints(crg.cd_sys.clk, crg.pll.clkin)
    return crg

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=100e6, toolchain="vivado", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq, core),
            leds = platform.request_all("user_led"),
            uart = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the Spartan Edge Accelerator.")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
