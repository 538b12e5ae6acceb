# SPDX-License-Identifier: BSD-2-Clause
"""The open toolchain of the 7 series, openXC7."""

from litex.build.xilinx.yosys_nextpnr import XilinxYosysNextpnrToolchain
from litex.build.yosys_nextpnr_toolchain import YosysNextPNRToolchain

from liteformer.accel.devices import SERIES_7


class OpenXC7Toolchain(XilinxYosysNextpnrToolchain):
    """LiteX's openxc7 toolchain, with a script that finds its data bases at run time.

    LiteX itself looks for them when the script is written, and ends the program if they are missing.
    """

    def __init__(self):
        XilinxYosysNextpnrToolchain.__init__(self, "openxc7")

    def finalize(self):
        """Options of place and route and of the bitstream packer."""
        self._yosys_cmds.append(f"scratchpad -set synth_xilinx.abc9.W {SERIES_7.net_ps}")
        top, database = self._build_name, f"${{PRJXRAY_DB_DIR}}/{self._xc7family}"
        self._pnr_opts += f"--chipdb ${{CHIPDB}}/{self.device.rpartition('-')[0]}.bin --write {top}_routed.json"
        self._pre_packer_opts["fasm2frames"] = f"--part {self.device} --db-root {database} {top}.fasm > {top}.frames"
        self._packer_opts += (f"--part_file {database}/{self.device}/part.yaml --part_name {self.device} "
                              f"--frm_file {top}.frames --output_file {top}.bit")
        YosysNextPNRToolchain.finalize(self)
