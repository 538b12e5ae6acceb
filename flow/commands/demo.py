# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer demo`: the whole flow on the built-in series, from training to the firmware's forecast on the simulated SoC."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.commands.tables import area_rows
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.measure import hardware
from liteformer.flow.runs.demo import PAPER_MS, run_demo


def _render(result):
    table = Table(title="From a series to a forecast computed by firmware on the simulated SoC",
                  caption=escape(f"Model and pictures in {result['out']}; forecast against truth: {result['picture']}"))
    table.add_column("figure")
    table.add_column("value", justify="right")
    labels = {"float": "float model", "integer": "integer model", "soc": "simulated SoC", "persistence": "last value repeated"}
    for key, text in labels.items():
        if result["rmse"][key] is not None:
            table.add_row(f"RMSE, {text}, {result['windows']} windows", f"{result['rmse'][key]:.3f}")
    table.add_row("SoC outputs that differ from the integer model", str(result["mismatches"]), end_section=True)
    cycles = result["cycles"]
    table.add_row("core, start to done", f"{cycles['accelerator']:,} cycles = {result['latency_us']:.2f} µs")
    table.add_row("firmware, sample in memory to result",
                  f"{cycles['end_to_end']:,} cycles = {hardware.microseconds(cycles['end_to_end']):.2f} µs")
    table.add_row("the paper, (12, 32, 4) on this chip, no CPU", f"{PAPER_MS} ms: {result['times_faster']:.0f}x slower")
    table.add_row("MAC utilization", f"{100 * result['utilization']:.1f} % of {result['lanes']} lanes", end_section=True)
    for row in area_rows(result["area"], result["device"]):
        table.add_row(*row)
    return table


def demo(
    out: Annotated[str, typer.Option(help="Directory for model and pictures.")] = "build/demo",
    windows: Annotated[int, typer.Option(help="Test windows to run on the SoC.")] = 64,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training phase; fewer are faster.")] = None,
    as_json: options.Json = False,
):
    """The whole flow on a built-in series, in less than five minutes.

    Trains a 4-bit model, generates the SoC, compiles its firmware, simulates them together, compares every forecast with the
    integer model, measures the area and draws forecast against truth.

    Example: liteformer demo
    """
    at_least("windows", windows, 1)
    with console.work():
        result = run_demo(out, windows, seed, epochs)
    console.emit(result, as_json, _render)
