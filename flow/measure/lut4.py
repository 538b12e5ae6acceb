# SPDX-License-Identifier: BSD-2-Clause
"""Synthesis, placement and routing of a design for FPGAs with LUT4: ECP5, Gowin, iCE40. Area in each family's own cells."""

import hashlib
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console, openfpga
from liteformer.flow.common.cache import cache_directory, write_atomically
from liteformer.flow.measure import area, routing
from liteformer.soc import ecp5
from liteformer.soc.gowin import ALL_LUT4, add_luts

# Memories that are to be in LUTs are registers where LUTs cannot be memory.
REGISTERS = 'setattr -set ram_style "logic" a:ram_style=distributed; '
# Sizes of ECP5 as nextpnr calls them.
ECP5_SIZES = {"lfe5u-12f": "12k", "lfe5u-25f": "25k", "lfe5u-45f": "45k", "lfe5u-85f": "85k"}
# A placer's result depends on chance by a tenth: so many seeds are tried until one meets the clock.
SEEDS = 4


GOWIN_PINS = (("sys_clk", 4), ("serial_tx", 69), ("serial_rx", 70), ("sim_trace", 88))


@dataclass(frozen=True)
class Flow:
    """How a family is synthesised and counted.

    Attributes:
        synthesis: Yosys commands with ``{top}``; no_dsp: option that leaves multipliers in LUTs; with_dsp: the opposite.
        lut, lutram, ff, ram, dsp: cell (pattern) -> how much of it one is.
        pins: constraints of a design without a board, as a file's ending and text. aim_mhz: clock that routing aims at.
        most_mhz: fastest clock that a board gets without asking, because not all of its cells have delays; None for any.
    """

    synthesis: str
    lut: dict
    lutram: dict
    ff: dict
    ram: dict
    dsp: dict
    pins: tuple
    aim_mhz: float
    no_dsp: str = "-nodsp"
    with_dsp: str = ""
    most_mhz: float | None = None


