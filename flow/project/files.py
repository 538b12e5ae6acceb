# SPDX-License-Identifier: BSD-2-Clause
"""A board's project on disk: gateware, firmware, register map, and instructions."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import openfpga
from liteformer.flow.common.cache import file_names, record_files, whole_directory, write_atomically
from liteformer.flow.common.hardware_file import ARRAY, HardwareFile
from liteformer.flow.common.inputs import MODEL
from liteformer.flow.measure import area, routing, self_test

COMMAND = "liteformer build"
MANIFEST, REPORT = "liteformer.json", "report.json"
# Program that a toolchain needs, and its source.
# Ending of the bitstream by toolchain; of some names only those that a build makes are meant.
ENDINGS = {"vivado": "bit", "openxc7": "bit", "trellis": "bit", "apicula": "fs", "icestorm": "bin"}
BITSTREAMS = ("*.bit", "liteformer_soc.fs", "liteformer_soc.bin")
TOOLS = {
    "vivado": ("vivado", "Vivado", "install AMD Vivado and put it on PATH"),
    "openxc7": ("nextpnr-xilinx", "the openXC7 toolchain", "install it (github.com/openXC7/toolchain-installer)"),
}


def check_tool(toolchain):
    """Raises LiteFormerError if the programs of a toolchain are not installed."""
    if toolchain in openfpga.TOOLCHAINS:
        openfpga.check_programs(openfpga.TOOLCHAINS[toolchain].programs)
        return
    if toolchain not in TOOLS or (toolchain == "vivado" and os.environ.get("LITEX_ENV_VIVADO")):
        return
    program, title, advice = TOOLS[toolchain]
    if shutil.which(program) is None:
        raise LiteFormerError(f"{title} is not on PATH; {advice}, or write only the project with --no-compile")
    missing = [name for name in ("CHIPDB", "PRJXRAY_DB_DIR") if toolchain == "openxc7" and not os.environ.get(name)]
    if missing:
        raise LiteFormerError(f"openXC7 needs its data bases; set {' and '.join(missing)} to their folders")


def compiles_with(toolchain):
    """Whether a toolchain makes bitstreams."""
    return toolchain in ENDINGS


def write_project(compiled, name, directory, device, toolchain=None, compiles=False, home=None, dsp=True, **options):
    """Write the complete project of a board, or nothing.

    Args:
        compiled: CompiledModel. name: of the board. directory: replaced if it holds an earlier project.
        device: name of the FPGA that the model was compiled for. toolchain: None for the board's first. compiles: a
        bitstream that an earlier call has made may be replaced, because another one is made. home: where
        the folder will be in the end, None for ``directory``. dsp: multipliers may be DSP blocks. options: for the board's
        BaseSoC.
    Returns:
        dict, the project's manifest.
    Raises:
        LiteFormerError: no such toolchain, the firmware cannot be built, or the folder is in use for something else.
    """
    from liteformer.accel.core import LiteFormerCore
    from liteformer.boards import load_board
    from liteformer.boards.target import BUILD_NAME, ProjectBuilder, leave_out_dsp
    from liteformer.soc.registers import soc_registers
    board = load_board(name)
    toolchain = toolchain or board.TOOLCHAINS[0]
    if toolchain not in board.TOOLCHAINS:
        raise LiteFormerError(f"{name} has no toolchain {toolchain}; choose {' or '.join(board.TOOLCHAINS)}")
    with whole_directory(directory, MANIFEST, COMMAND, () if compiles else BITSTREAMS) as folder:
        soc = board.BaseSoC(LiteFormerCore(compiled), toolchain=toolchain, **options)
        if not dsp:
            leave_out_dsp(soc.platform.toolchain)
        ProjectBuilder(soc, output_dir=str(folder), csr_svd=str(folder / "csr.svd")).build(run=False)
        if soc.firmware:
            (folder / "firmware.bin").write_bytes(soc.firmware)
        (folder / "registers.md").write_text(soc_registers(soc))
        compiled.model.save(folder / MODEL)
        manifest = {
            "board": name, "part": soc.platform.device, "toolchain": toolchain, "model_id": compiled.model.id,
            "clock_hz": soc.sys_clk_freq, "cpu": soc.cpu_type, "top": BUILD_NAME, "cycles": compiled.cycles,
            "loadable": compiled.hw.loadable,
            "firmware_bytes": len(soc.firmware or b""), "rom_bytes": soc.integrated_rom_size if soc.cpu_type else 0,
            "self_test": self_test.noticed(compiled) if soc.cpu_type else None,
        }
        HardwareFile(model_id=compiled.model.id, device=device, cpu=soc.cpu_type or "none", loadable=compiled.hw.loadable,
                     **{name: getattr(compiled.hw, name) for name in ARRAY}).write(folder)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=4) + "\n")
        (folder / "README.md").write_text(_readme(manifest, Path(home or directory)))
        manifest["files"] = file_names(folder)
    return manifest


def read_manifest(directory):
    """The manifest of a written project.

    Raises:
        LiteFormerError: there is none.
    """
    path = Path(directory) / MANIFEST
    if not path.is_file():
        raise LiteFormerError(f"no project in {directory}; `liteformer build MODEL --board BOARD --out {directory}` makes one")
    return json.loads(path.read_text())


def read_report(directory):
    """Vivado's figures of a compiled project, None where the toolchain has not run."""
    path = Path(directory) / REPORT
    return json.loads(path.read_text()) if path.is_file() else None


