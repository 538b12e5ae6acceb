# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer evaluate`: accuracy of a trained model on its test set, down to the simulated SoC."""

from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.common.metrics_table import LABELS, metrics_table
from liteformer.flow.runs.evaluate import run_evaluation

COMPARED = {"qat": "Quantization-aware (float32)", "soc": "Simulated SoC"}


def _render(result):
    table = metrics_table(result, result["test_windows"],
                          LABELS | {"soc": f"simulated SoC, {result['windows']} windows"})
    if result["mismatches"] is not None:
        table.add_row("numbers that differ from the integer model", str(result["mismatches"]))
    return Group(table, *(_render_departures(COMPARED[name], report) for name, report in result.get("explain", {}).items()))


def _render_departures(name, report):
    """Table of ``train.explain.departures``."""
    table = Table(title=f"{name} against integer: output differs in {report['differing']} of "
                        f"{report['windows']} windows, some tensor in {report['departing']}")
    for column in ("first difference at", "windows", "largest difference", "example"):
        table.add_column(column, justify="right" if column in ("windows", "largest difference") else "left")
    for entry in report["first"]:
        example = entry["example"]
        table.add_row(entry["tensor"], str(entry["windows"]), str(entry["largest"]),
                      f"window {example['window']} at {example['position']}: {example['got']}, integer {example['integer']}")
    return table


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory written by `liteformer train`.")],
    soc: Annotated[int, typer.Option(metavar="N", help="Also run N test windows on the simulated SoC: the first; for a "
                                          "classification spread ones, for anomalies around the first true alarm.")] = 0,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC; if left out the one in the model's folder, otherwise "
                                                "vexriscv.")] = None,
    device: options.Device = None,
    explain: Annotated[bool, typer.Option(
        "--explain", help="Report the first tensor at which the models, and the SoC, differ.")] = False,
    as_json: options.Json = False,
):
    """Measure a model on its test set: float, quantization-aware, integer and, with --soc, the simulated SoC.

    In the JSON object, windows are the compared ones: N with --soc, otherwise the whole test set.

    Examples:

    liteformer evaluate build/airu4

    liteformer evaluate build/airu4 --soc 869 --json

    liteformer evaluate build/airu4 --explain
    """
    at_least("soc", soc, 0)
    with console.work():
        result = run_evaluation(model, soc, cpu, explain, device)
    console.emit(result, as_json, _render)
