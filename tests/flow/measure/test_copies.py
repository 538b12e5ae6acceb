# SPDX-License-Identifier: BSD-2-Clause
"""Yosys leaves kept copies of a register alone."""

import re
import subprocess

from litex.gen.fhdl.verilog import convert
from migen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.flow.measure.area import environment, yosys_command

COPIES = 3


class Copied(Module):
    """Copies of a value, or as many plain registers behind the same value."""

    def __init__(self, kept):
        self.value = Signal(2)
        self.clock_domains.cd_sys = ClockDomain(reset_less=True)
        if kept:
            self.copies = [kept_copy(self, self.value) for _ in range(COPIES)]
        else:
            self.copies = [Signal(2) for _ in range(COPIES)]
            self.sync += [copy.eq(self.value) for copy in self.copies]


def flip_flops(kept, folder):
    """Flip-flops that Yosys leaves."""
    dut = Copied(kept)
    convert(dut, {dut.cd_sys.clk, dut.value, *dut.copies}, name="copied").write(str(folder / "copied.v"))
    script = "read_verilog copied.v; synth_xilinx -flatten -noiopad -top copied; tee -o stat.txt stat"
    subprocess.run([*yosys_command(), "-q", "-p", script], cwd=folder, env=environment(), check=True, capture_output=True)
    return sum(map(int, re.findall(r"(\d+)\s+FDRE", (folder / "stat.txt").read_text())))


def test_synthesis_keeps_them(tmp_path):
    assert flip_flops(True, tmp_path) == 2 * COPIES
    # Negative control: plain registers are merged.
    assert flip_flops(False, tmp_path) == 2