def compile_project(directory):
    """Run the toolchain on a written project and read its reports into report.json.

    Returns:
        dict ``bitstream``, and with Vivado ``utilization``, ``timing``, ``power``, with an open router of a Python package that
        of ``routing.read_report``.
    Raises:
        LiteFormerError: the toolchain fails.
    """
    from liteformer.flow.project.vivado import read_reports
    directory = Path(directory).resolve()
    manifest, gateware = read_manifest(directory), directory / "gateware"
    is_open = manifest["toolchain"] in openfpga.TOOLCHAINS
    environment = openfpga.environment(area.environment()) if is_open else None
    with (gateware / "build.log").open("w") as log:
        status = subprocess.run(["bash", f"build_{manifest['top']}.sh"], cwd=gateware, stdout=log, stderr=subprocess.STDOUT,
                                env=environment, check=False).returncode
    # What the toolchain has made is this command's own.
    record_files(directory, MANIFEST, COMMAND)
    bitstream = gateware / f"{manifest['top']}.{ENDINGS[manifest['toolchain']]}"
    if status or not bitstream.is_file():
        lines = [line for line in (gateware / "build.log").read_text(errors="replace").splitlines() if "ERROR" in line]
        raise LiteFormerError(f"the toolchain made no bitstream ({lines[0].strip() if lines else 'no reason given'}); "
                              f"see {gateware / 'build.log'}")
    report = {"bitstream": str(bitstream.relative_to(directory))}
    if is_open:
        report |= routing.read_report(gateware / f"{manifest['top']}.report", round(manifest["clock_hz"] / 1e6, 6))
    if manifest["toolchain"] == "vivado":
        report |= read_reports(gateware, manifest["top"])
    write_atomically(directory / REPORT, json.dumps(report, indent=4) + "\n")
    record_files(directory, MANIFEST, COMMAND)
    return report


def _self_test(manifest):
    found = manifest["self_test"]
    if not found:
        return ""
    checksum = " The checksum notices every flip of the memories that are loaded." if manifest["loadable"] else ""
    return (f"\n\nThe self-test runs {found['windows']} known windows, which notice {found['noticed']} of {found['flips']} "
            f"single-bit flips in the model's memories, tried in the integer model at random places.{checksum}")


def _readme(manifest, directory):
    top, board = manifest["top"], manifest["board"]
    run = f"```\ncd gateware && bash build_{top}.sh\n```"
    cpu = manifest["cpu"] or "none"
    steps = {
        "vivado": f"Bitstream, with Vivado on PATH:\n\n{run}\n\nIt runs `{top}.tcl`: synthesis, placement, routing, reports "
                  f"(`{top}_*.rpt`), `{top}.bit`.",
        "openxc7": "Bitstream, with openXC7 on PATH, `CHIPDB` naming the folder of nextpnr-xilinx' chip data bases and "
                   f"`PRJXRAY_DB_DIR` that of Project X-Ray:\n\n{run}",
        "verilator": f"There is no bitstream: `gateware/{top}.v` is for simulators, its memory images are read from the "
                     "folder that the simulator runs in.",
    } | {name: f"Bitstream, with {', '.join(tools.programs)} on PATH (`{openfpga.INSTALL}` brings them as yowasp-...):\n\n{run}"
         for name, tools in openfpga.TOOLCHAINS.items()}
    steps = steps[manifest["toolchain"]]
    load = "" if manifest["toolchain"] == "verilator" else f"\nLoad it: `liteformer load --board {board} --dir {directory}`\n"
    firmware = "| `firmware.bin` | content of the ROM |\n" if manifest["cpu"] else ""
    return f"""# LiteFormer on {board}

Model {manifest['model_id'][:8]}, {manifest['part']}, {manifest['clock_hz'] / 1e6:g} MHz, CPU {cpu}; an inference takes
{manifest['cycles']} clock cycles.{_self_test(manifest)}

{steps}
{load}
| file | content |
|---|---|
| `gateware/` | Verilog, memory images (`.init`), constraints, scripts |
| `software/include/generated/` | C headers of registers and memories |
{firmware}| `registers.md`, `csr.json`, `csr.csv`, `csr.svd` | register map |
| `liteformer.json`, `model.safetensors` | sources of this project: options and model |

Wiring and steps on the board: docs/boards.md of LiteFormer.
"""
