# SPDX-License-Identifier: BSD-2-Clause
"""Synthesis for the ECP5 with a mapper that is told what a routed net takes.

``synth_ecp5`` of Yosys gives ``abc9`` a fixed 300 ps for a net, and no option changes it; so its steps run in two parts, with
the step ``map_luts`` of ``help synth_lattice`` written out in between.
"""

from liteformer.accel.devices import ECP5


def synthesis(options, top):
    """Commands of Yosys in the place of ``synth_ecp5 options -top top``."""
    half = f"synth_lattice -family ecp5 {options} -top {top} -run"
    map_luts = ["techmap -map +/lattice/latches_map.v", f"abc9 -W {ECP5.net_ps}", "clean"]
    return [f"{half} :map_luts", *map_luts, f"{half} map_cells:"]
