# SPDX-License-Identifier: BSD-2-Clause
"""Builds a shared object that simulates a written design, once for each distinct design.

The cache key is the Verilog, not the memory contents: those are read when a simulation starts, so designs that differ only in
firmware or weights share one build. A file of the cache that is damaged is made again, once.
"""

import _ctypes
import ctypes
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.cache import VARIABLE, cache_folder
from liteformer.soc.sealed import sealed, unsealed

CLOCK_LOOP = Path(__file__).with_name("clock_loop.cpp")
VERILATOR_FLAGS = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-lint", "-Wno-style",
                   "-Wno-MULTIDRIVEN", "-Wno-TIMESCALEMOD", "-Wno-BLKANDNBLK", "-Wno-ENUMVALUE"]
# pyverilator always asks for a trace, whose code takes a third of the compiler's time; this file leaves it empty.
UNTRACED = '`verilator_config\ntracing_off -file "*"\n'
UNTRACED_FLAGS = ["--trace-depth", "1", "untraced.vlt"]

# Inputs of a top module that are a clock of twice the frequency, in phase with the first.
PUMPED_CLOCKS = ("sys2x_clk", "clk2x")

FORMAT = "sealed"  # Of the files in the cache; those of another one have other names.

# Levels of the C++ optimizer. (12, 32, 4): 1.4, 4.4 and 8.2 s to compile, 0.25, 1.0 and 2.0 million cycles per second.
LEVELS = (0, 1, 3)
FASTEST = LEVELS[-1]
# Cycles up to which a lower level is faster, compilation included.
WORTH = {0: 1_000_000, 1: 8_000_000}

# pyverilator writes to the standard output, which belongs to the caller: it runs in a separate process.
GENERATE = """
import json, sys
from pyverilator import PyVerilator
PyVerilator.build(gen_only=True, **json.loads(sys.argv[1]))
"""


def level_for(cycles):
    """The optimizer's level that is fastest for ``cycles`` clock cycles, compilation included."""
    return next((level for level, most in WORTH.items() if cycles <= most), FASTEST)


def _tool(name):
    path = shutil.which(name)
    if path is None:
        raise LiteFormerError(f"{name} is not installed; install it (Debian: apt-get install verilator g++ make)")
    return path


def _run(command, **kwargs):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    if result.returncode:
        lines = (result.stderr + result.stdout).splitlines()
        lines = [line for line in lines if "rror" in line] or lines or [""]
        raise LiteFormerError(f"the simulator cannot be built: {lines[0].strip()}")
    return result.stdout


def _headers(design):
    """Files that the sources include, and those that these include: others of their folders are modules that must stay out."""
    found, unread = {}, list(design.sources)
    while unread:
        for name in re.findall(r'`include\s+"([^"]+)"', unread.pop().read_text(errors="replace")):
            places = [folder / name for folder in design.include_dirs if (folder / name).is_file()]
            if places and name not in found:
                found[name] = places[0]
                unread.append(places[0])
    return [found[name] for name in sorted(found)]


def _key(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode() if not isinstance(part, Path) else
                      # LiteX writes date and revision into comments.
                      re.sub(r"(?m)^ *//.*$", "", part.read_text()).encode())
    return digest.hexdigest()[:32]


def build_simulator(design, trace=False, cycles_per_bit=None, cache_dir=None, loop=CLOCK_LOOP, level=FASTEST):
    """Compile ``design`` with Verilator, or use an earlier build of the same sources.

    Args:
        design: generate.Design. trace: whether the simulator can write FST traces (slower), or "vcd" for VCD.
        cycles_per_bit: of a real UART; None for the byte stream. cache_dir: default ``default_cache()``.
        loop: C++ file that clocks the model. level: of the C++ optimizer, one of LEVELS; a build of a higher one is used too.
    Returns:
        Path of the shared object.
    Raises:
        LiteFormerError: a tool is missing or the build fails.
    """
    verilator, compiler = _tool("verilator"), _tool("g++")
    _tool("make")
    cache = cache_folder(root=cache_dir)
    tools = (_run([verilator, "--version"]), _run([compiler, "-dumpfullversion"]))
    key = _key(*design.sources, *_headers(design), loop, trace, cycles_per_bit, VERILATOR_FLAGS, UNTRACED_FLAGS, tools,
               design.name, FORMAT)
    # Of several processes that need the same build, one makes it.
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for better in (one for one in LEVELS if one >= level):
            if (found := cache / f"{key}-O{better}.so").exists():
                if not (fault := _fault(found)):
                    return found
                _note(f"the simulator {found} is damaged ({fault}) and is built again")
                found.unlink()
        target, library = cache / f"{key}-O{level}.so", cache / f"verilated-{_key(tools, trace, FORMAT)}"
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            built = _compile(design, trace, cycles_per_bit, loop, level, Path(temporary), library)
            built.write_bytes(sealed(built.read_bytes()))
            if fault := _fault(built):
                raise LiteFormerError(f"the simulator was built but cannot be loaded ({fault}); check the disk of {cache}, or "
                                      f"set the environment variable {VARIABLE} to another folder")
            os.replace(built, target)
    return target


