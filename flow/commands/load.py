# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer load`: put a bitstream into the FPGA, through openFPGALoader or OpenOCD as LiteX does."""

import subprocess
from pathlib import Path
from typing import Annotated

import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.boards import BOARDS, check_board
from liteformer.flow.common import console
from liteformer.flow.project.files import ENDINGS, read_manifest
from liteformer.flow.project.programmer import loader_command


def load(
    board: Annotated[str, typer.Option(help=f"One of {', '.join(BOARDS)}.")],
    directory: Annotated[str | None, typer.Option("--dir", metavar="DIR",
                                                  help="Folder of the project; build/BOARD if left out.")] = None,
    cable: Annotated[str | None, typer.Option(help="JTAG cable as openFPGALoader names it.")] = None,
    openocd: Annotated[str | None, typer.Option(metavar="FILE.cfg", help="Use OpenOCD with this configuration.")] = None,
):
    """Load the bitstream of a built project into the board's FPGA; it is lost at power off.

    Examples:

    liteformer load --board arty_a7

    liteformer load --board seeed_spartan_edge --dir build/seeed --cable digilent_hs3
    """
    from liteformer.boards import load_board
    check_board(board)
    directory = Path(directory or f"build/{board}")
    manifest = read_manifest(directory)
    if manifest["board"] != board:
        raise LiteFormerError(f"{directory} holds a project for {manifest['board']}, not for {board}; "
                              "name another one with --dir")
    loader = load_board(board).LOADER
    if not loader:
        raise LiteFormerError(f"{board} has no FPGA to load; `liteformer simulate` runs a model on the simulated SoC")
    bitstream = directory / "gateware" / f"{manifest['top']}.{ENDINGS.get(manifest['toolchain'], 'bit')}"
    if not bitstream.is_file():
        raise LiteFormerError(f"there is no bitstream {bitstream}; {directory}/README.md says how to make it")
    command = loader_command(loader, bitstream, cable, openocd)
    console.note(" ".join(command))
    status = subprocess.run(command, check=False).returncode
    if status:
        raise LiteFormerError(f"{command[0]} failed with exit code {status}; check power, cable and access rights to the "
                              "USB device")
