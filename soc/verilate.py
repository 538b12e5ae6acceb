"""Builds a shared object that simulates a written design, once for each distinct design.

The cache key is the Verilog, not the memory contents: those are read when a simulation starts, so designs that differ in
firmware or weights only share one build.
"""

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

CLOCK_LOOP = Path(__file__).with_name("clock_loop.cpp")
VERILATOR_FLAGS = ["-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-lint", "-Wno-style",
                   "-Wno-MULTIDRIVEN", "-Wno-TIMESCALEMOD"]
# pyverilator always asks for a trace; kept to the ports, it does not hold the optimizer back (a third faster).
UNTRACED_FLAGS = ["--trace-depth", "1"]

# pyverilator writes to the standard output, which belongs to the caller: it runs in a process of its own.
GENERATE = """
import json, sys
from pyverilator import PyVerilator
PyVerilator.build(gen_only=True, **json.loads(sys.argv[1]))
"""


def default_cache():
    """Where builds are kept: the environment variable LITEFORMER_CACHE, else ~/.cache/liteformer."""
    return Path(os.environ.get("LITEFORMER_CACHE") or Path.home() / ".cache" / "liteformer")


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


def _key(design, options, version, loop):
    digest = hashlib.sha256()
    includes = [path for folder in design.include_dirs for path in sorted(folder.glob("*.vh"))]
    for path in (*design.sources, *includes, loop):
        # LiteX writes date and revision into comments.
        digest.update(re.sub(r"(?m)^ *//.*$", "", path.read_text()).encode())
    digest.update(repr((options, VERILATOR_FLAGS, UNTRACED_FLAGS, version, design.name)).encode())
    return digest.hexdigest()[:32]


def build_simulator(design, trace=False, cycles_per_bit=None, cache_dir=None, loop=CLOCK_LOOP, quick=False):
    """Compile ``design`` with Verilator, or take an earlier build of the same sources.

    Args:
        design: generate.Design. trace: whether the simulator can write FST traces (slower), or "vcd" for VCD.
        cycles_per_bit: of a real UART; None for the byte stream. cache_dir: default ``default_cache()``.
        loop: C++ file that clocks the model. quick: compile in less time to a simulator that takes more.
    Returns:
        Path of the shared object.
    Raises:
        LiteFormerError: a tool is missing or the build fails.
    """
    verilator = _tool("verilator")
    _tool("g++")
    _tool("make")
    cache = Path(cache_dir or default_cache()).resolve()
    cache.mkdir(parents=True, exist_ok=True)
    options = (trace, cycles_per_bit, *(["quick"] if quick else []))
    target = cache / f"{_key(design, options, _run([verilator, '--version']), loop)}.so"
    if target.exists():
        return target
    # One of several processes that need the same build makes it.
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            os.replace(_compile(design, trace, cycles_per_bit, loop, quick, Path(temporary)), target)
    return target


def _compile(design, trace, cycles_per_bit, loop, quick, directory):
    arguments = [*VERILATOR_FLAGS, *([] if trace else UNTRACED_FLAGS), "--top-module", design.name,
                 *(f"-I{path}" for path in design.include_dirs), *(str(path) for path in design.sources if path != design.top)]
    options = {"top_verilog_file": str(design.top), "build_dir": str(directory), "args": arguments, "cargs": "-O2",
               "dump_fst": trace is True}
    _run([sys.executable, "-c", GENERATE, json.dumps(options)], cwd=directory)
    macros = f"#define SOC_MODEL V{design.name}\n"
    if cycles_per_bit:
        macros += f"#define SOC_CYCLES_PER_BIT {cycles_per_bit}\n"
    with (directory / "pyverilator_wrapper.cpp").open("a") as wrapper:
        wrapper.write("\n" + macros + loop.read_text())
    _run(["make", f"-j{os.cpu_count()}", "-C", str(directory), "-f", f"V{design.name}.mk", "LDFLAGS=-fPIC -shared",
          f"OPT_FAST={'-O1' if quick else '-O3'}", "OPT_SLOW=-O1"])
    return directory / f"V{design.name}"
