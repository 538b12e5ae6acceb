# SPDX-License-Identifier: BSD-2-Clause
"""What Digilent's Arty boards share: 100 MHz oscillator, reset button, four LEDs, UART over USB, two toolchains."""

from liteformer.boards.crg import CRG, series_7_pll
from liteformer.boards.openxc7 import OpenXC7Toolchain
from liteformer.boards.target import BoardSoC
from liteformer.soc.integration import is_pumped

TOOLCHAINS = ("vivado", "openxc7")
OSCILLATOR = 100e6

# Platform -----------------------------------------------------------------------------------------

def set_toolchain(platform, toolchain):
    """Let a platform use openXC7 if that is asked for."""
    if toolchain == "openxc7":
        platform.toolchain = OpenXC7Toolchain()

# CRG ----------------------------------------------------------------------------------------------

def make_crg(platform, sys_clk_freq, core):
    """CRG of the board for a core."""
    # The button's name differs between versions of LiteX-Boards.
    button = platform.request("cpu_reset", loose=True)
    if button is None:
        button = platform.request("cpu_reset_n")
    crg = CRG(series_7_pll(), platform.request("clk100"), OSCILLATOR, ~button, sys_clk_freq, pumped=is_pumped(core))
    platform.add_false_path_constraints(crg.cd_sys.clk, crg.pll.clkin)
    return crg

# ArtySoC ------------------------------------------------------------------------------------------

class ArtySoC(BoardSoC):
    """The SoC on one of the boards, whose ``Platform`` is an attribute of the subclass.

    Args:
        core: LiteFormerCore. sys_clk_freq: in Hz. toolchain: "vivado" or "openxc7". **kwargs: for BoardSoC.
    """

    def __init__(self, core, sys_clk_freq=100e6, toolchain="vivado", uart="serial", **kwargs):
        platform = self.Platform(toolchain)
        BoardSoC.__init__(self, platform, sys_clk_freq, core, make_crg(platform, sys_clk_freq, core),
            leds = platform.request_all("user_led"),
            uart = uart,
            **kwargs)
