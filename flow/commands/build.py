# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer build`: the complete project of a board, and its bitstream if the toolchain is installed."""

from typing import Annotated

import typer
from rich.table import Table

from liteformer.accel.devices import DEFAULT_DEVICE, DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.boards import BOARDS
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.project.build import run_build


def _render(result):
    table = Table(title=f"Project for {result['board']} in {result['out']}", show_header=False)
    table.add_row("FPGA", result["part"])
    table.add_row("clock", f"{result['clock_hz'] / 1e6:g} MHz")
    table.add_row("inference", f"{result['cycles']:,} cycles = {1e6 * result['cycles'] / result['clock_hz']:.2f} µs")
    if result["cpu"]:
        table.add_row("firmware", f"{result['firmware_bytes']:,} of {result['rom_bytes']:,} bytes of ROM")
    report = result["report"]
    if report is None:
        table.add_row("next", f"see {result['out']}/README.md")
        return table
    table.add_row("bitstream", f"{result['out']}/{report['bitstream']}")
    for name, site in report.get("utilization", {}).items():
        table.add_row(name, f"{site['used']:,} of {site['available']:,}")
    if "timing" in report:
        met = "" if report["timing"]["met"] else ", [red]not met[/]"
        table.add_row("setup slack", f"{report['timing']['setup_slack_ns']} ns{met}")
        table.add_row("power, estimated", f"{report['power']['total_w']} W (confidence {report['power']['confidence']})")
    table.add_row("next", f"liteformer load --board {result['board']} --dir {result['out']}")
    return table


def build(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    board: Annotated[str, typer.Option(help=f"One of {', '.join(BOARDS)}.")],
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of the project; build/BOARD if left out.")] = None,
    no_compile: Annotated[bool, typer.Option("--no-compile", help="Write the project without running the toolchain.")] = False,
    toolchain: Annotated[str | None, typer.Option(help="vivado; arty_a7 also has openxc7.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC, or none; if left out, the one in the model's folder, or the "
                                          "board's own choice, if left out.")] = None,
    sys_clk_freq: Annotated[float, typer.Option(help="Clock in Hz.")] = 100e6,
    device: Annotated[str | None, typer.Option(
        help=f"FPGA whose budget counts with board sim, the others have their own: {', '.join(DEVICES)}; if left out the one "
             f"in the model's folder, otherwise {DEFAULT_DEVICE}.", rich_help_panel=options.HARDWARE)] = None,
    application: Annotated[list[str] | None, typer.Option(
        metavar="FILE.c", help="C file that replaces the firmware of the serial line; may be repeated.")] = None,
    uartbone: Annotated[bool, typer.Option("--uartbone", help="The serial pins lead to the bus, for litex_server and `run "
                                           "--csr`; the CPU's own serial line then has no pins.")] = False,
    rows: options.Rows = None,
    columns: options.Columns = None,
    requantizers: options.Requantizers = None,
    dsp_lanes: options.DspLanes = None,
    loadable: options.Loadable = False,
    as_json: options.Json = False,
):
    """Write the complete project of a board, with firmware and weights inside, and run its toolchain.

    Examples:

    liteformer build build/airu4 --board seeed_spartan_edge --no-compile

    liteformer build build/airu4 --board arty_a7 --toolchain openxc7 --out build/arty

    liteformer build build/airu4 --board arty_a7 --application alarm.c --no-compile
    """
    overrides = {"device": device} | options.array(rows, columns, requantizers, dsp_lanes, loadable)
    if sys_clk_freq < 1e6:
        raise LiteFormerError(f"--sys-clk-freq is {sys_clk_freq:g} Hz; choose at least 1e6")
    with console.work():
        result = run_build(model, board, out or f"build/{board}", compile_gateware=not no_compile, toolchain=toolchain, cpu=cpu,
                           clock=sys_clk_freq, applications=application or (), uartbone=uartbone, overrides=overrides)
    console.emit(result, as_json, _render)
    timing = (result["report"] or {}).get("timing")
    if timing and not timing["met"]:
        raise LiteFormerError(f"the design misses {sys_clk_freq / 1e6:g} MHz by {-timing['setup_slack_ns']:g} ns; "
                              "build it again with a lower --sys-clk-freq")
