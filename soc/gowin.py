# SPDX-License-Identifier: BSD-2-Clause
"""What the synthesis for Gowin's FPGAs needs in front of nextpnr."""

import shutil
from pathlib import Path

# Commands of Yosys after synth_gowin, where ``add_luts`` has put the file.
ALL_LUT4 = "techmap -map gowin_luts.v"


def add_luts(folder):
    """Put the techmap that ``ALL_LUT4`` reads into the folder that Yosys works in."""
    shutil.copy(Path(__file__).with_name("gowin_luts.v"), folder)
