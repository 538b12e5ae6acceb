# SPDX-License-Identifier: BSD-2-Clause
"""No board: clock, byte stream of the UART and four LEDs as ports of the top module, for simulation with Verilator."""

import contextlib

from litex.build.generic_platform import Pins
from litex.build.io import CRG
from litex.build.sim import SimPlatform

from liteformer.boards.target import BoardSoC, run_target, target_parser
from liteformer.soc.platform import CLOCK, STREAM

DEVICE     = None
TOOLCHAINS = ("verilator",)
LOADER     = {}
SERIAL     = False
OSCILLATOR = None

# IOs ----------------------------------------------------------------------------------------------

_io = [CLOCK, STREAM, ("user_led", 0, Pins(4))]

# Platform -----------------------------------------------------------------------------------------

class Platform(SimPlatform):
    """Ports instead of pins; ``build`` writes the Verilog without LiteX's own simulator."""

    def __init__(self, toolchain="verilator"):
        SimPlatform.__init__(self, "SIM", list(_io), toolchain=toolchain, name="liteformer_soc")

    def build(self, fragment, build_dir, build_name, **_):
        """Write ``build_name``.v and its memory images into ``build_dir``."""
        fragment = fragment.get_fragment()
        self.finalize(fragment)
        output = self.get_verilog(fragment, name=build_name)
        # Memory images are written to the current directory.
        with contextlib.chdir(build_dir):
            output.write(f"{build_name}.v")
        return output.ns

# BaseSoC ------------------------------------------------------------------------------------------

class BaseSoC(BoardSoC):
    """The SoC without a board.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz, for the firmware's clock. **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=100e6, toolchain="verilator", uart="sim", **kwargs):
        platform = Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, CRG(platform.request("sys_clk")),
            leds = platform.request("user_led"),
            uart = uart,
            **kwargs)

# Build --------------------------------------------------------------------------------------------

def main():
    """Command line as in LiteX-Boards."""
    parser = target_parser(Platform, "LiteFormer SoC for simulation.", uart_name="sim")
    run_target(parser, "xc7s15", lambda args, core, **options: BaseSoC(core, args.sys_clk_freq, args.toolchain, **options))

if __name__ == "__main__":
    main()
