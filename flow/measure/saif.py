# SPDX-License-Identifier: BSD-2-Clause
"""Switching activity of the simulated SoC for Vivado: a SAIF file, and the Tcl script that reports power with it.

SAIF (Switching Activity Interchange Format, IEEE 1801) states for each net how long it was 0 and 1 and how often it changed.
"""

from pathlib import Path

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.measure.activity import STEPS

SAIF, TCL = "activity.saif", "report_power.tcl"


def saif_text(activity, clock_mhz):
    """The SAIF file of one inference.

    Args:
        activity: Activity. clock_mhz: clock.
    Returns:
        str; scopes are instances, every bit is a net.
    """
    scale = round(1e6 / clock_mhz / STEPS)
    tree = {}
    for waveform in activity.waveforms:
        zero = activity.duration - waveform.high(activity.duration)
        for bit, (low, changes) in enumerate(zip(zero.tolist(), waveform.transitions.tolist())):
            values = (f"(T0 {low * scale}) (T1 {(activity.duration - low) * scale}) (TX 0) (TC {changes}) (IG 0)")
            for *scopes, name in waveform.names:
                net = _escaped(name) + (rf"\[{bit}\]" if waveform.width > 1 else "")
                tree.setdefault(tuple(scopes[1:]), {})[net] = values
    return "\n".join(["(SAIFILE", '(SAIFVERSION "2.0")', '(DIRECTION "backward")', '(DESIGN "liteformer_soc")',
                      '(PROGRAM_NAME "liteformer report")', "(DIVIDER / )", "(TIMESCALE 1 ps)",
                      f"(DURATION {activity.duration * scale})", *_instances(tree, ()), ")", ""])


def _escaped(name):
    return name.replace("[", r"\[").replace("]", r"\]").replace("$", r"\$")


def _instances(tree, scope):
    """Lines of the instances below a scope."""
    for name in sorted({path[len(scope)] for path in tree if path[:len(scope)] == scope and len(path) > len(scope)}):
        inner = (*scope, name)
        yield f"(INSTANCE {_escaped(name)}"
        if inner in tree:
            yield "(NET"
            yield from (f"({net} {values})" for net, values in tree[inner].items())
            yield ")"
        yield from _instances(tree, inner)
        yield ")"


def tcl_text(top):
    """The Tcl script for a project of `liteformer build`; top: its top module."""
    return f"""# Power of the routed design with the activity of the simulated SoC.
# In the project's gateware/ folder, after the build, with this file and {SAIF} copied there:
#     vivado -mode batch -source {TCL}
# Nets that the simulation does not have (the clock's buffers, what synthesis renamed) keep Vivado's default activity; the
# report's "Design Nets Matched" says how many were found, {top}_unmatched.txt which were not.
open_checkpoint {top}_route.dcp
read_saif -strip_path liteformer_soc -out_file {top}_unmatched.txt {SAIF}
report_power -file {top}_power_saif.rpt
"""


def write_saif(activity, clock_mhz, folder):
    """Write both files into a folder, each completely or not at all.

    Returns:
        list of str, their names.
    """
    from liteformer.boards.target import BUILD_NAME
    write_atomically(Path(folder) / SAIF, saif_text(activity, clock_mhz))
    write_atomically(Path(folder) / TCL, tcl_text(BUILD_NAME))
    return [SAIF, TCL]