def _note(text):
    print(f"note: {text}", file=sys.stderr)


def _fault(path):
    """Why a shared object cannot be used, "" if it can."""
    try:
        # First, because a shared object that was cut off can kill the process that loads it.
        unsealed(path.read_bytes())
        _ctypes.dlclose(ctypes.CDLL(str(path))._handle)
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def _compile(design, trace, cycles_per_bit, loop, level, directory, library):
    """Build in ``directory``, by bare names: make cannot quote a path with a blank."""
    for path in (*design.sources, *_headers(design)):
        shutil.copy(path, directory)
    (directory / "untraced.vlt").write_text(UNTRACED)
    arguments = [*VERILATOR_FLAGS, *([] if trace else UNTRACED_FLAGS), "--top-module", design.name, "-I.",
                 *(path.name for path in design.sources if path != design.top)]
    options = {"top_verilog_file": design.top.name, "build_dir": ".", "args": arguments, "cargs": "-O2",
               "dump_fst": trace is True}
    _run([sys.executable, "-c", GENERATE, json.dumps(options)], cwd=directory)
    macros = f"#define SOC_MODEL V{design.name}\n"
    if cycles_per_bit:
        macros += f"#define SOC_CYCLES_PER_BIT {cycles_per_bit}\n"
    pumped = next((name for name in PUMPED_CLOCKS if re.search(rf"\binput\b.*\b{name}\b", design.top.read_text())), None)
    second = f"top->{pumped} = 1; top->eval(); top->{pumped} = 0; " if pumped else ""
    macros += f"static inline void evaluate(SOC_MODEL* top) {{ {second}top->eval(); }}\n"
    with (directory / "pyverilator_wrapper.cpp").open("a") as wrapper:
        wrapper.write("\n" + macros + loop.read_text())
    # Verilator's own library is the same for every design: compiled once, a third of the time of a build.
    _take(library, directory)
    # One file instead of a dozen: the headers take longer than the code. Verilator's rules refuse a current directory with
    # a blank, which has no effect here.
    _run(["make", f"-j{os.cpu_count()}", "-f", f"V{design.name}.mk", "CURDIR=.", "LDFLAGS=-fPIC -shared",
          "VM_PARALLEL_BUILDS=0", f"OPT_FAST=-O{level}", "OPT_SLOW=-O1"], cwd=directory)
    _keep(directory.glob("verilated*.o"), library)
    return directory / f"V{design.name}"


def _take(library, directory):
    """Copy the object files of the folder ``library``, if there is one, into ``directory``; damaged ones are removed."""
    try:
        contents = {path.name: unsealed(path.read_bytes()) for path in library.glob("*.o")}
    except (OSError, ValueError) as error:
        _note(f"Verilator's objects in {library} are damaged ({error}) and are compiled again")
        shutil.rmtree(library, ignore_errors=True)
        return
    for name, content in contents.items():
        (directory / name).write_bytes(content)


def _keep(objects, library):
    """Copy object files into the folder ``library``, completely or not at all, unless it exists."""
    if library.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=library.parent) as temporary:
        whole = Path(temporary) / "whole"
        whole.mkdir()
        for path in objects:
            (whole / path.name).write_bytes(sealed(path.read_bytes()))
        try:
            whole.rename(library)
        except OSError:  # Another process was faster.
            if not library.is_dir():
                raise
