# SPDX-License-Identifier: BSD-2-Clause
"""What nextpnr says about a design that it has placed and routed: clock, cells, longest path, or why it could not."""

import json
import re
from pathlib import Path

from liteformer.accel.errors import LiteFormerError

# Relative difference up to which two clocks are the same: routers count in whole picoseconds.
SAME = 1e-3


def read_report(path, clock_mhz):
    """Figures of nextpnr's JSON report.

    Args:
        path: of the report. clock_mhz: what the system clock is to reach.
    Returns:
        dict ``fmax_mhz`` of the system clock, ``clock_mhz``, ``met`` (this and every other clock), ``cells``: dict kind ->
        dict ``used`` and ``available``, ``longest_path``: dict ``start``, ``end``, ``ns``, None if there is none.
    Raises:
        LiteFormerError: it has no clock of that frequency.
    """
    report = json.loads(Path(path).read_text())
    clocks = report["fmax"]
    name = _system_clock(clocks, clock_mhz)
    fmax = clocks[name]["achieved"]
    others = [clock for other, clock in clocks.items() if other != name]
    return {
        "fmax_mhz": round(fmax, 2), "clock_mhz": clock_mhz,
        "met": fmax >= clock_mhz and all(clock["achieved"] >= clock["constraint"] for clock in others),
        "cells": {kind: site for kind, site in report["utilization"].items() if site["used"]},
        "longest_path": _path(report["critical_paths"], name)}


def _system_clock(clocks, clock_mhz):
    """Name of the slowest clock that is to reach the system's frequency: routers name it after any of its nets."""
    named = [name for name, clock in clocks.items() if abs(clock["constraint"] - clock_mhz) < SAME * clock_mhz]
    if not named:
        raise LiteFormerError(f"the router reports no clock of {clock_mhz:g} MHz; see its log")
    return min(named, key=lambda name: clocks[name]["achieved"])


def _path(paths, clock):
    for path in paths:
        if path["from"].endswith(f" {clock}") and path["to"].endswith(f" {clock}"):
            steps = path["path"]
            return {"start": _cell(steps[0]["from"]), "end": _cell(steps[-1]["to"]),
                    "ns": round(sum(step["delay"] for step in steps), 2)}
    return None


def _cell(end):
    """The register's name, without what synthesis adds to it."""
    return re.sub(r"_(TRELLIS_FF|SB_DFF\w*|DFF\w*|LUT\w*|CCU2C|SB_LUT4|ALU)(_.*)?$", "", end["cell"])


def reason(log):
    """The first sentence of a log in which a router or Yosys says why it stopped."""
    lines = [line.strip() for line in log.splitlines() if re.match(r"\s*(ERROR|.*\bERROR:)", line)]
    return re.sub(r"^.*?ERROR: *", "", lines[0]) if lines else "no reason given"


def explain(report, lower=None):
    """The sentence about a clock that is missed.

    Args:
        report: of ``read_report``. lower: clock in MHz that holds, None for the routed one as it is.
    """
    path = report["longest_path"]
    where = f" from {path['start']} to {path['end']}" if path else ""
    return (f"the routed design misses {report['clock_mhz']:g} MHz: its longest path{where} allows {report['fmax_mhz']:g} MHz; "
            f"{lower or report['fmax_mhz']:g} MHz would hold")
