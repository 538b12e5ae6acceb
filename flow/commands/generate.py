# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer generate`: the stand-alone core as Verilog, for a system without LiteX."""

from typing import Annotated

import typer
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.project.core import run_generate


def _render(result):
    table = Table(title=f"Stand-alone core in {result['out']}", show_header=False)
    table.add_row("module", result["core"])
    table.add_row("inference", f"{result['cycles']:,} cycles")
    table.add_row("files", str(len(result["files"])))
    table.add_row("next", f"make -C {result['out']} test")
    return table


def generate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR", help="Folder for the core.")],
    windows: Annotated[int, typer.Option(help="Windows of the test bench.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    device: options.Device = None,
    rows: options.Rows = None,
    columns: options.Columns = None,
    requantizers: options.Requantizers = None,
    dsp_lanes: options.DspLanes = None,
    pump: options.Pump = None,
    loadable: options.Loadable = False,
    as_json: options.Json = False,
):
    """Write the core as one Verilog module with a Wishbone port, with register map, C driver and test bench.

    Examples:

    liteformer generate build/airu4 -o build/core

    make -C build/core test
    """
    overrides = {"device": device} | options.array(rows, columns, requantizers, dsp_lanes, pump, loadable)
    with console.work():
        result = run_generate(model, out, windows=windows, seed=seed, overrides=overrides)
    console.emit(result, as_json, _render)
