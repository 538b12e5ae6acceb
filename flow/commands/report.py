# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer report`: everything about a model on its hardware, on one page."""

from pathlib import Path
from typing import Annotated

import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.boards import BOARDS
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.measure.energy_coefficients import CONFIGURATION_MJ
from liteformer.flow.report.run import OUT, run_report

ENERGY, FILES = "Energy estimate", "Files"


def report(
    model: Annotated[str, typer.Argument(metavar="MODEL|BUILD", help="Directory of a trained model, a model file, or a project "
                                         "written by `liteformer build`.")],
    soc: Annotated[int, typer.Option(metavar="N", help="Windows to run on the simulated SoC.")] = 64,
    out: Annotated[str | None, typer.Option(metavar="DIR", help=f"Folder of report.json and report.html; {OUT} if left out.",
                                            rich_help_panel=FILES)] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE.html", help="File of the page; report.json is written next to it "
                                             "unless --out names another folder.", rich_help_panel=FILES)] = None,
    saif: Annotated[str | None, typer.Option(metavar="DIR", help="Also write the switching activity of one inference and a Tcl "
                                             "script for Vivado's report_power.", rich_help_panel=FILES)] = None,
    board: Annotated[str | None, typer.Option(help=f"Take the FPGA of a board: {', '.join(BOARDS)}.",
                                              rich_help_panel=options.HARDWARE)] = None,
    device: options.Device = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC; if left out the one in the model's folder, otherwise "
                                            "vexriscv.", rich_help_panel=options.HARDWARE)] = None,
    sys_clk_freq: Annotated[float | None, typer.Option(help="Clock in Hz; 100e6, or the project's, if left out.",
                                                       rich_help_panel=options.HARDWARE)] = None,
    no_area: Annotated[bool, typer.Option("--no-area", help="Skip synthesis and the energy estimate.",
                                          rich_help_panel=options.HARDWARE)] = False,
    period: Annotated[float | None, typer.Option(metavar="SECONDS", help="Energy of a day with one inference per period.",
                                                 rich_help_panel=ENERGY)] = None,
    configuration_mj: Annotated[float, typer.Option(help="Millijoules to switch on and configure the FPGA; the default was "
                                                    "measured on an XC7S15 with its fastest settings.",
                                                    rich_help_panel=ENERGY)] = CONFIGURATION_MJ,
    idle_mw: Annotated[float | None, typer.Option(help="Milliwatts of the configured, waiting FPGA; the estimate's own "
                                                  "figure if left out.", rich_help_panel=ENERGY)] = None,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    as_json: options.Json = False,
):
    """Everything about a model on its hardware: accuracy, cycles, latency, area, energy estimate, and the paper's figures.

    Two minutes, less when repeated. Writes report.json for machines and report.html, a page in a single file.

    Examples:

    liteformer report build/airu4

    liteformer report build/airu4 --json --html build/report.html

    liteformer report build/airu4 --board arty_a7 --period 60

    liteformer report build/seeed_spartan_edge --saif build/power
    """
    at_least("soc", soc, 1)
    if html and not html.endswith((".html", ".htm")):
        raise LiteFormerError(f"--html {html} does not end in .html; name a file such as build/report.html")
    if sys_clk_freq is not None and sys_clk_freq < 1e6:
        raise LiteFormerError(f"--sys-clk-freq is {sys_clk_freq:g} Hz; choose at least 1e6")
    for name, value in (("--period", period), ("--idle-mw", idle_mw), ("--configuration-mj", configuration_mj)):
        if value is not None and not 0 < value < float("inf"):
            raise LiteFormerError(f"{name} is {value:g}; choose more than 0")
    if no_area and (saif or period):
        raise LiteFormerError(f"{'--saif' if saif else '--period'} needs the energy estimate that --no-area leaves out; "
                              "drop one of them")
    folder = out or (str(Path(html).parent) if html else OUT)
    with console.work():
        result = run_report(model, out=folder, html=html or str(Path(folder) / "report.html"), soc=soc, area=not no_area,
                            board=board, device=device, cpu=cpu, clock_hz=sys_clk_freq, period=period,
                            configuration_mj=configuration_mj, idle_mw=idle_mw, saif=saif, seed=seed)
    from liteformer.flow.report.table import render
    console.emit(result, as_json, render)
