# SPDX-License-Identifier: BSD-2-Clause
"""Figures from Vivado's reports: utilization after placement, timing and power after routing."""

import re

from liteformer.accel.errors import LiteFormerError

SITES = {"lut": "Slice LUTs", "lutram": "LUT as Memory", "ff": "Slice Registers", "bram36": "Block RAM Tile", "dsp": "DSPs"}
POWER = {"total_w": "Total On-Chip Power (W)", "dynamic_w": "Dynamic (W)", "static_w": "Device Static (W)"}


def _rows(text):
    """Cells of every table row of a report, blanks and footnote stars removed."""
    return [[cell.strip().rstrip("*") for cell in line.strip().strip("|").split("|")]
            for line in text.splitlines() if line.strip().startswith("|")]


def _number(text):
    """A figure of a report; Vivado writes <0.001 for values that round to zero."""
    return float(text.lstrip("<"))


def parse_utilization(text):
    """Area from the text of ``report_utilization``.

    Returns:
        dict of ``lut``, ``lutram``, ``ff``, ``bram36``, ``dsp``, each a dict ``used``, ``available``.
    Raises:
        LiteFormerError: not such a text.
    """
    header, found = [], {}
    for row in _rows(text):
        if row[0] == "Site Type":
            header = row
        name = next((key for key, site in SITES.items() if row[0] == site), None)
        if name and name not in found and len(row) == len(header):
            cells = dict(zip(header, row))
            used = _number(cells["Used"])
            found[name] = {"used": used if name == "bram36" else int(used), "available": int(cells["Available"])}
    missing = [site for key, site in SITES.items() if key not in found]
    if missing:
        raise LiteFormerError(f"Vivado's utilization report has no line for {', '.join(missing)}; look at the .rpt file")
    return found


def parse_timing(text):
    """Slacks from the text of ``report_timing_summary``.

    Returns:
        dict ``setup_slack_ns``, ``hold_slack_ns``, ``failing_endpoints``, ``met``.
    Raises:
        LiteFormerError: not such a text, or the design has no clock.
    """
    block = re.search(r"^\s*(WNS\(ns\).*)\n[\s-]+\n(.*)$", text, re.MULTILINE)
    names = re.split(r"\s{2,}", block.group(1).strip()) if block else []
    values = dict(zip(names, block.group(2).split())) if block else {}
    try:
        setup, hold = float(values["WNS(ns)"]), float(values["WHS(ns)"])
        failing = sum(int(values[name]) for name in names if name.endswith("Failing Endpoints"))
    except (KeyError, ValueError):
        raise LiteFormerError("Vivado's timing report has no slacks; look at the .rpt file") from None
    return {"setup_slack_ns": setup, "hold_slack_ns": hold, "failing_endpoints": failing, "met": failing == 0 and setup >= 0}


def parse_power(text):
    """Estimated power from the text of ``report_power``.

    Returns:
        dict ``total_w``, ``dynamic_w``, ``static_w``, and ``confidence``, as the tool states it.
    Raises:
        LiteFormerError: not such a text.
    """
    cells = {row[0]: row[1] for row in reversed(_rows(text)) if len(row) == 2}
    try:
        figures = {key: _number(cells[name]) for key, name in POWER.items()}
    except (KeyError, ValueError):
        raise LiteFormerError("Vivado's power report has no total; look at the .rpt file") from None
    return figures | {"confidence": cells.get("Confidence Level", "unknown")}


def read_reports(gateware, name):
    """Figures of a build.

    Args:
        gateware: folder that Vivado worked in. name: of the top module.
    Returns:
        dict ``utilization``, ``timing``, ``power``.
    Raises:
        LiteFormerError: a report is missing or cannot be read.
    """
    result = {}
    for key, report, parse in (("utilization", "utilization_place", parse_utilization), ("timing", "timing", parse_timing),
                               ("power", "power", parse_power)):
        path = gateware / f"{name}_{report}.rpt"
        if not path.is_file():
            raise LiteFormerError(f"Vivado wrote no {path.name}; see {gateware / 'vivado.log'}")
        result[key] = parse(path.read_text(errors="replace"))
    return result
