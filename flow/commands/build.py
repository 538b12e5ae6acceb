# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer build`: the complete project of a board, and its bitstream if the toolchain is installed."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from liteformer.accel.devices import DEFAULT_DEVICE, DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.boards import BOARDS
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.measure.routing import explain
from liteformer.flow.project.build import run_build
from liteformer.flow.project.clock import AUTO, clock_below


def _render(result):
    table = Table(title=f"Project for {result['board']} in {result['out']}", show_header=False)
    table.add_row("FPGA", result["part"])
    table.add_row("clock", f"{result['clock_hz'] / 1e6:g} MHz")
    table.add_row("inference", f"{result['cycles']:,} cycles = {1e6 * result['cycles'] / result['clock_hz']:.2f} µs")
    if result["cpu"]:
        table.add_row("firmware", f"{result['firmware_bytes']:,} of {result['rom_bytes']:,} bytes of ROM")
        found = result["self_test"]
        table.add_row("self-test", f"notices {found['noticed']} of {found['flips']} flipped bits of the model")
    report = result["report"]
    if report is None:
        table.add_row("next", f"see {result['out']}/README.md")
        return table
    table.add_row("bitstream", f"{result['out']}/{report['bitstream']}")
    for name, site in (report.get("utilization") or report.get("cells") or {}).items():
        table.add_row(name, f"{site['used']:,} of {site['available']:,}")
    if "timing" in report:
        met = "" if report["timing"]["met"] else ", [red]not met[/]"
        table.add_row("setup slack", f"{report['timing']['setup_slack_ns']} ns{met}")
        table.add_row("power, estimated", f"{report['power']['total_w']} W (confidence {report['power']['confidence']})")
    if "fmax_mhz" in report:
        met = "" if report["met"] else ", [red]not met[/]"
        table.add_row("routed", f"{report['fmax_mhz']:g} MHz for {report['clock_mhz']:g} MHz{met}")
    table.add_row("next", f"liteformer load --board {result['board']} --dir {result['out']}")
    return table


def build(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    board: Annotated[str, typer.Option(help=f"One of {', '.join(BOARDS)}.")],
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of the project; build/BOARD if left out.")] = None,
    no_compile: Annotated[bool, typer.Option("--no-compile", help="Write the project without running the toolchain.")] = False,
    toolchain: Annotated[str | None, typer.Option(help="The board's own if left out; arty_a7 and arty_s7 have vivado and "
                                                "openxc7.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC, or none; if left out, the one in the model's folder, or the "
                                          "board's own choice, if left out.")] = None,
    sys_clk_freq: Annotated[str | None, typer.Option(
        metavar="HZ|auto", help="Clock in Hz, or auto: the fastest that the routed design keeps. If left out auto on the "
                                "boards with an open router, elsewhere 100e6.")] = None,
    dsp: Annotated[Literal["auto", "none"], typer.Option(help="none: all multipliers are made of LUTs; for the open toolchains."
                                                         )] = "auto",
    device: Annotated[str | None, typer.Option(
        help=f"FPGA whose budget counts with board sim, the others have their own: {', '.join(DEVICES)}; if left out the one "
             f"in the model's folder, otherwise {DEFAULT_DEVICE}.", rich_help_panel=options.HARDWARE)] = None,
    application: Annotated[list[str] | None, typer.Option(
        metavar="FILE.c", help="C file that replaces the firmware of the serial line; may be repeated.")] = None,
    sensor: Annotated[Literal["xadc", "i2c"] | None, typer.Option(
        help="Adds LiteX's core for a thermometer, that of the FPGA or one on I2C, and firmware that watches it.")] = None,
    uartbone: Annotated[bool, typer.Option("--uartbone", help="The serial pins lead to the bus, for litex_server and `run "
                                           "--csr`; the CPU's own serial line then has no pins.")] = False,
    rows: options.Rows = None,
    columns: options.Columns = None,
    requantizers: options.Requantizers = None,
    dsp_lanes: options.DspLanes = None,
    pump: options.Pump = None,
    loadable: options.Loadable = False,
    as_json: options.Json = False,
):
    """Write the complete project of a board, with firmware and weights inside, and run its toolchain.

    Examples:

    liteformer build build/airu4 --board seeed_spartan_edge --no-compile

    liteformer build build/airu4 --board arty_a7 --toolchain openxc7 --out build/arty

    liteformer build build/airu4 --board arty_a7 --application alarm.c --no-compile

    liteformer build build/watch --board arty_a7 --sensor xadc
    """
    overrides = {"device": device} | options.array(rows, columns, requantizers, dsp_lanes, pump, loadable)
    clock = _clock(sys_clk_freq)
    with console.work():
        result = run_build(model, board, out or f"build/{board}", compile_gateware=not no_compile, toolchain=toolchain, cpu=cpu,
                           clock=clock, dsp=dsp == "auto", applications=application or (), uartbone=uartbone,
                           overrides=overrides, sensor=sensor)
    console.emit(result, as_json, _render)
    report = result["report"] or {}
    timing = report.get("timing")
    if timing and not timing["met"]:
        raise LiteFormerError(f"the design misses {result['clock_hz'] / 1e6:g} MHz by {-timing['setup_slack_ns']:g} ns; "
                              "build it again with a lower --sys-clk-freq")
    if report.get("met") is False:
        lower = clock_below(board, 1e6 * report["fmax_mhz"]) / 1e6
        raise LiteFormerError(f"{explain(report, round(lower, 3))}; build it again with --sys-clk-freq {lower:.6g}e6 or auto")


def _clock(text):
    """Hz, AUTO or None."""
    if text in (None, AUTO):
        return text
    try:
        clock = float(text)
    except ValueError:
        raise LiteFormerError(f"--sys-clk-freq is {text}; give Hz, such as 50e6, or auto") from None
    if not clock >= 1e6:
        raise LiteFormerError(f"--sys-clk-freq is {clock:g} Hz; choose at least 1e6")
    return clock
