# SPDX-License-Identifier: BSD-2-Clause
"""The clock of a board's project: given, the board's own, or the fastest that its routed design keeps."""

import inspect
import math

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console, openfpga
from liteformer.flow.measure.lut4 import FLOWS

AUTO = "auto"
# Each is a synthesis and a routing: the first at what routing aims at in the family, the others at what the one before reached.
ATTEMPTS = 4
# Another clock is another netlist, whose routing differs by a few percent: part of the routed clock that the next one aims at.
AIM = 0.95


def check_clock(board, module, toolchain, clock, compiles):
    """Raises LiteFormerError if ``AUTO`` is asked for where nothing is routed, or if the board's PLL makes no such clock."""
    if clock == AUTO and not (compiles and toolchain in openfpga.TOOLCHAINS):
        raise LiteFormerError("--sys-clk-freq auto needs a routed design, which only the boards with an open router have, "
                              f"without --no-compile; name a clock for {board}")
    if clock not in (None, AUTO):
        reachable(module, clock)


def usual_clock(module):
    """Hz of a board's SoC where none is named."""
    return inspect.signature(module.BaseSoC.__init__).parameters["sys_clk_freq"].default


def reachable(module, clock):
    """The fastest clock up to ``clock`` Hz that a board's PLL makes.

    Raises:
        LiteFormerError: there is none near it.
    """
    if module.OSCILLATOR is None:
        return clock
    from liteformer.boards.clocks import pll_clock
    return pll_clock(module.make_pll, module.OSCILLATOR, clock)


def clock_below(board, clock):
    """``reachable`` for a board's name."""
    from liteformer.boards import load_board
    return reachable(load_board(board), clock)


def make_at(make, module, clock, compiles):
    """Build at a clock, or with ``AUTO`` at the fastest one that the routed design keeps.

    Args:
        make: callable(Hz) -> dict with ``report``. module: of the board. clock: Hz, ``AUTO`` or None: AUTO where a board is
        routed by an open router, else the board's own. compiles: a toolchain runs.
    Returns:
        dict of ``make``.
    Raises:
        LiteFormerError: no attempt kept its clock.
    """
    if clock is None and compiles and module.TOOLCHAINS[0] in openfpga.TOOLCHAINS:
        clock = AUTO
    if clock != AUTO:
        return make(reachable(module, clock or usual_clock(module)))
    flow = FLOWS[find_device(module.DEVICE).family.name]
    frequency, most = reachable(module, 1e6 * flow.aim_mhz), 1e6 * flow.most_mhz if flow.most_mhz else math.inf
    for attempt in range(ATTEMPTS):
        result = make(frequency)
        report = result["report"]
        wanted = min(AIM * 1e6 * report["fmax_mhz"], most)
        console.note(f"routed at {report['clock_mhz']:.4g} MHz: {report['fmax_mhz']:.4g} MHz reached")
        if report["met"] and (attempt or reachable(module, wanted) <= frequency):
            return result
        frequency = reachable(module, wanted)
    raise LiteFormerError(f"none of {ATTEMPTS} clocks was kept, the last of {report['clock_mhz']:.4g} MHz; name a clock with "
                          f"--sys-clk-freq, such as {0.9 * report['fmax_mhz']:.3g}e6")
