# SPDX-License-Identifier: BSD-2-Clause
"""iCEBreaker v1.0: iCE40UP5K, 12 MHz oscillator, two LEDs, UART over USB; open tools only."""

from migen import *
from migen.genlib.resetsync import AsyncResetSynchronizer

from litex.gen import *

from litex.build.lattice.icestorm import LatticeIceStormToolchain
from litex.build.openfpgaloader import OpenFPGALoader
from litex.build.yosys_nextpnr_toolchain import YosysNextPNRToolchain

from litex.soc.cores.clock import iCE40PLL

from litex_boards.platforms import icebreaker

from liteformer.boards.clocks import EXACT
from liteformer.boards.target import BoardSoC, run_target, target_parser

DEVICE     = "ice40up5k"
TOOLCHAINS = ("icestorm",)
LOADER     = {"board": "ice40_generic"}
SERIAL     = True
OSCILLATOR = 12e6

# Toolchain ----------------------------------------------------------------------------------------

class IceStormToolchain(LatticeIceStormToolchain):
    """LiteX's toolchain, for a router without Python and for memories that are LUTs elsewhere."""

    def __init__(self):
        LatticeIceStormToolchain.__init__(self)
        # The LUTs of this family are no memory; Yosys refuses instead of taking registers.
        self._yosys_cmds = ["hierarchy -top {build_name}", "setattr -set ram_style \"logic\" a:ram_style=distributed"]
        self._synth_opts = "-dsp -spram -abc9 -device u "

    def finalize(self):
        """Options of place and route, and of the bitstream packer."""
        _, self._architecture, self._package = self.parse_device()
        self._packer_opts += f" {self._build_name}.asc {self._build_name}.bin"
        YosysNextPNRToolchain.finalize(self)

# Platform -----------------------------------------------------------------------------------------

class Platform(icebreaker.Platform):
    """LiteX-Boards' platform with openFPGALoader as programmer."""

    def __init__(self, toolchain="icestorm"):
        icebreaker.Platform.__init__(self, toolchain=toolchain)
        self.toolchain = IceStormToolchain()

    def create_programmer(self):
        """openFPGALoader."""
        return OpenFPGALoader(**LOADER)

# CRG ----------------------------------------------------------------------------------------------

def make_pll():
    """LiteX's PLL, in the pad of the oscillator."""
    return iCE40PLL(primitive="SB_PLL40_PAD")


class _CRG(LiteXModule):
    def __init__(self, platform, sys_clk_freq):
        self.rst    = Signal()
        self.cd_sys = ClockDomain()

        # # #

        # Power on reset
        self.cd_por = ClockDomain(reset_less=True)
        por_count   = Signal(16, reset=2**16-1)
        self.comb += self.cd_por.clk.eq(self.cd_sys.clk)
        self.sync.por += If(por_count != 0, por_count.eq(por_count - 1))

        # PLL
        self.pll = pll = make_pll()
        self.comb += pll.reset.eq(~platform.request("user_btn_n"))
        pll.register_clkin(platform.request("clk12"), OSCILLATOR)
        pll.create_clkout(self.cd_sys, sys_clk_freq, margin=EXACT, with_reset=False)
        self.specials += AsyncResetSynchronizer(self.cd_sys, (por_count != 0) | ~pll.locked | self.rst)

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC on this board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, one that the PLL makes. cpu_type: None for no CPU. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=18e6, toolchain="icestorm", cpu_type="serv", uart="serial", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, _CRG(platform, sys_clk_freq),
            leds_n   = platform.request_all("user_led_n"),
            cpu_type = cpu_type,
            uart     = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC on the iCEBreaker.", cpu_type="serv")
    run_target(parser, DEVICE, lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
