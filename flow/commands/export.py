# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer export`: the integer model for other runtimes, as ONNX, QONNX or C."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.runs.export import run_export


def _render(result):
    table = Table(title=f"Model {result['model_id'][:8]} in {result['out']}", show_header=False)
    if result["format"] == "c":
        table.add_row("function", f"{result['name']}_infer() in {result['name']}.c")
        table.add_row("working memory", f"{result['ram_bytes']:,} bytes")
        table.add_row("next", f"make -C {result['out']} test")
        return table
    runtime = {"onnx": "onnxruntime", "qonnx": "qonnx"}[result["format"]]
    table.add_row(f"windows run by {runtime}", f"{result['windows']:,}" if result["mismatches"] is not None else "none")
    if result["mismatches"] is not None:
        table.add_row("outputs that differ from the golden model", str(result["mismatches"]))
    return table


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    format: Annotated[Literal["onnx", "qonnx", "c"], typer.Option(
        help="onnx: a graph of integer operators. qonnx: the same with the width of every tensor. c: one C99 file and its "
             "header, for any microcontroller.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="PATH", help="ONNX file, or folder of the C files.")],
    windows: Annotated[int | None, typer.Option(help="Windows compared with the golden model; if left out 64, or 1,000 in the "
                                                "test of the C files.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of random windows, used where the model has no test set.")] = 1,
    name: Annotated[str | None, typer.Option(help="Of C files and functions; liteformer_model if left out.")] = None,
    as_json: options.Json = False,
):
    """Write the integer model for other runtimes; they compute the same bits as the core.

    Examples:

    liteformer export build/plant --format onnx -o build/plant.onnx

    liteformer export build/plant --format c -o build/plant_c && make -C build/plant_c test
    """
    with console.work():
        result = run_export(model, out, format=format, windows=windows, seed=seed, name=name)
    console.emit(result, as_json, _render)