# A 36 x 36 multiplier of Gowin is made of four, a 9 x 9 is half of one. Pins of the clock lead to the global network.
FLOWS = {
    "ECP5": Flow("; ".join(ecp5.synthesis("{dsp}", "{top}")), {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
                 {"TRELLIS_DPR16X4": 6}, {"TRELLIS_FF": 1}, {"DP16KD": 1}, {"MULT18X18D": 1},
                 ("lpf", 'LOCATE COMP "sys_clk" SITE "P3";\n'), 90),
    "Gowin": Flow("synth_gowin {dsp} -family gw2a -top {top}; " + ALL_LUT4, {"LUT4": 1, "ALU": 1, "RAM16SDP[14]": 4},
                  {"RAM16SDP[14]": 4}, {"DFF\\w*": 1}, {"(SP|SDP|DP|SDPB|DPB|pROM)(X9B?)?": 1},
                  {"MULT18X18": 1, "MULT9X9": 0.5, "MULT36X36": 4},
                  ("cst", "".join(f'IO_LOC "{port}" {pin};\nIO_PORT "{port}" IO_TYPE=LVCMOS33;\n'
                                  for port, pin in GOWIN_PINS)), 60, most_mhz=60),
    "iCE40": Flow(REGISTERS + "synth_ice40 {dsp} -spram -abc9 -device u -top {top}", {"SB_LUT4": 1}, {}, {"SB_DFF\\w*": 1},
                  {"SB_RAM40_4K\\w*": 1}, {"SB_MAC16": 1}, ("pcf", "set_io sys_clk 35\n"), 18, no_dsp="", with_dsp="-dsp"),
}


def count(cells, family):
    """Area of a netlist in a family's terms.

    Args:
        cells: dict cell -> instances. family: Family.
    Returns:
        dict as of ``area.count``, ``lut_sites`` (cells of a packer, at least the LUTs), and ``cells`` as they are.
    """
    flow = FLOWS[family.name]

    def total(weights):
        return sum(weight * number for pattern, weight in weights.items() for name, number in cells.items()
                   if re.fullmatch(pattern, name))
    lut = total(flow.lut)
    return {"lut": lut, "lut_sites": lut, "lutram": total(flow.lutram), "ff": total(flow.ff),
            "bram36": total(flow.ram) / family.rams_per_36, "dsp": total(flow.dsp), "cells": cells}


def synthesise(directory, sources, top, include_dirs, device, progress=None, with_dsp=True):
    """Map a design with Yosys; cached by the content of its files.

    Args:
        directory, sources, top, include_dirs, progress: as of ``area.synthesise``. device: name. with_dsp: multiplier blocks
        are used.
    Returns:
        ``(cells, netlist)``: dict cell -> instances, Path of the netlist for the router.
    Raises:
        LiteFormerError: Yosys is missing or rejects the design.
    """
    script, digest = mapping(directory, sources, top, include_dirs, device, with_dsp)
    folder = cache_directory("lut4")
    stat, netlist = (folder / f"{digest}.{kind}.json" for kind in ("stat", "netlist"))
    if not (stat.is_file() and netlist.is_file()):
        area.run_yosys(directory, script, progress)
        for name, path in (("netlist", netlist), ("stat", stat)):
            write_atomically(path, (Path(directory) / f"{top}.{name}.json").read_bytes())
    cells = json.loads(stat.read_text())["design"]["num_cells_by_type"]
    return {name: number for name, number in cells.items() if name != "$scopeinfo"}, netlist


def mapping(directory, sources, top, include_dirs, device, with_dsp=True):
    """``area.mapping`` for a device of these families; the arguments are those of ``synthesise``."""
    flow = FLOWS[find_device(device).family.name]
    if ALL_LUT4 in flow.synthesis:
        add_luts(directory)
    script = flow.synthesis.format(top=top, dsp=flow.with_dsp if with_dsp else flow.no_dsp)
    return area.reading(directory, sources, f"{script}; tee -q -o {top}.stat.json stat -json; write_json {top}.netlist.json",
                        include_dirs)


def check_routable(device):
    """Raises LiteFormerError if there is no open router for a device, or it is not installed."""
    target = find_device(device)
    if target.family.name not in openfpga.FAMILIES:
        raise LiteFormerError(f"there is no open router for the {device} among the Python packages; choose a device of the "
                              f"families {', '.join(openfpga.FAMILIES)}, or build a board with Vivado")
    openfpga.check_programs(openfpga.FAMILIES[target.family.name].programs[:2])


def router_command(device, top, clock_mhz, seed):
    """Command that places and routes ``top``.json in its folder.

    Returns:
        list; it leaves ``top``.report.json and ``top``.routed.json, and for ECP5 and iCE40 the configuration.
    """
    target = find_device(device)
    common = [target.family.router, "--json", f"{top}.json", "--freq", f"{clock_mhz:g}", "--seed", str(seed),
              "--timing-allow-fail", "--report", f"{top}.report.json", "--write", f"{top}.routed.json"]
    if target.family.name == "ECP5":
        return [*common, f"--{ECP5_SIZES[device]}", "--package", "CABGA381", "--speed", "6", "--lpf", f"{top}.lpf",
                "--lpf-allow-unconstrained", "--textcfg", f"{top}.config"]
    if target.family.name == "iCE40":
        return [*common, "--up5k", "--package", "sg48", "--pcf", f"{top}.pcf", "--pcf-allow-unconstrained",
                "--asc", f"{top}.asc"]
    return [*common, "--device", target.part, "--vopt", "family=GW2A-18C", "--vopt", f"cst={top}.cst"]


def route(netlist, top, device, clock_mhz, progress=None):
    """Place and route a netlist without a board, with one seed of the placer after the other until the clock is met; cached by
    content and seed.

    Args:
        netlist: Path of Yosys' JSON. top: name. device: name. clock_mhz: target.
    Returns:
        ``(report, routed)``: dict of ``routing.read_report`` and ``seeds``, dict of each seed tried -> MHz that it reached, of
        which the report is that of the fastest; Path of its netlist as JSON.
    Raises:
        LiteFormerError: no router, or it fails; its log is kept.
    """
    check_routable(device)
    found = {}
    for seed in range(1, SEEDS + 1):
        report, routed = found[seed] = _route(netlist, top, device, clock_mhz, seed, progress)
        if report["met"]:
            break
        if seed < SEEDS:
            console.note(f"seed {seed} reached {report['fmax_mhz']:g} of {clock_mhz:g} MHz; trying another")
    report, routed = max(found.values(), key=lambda way: (way[0]["met"], way[0]["fmax_mhz"]))
    return report | {"seeds": {seed: way[0]["fmax_mhz"] for seed, way in found.items()}}, routed


def _route(netlist, top, device, clock_mhz, seed, progress):
    """``route`` with one seed."""
    command = router_command(device, top, clock_mhz, seed)
    ending, pins = FLOWS[find_device(device).family.name].pins
    versions = Path(__file__).read_bytes() + Path(routing.__file__).read_bytes()
    digest = hashlib.sha256(Path(netlist).read_bytes() + " ".join(command).encode() + versions).hexdigest()
    folder = cache_directory("routed") / digest
    report = folder / f"{top}.report.json"
    if not report.is_file():
        folder.mkdir(exist_ok=True)
        (folder / f"{top}.json").write_bytes(Path(netlist).read_bytes())
        (folder / f"{top}.{ending}").write_text(pins)
        log = _run(command, folder, progress)
        if not report.is_file():
            kept = cache_directory("routed") / "nextpnr.log"
            write_atomically(kept, log)
            raise LiteFormerError(f"the router found no solution for the {device} ({routing.reason(log)}); see {kept}")
        (folder / f"{top}.json").unlink()
    return routing.read_report(report, clock_mhz), folder / f"{top}.routed.json"


def _run(command, folder, progress):
    """Run a router in a folder; its output as text, also in nextpnr.log there."""
    lines = []
    with subprocess.Popen(command, cwd=folder, text=True, env=openfpga.environment(area.environment()),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace") as process:
        try:
            for line in process.stdout:
                lines.append(line)
                if progress and line.startswith("Info: ") and line.rstrip().endswith(".."):
                    progress(None, None, line[6:].strip(" .\n").lower())
        except BaseException:
            process.kill()
            raise
    write_atomically(folder / "nextpnr.log", "".join(lines))
    return "".join(lines)
