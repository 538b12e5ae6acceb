# SPDX-License-Identifier: BSD-2-Clause
"""Elastic Node V5: XC7S15-2 next to an RP2040, which drives the register bus over SPI; busy output and four LEDs.

There is no CPU by default: the RP2040 pushes samples and reads results through LiteX's SPIBone. ``cpu_type`` adds one for
own firmware; the board has no UART, so the firmware has only the bus and the LEDs.
"""

from migen import *

from litex.gen import *

from litex.build.generic_platform import IOStandard, Pins, Subsignal
from litex.build.openfpgaloader import OpenFPGALoader
from litex.build.xilinx import Xilinx7SeriesPlatform

from litex.soc.cores.clock import S7PLL
from litex.soc.cores.spi.spi_bone import SPIBone

from liteformer.boards.crg import CRG
from liteformer.boards.target import BoardSoC, run_target, target_parser
from liteformer.soc.integration import is_pumped

DEVICE     = "xc7s15"
TOOLCHAINS = ("vivado",)
LOADER     = {"fpga_part": "xc7s15ftgb196", "cable": "digilent_hs2"}
SERIAL     = False
OSCILLATOR = 100e6

# IOs ----------------------------------------------------------------------------------------------

_io = [
    # Clk
    ("clk100", 0, Pins("H11"), IOStandard("LVCMOS33")),
    ("clk32",  0, Pins("G11"), IOStandard("LVCMOS33")),

    # Leds
    ("user_led", 0, Pins("H12"), IOStandard("LVCMOS33")),
    ("user_led", 1, Pins("J12"), IOStandard("LVCMOS33")),
    ("user_led", 2, Pins("K12"), IOStandard("LVCMOS33")),
    ("user_led", 3, Pins("J11"), IOStandard("LVCMOS33")),

    # RP2040
    ("spibone", 0,
        Subsignal("clk",  Pins("N11")),
        Subsignal("cs_n", Pins("P12")),
        Subsignal("mosi", Pins("P11")),
        Subsignal("miso", Pins("M12")),
        IOStandard("LVCMOS33")
    ),
    ("busy", 0, Pins("L12"), IOStandard("LVCMOS33")),
]

# Platform -----------------------------------------------------------------------------------------

class Platform(Xilinx7SeriesPlatform):
    """Pins and configuration of the Elastic Node V5."""

    default_clk_name   = "clk100"
    default_clk_period = 1e9/100e6

    def __init__(self, toolchain="vivado"):
        Xilinx7SeriesPlatform.__init__(self, "xc7s15ftgb196-2", _io, toolchain=toolchain, name="elastic_node_v5")
        self.add_platform_command("set_property CFGBVS VCCO [current_design]")
        self.add_platform_command("set_property CONFIG_VOLTAGE 3.3 [current_design]")
        self.toolchain.bitstream_commands = [
            "set_property BITSTREAM.CONFIG.CONFIGRATE 50 [current_design]",
            "set_property BITSTREAM.CONFIG.SPI_BUSWIDTH 4 [current_design]",
        ]
        self.toolchain.additional_commands = [
            "write_cfgmem -force -format bin -interface spix4 -size 16 -loadbit \"up 0x0 {build_name}.bit\" "
            "-file {build_name}.bin",
        ]

    def create_programmer(self):
        """openFPGALoader with a JTAG cable."""
        return OpenFPGALoader(**LOADER)

    def do_finalize(self, fragment):
        """Clock constraint."""
        Xilinx7SeriesPlatform.do_finalize(self, fragment)
        self.add_period_constraint(self.lookup_request("clk100", loose=True), 1e9/100e6)

# CRG ----------------------------------------------------------------------------------------------

def make_pll():
    """LiteX's PLL in this part's speed grade."""
    return S7PLL(speedgrade=-2)


def make_crg(platform, sys_clk_freq, core):
    """CRG of the board for a core, which has no button for a reset."""
    crg = CRG(make_pll(), platform.request("clk100"), OSCILLATOR, 0, sys_clk_freq, pumped=is_pumped(core))
    platform.add_false_path_constraints(crg.cd_sys.clk, crg.pll.clkin)
    return crg

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz. cpu_type: None for the RP2040 alone. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=100e6, toolchain="vivado", cpu_type=None, uart="stub", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq, core),
            leds     = platform.request_all("user_led"),
            cpu_type = cpu_type,
            uart     = uart,
            **kwargs)

        # RP2040 -----------------------------------------------------------------------------------
        self.spibone = SPIBone(platform.request("spibone"))
        self.bus.add_master("spibone", self.spibone.bus)
        self.comb += platform.request("busy").eq(core.busy)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the Elastic Node V5.", cpu_type="None", uart_name="stub")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
