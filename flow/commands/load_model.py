# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer load-model`: another model into a running board, over its serial line, without synthesis."""

from typing import Annotated

import typer
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.common import console, inputs
from liteformer.flow.stream.load_model import run_load


def _render(result):
    table = Table(title="Model loaded", show_header=False)
    table.add_row("model in the device", f"{result['model_id'][:8]}, before {result['replaced']}")
    table.add_row("sent", f"{4 * result['parts']:,} bytes")
    table.add_row("self-test", result["self_test"])
    table.add_row(f"outputs of {result['windows']} random windows that differ from the golden model", str(result["mismatches"]))
    table.add_row("inference", f"{result['cycles']:,} cycles")
    return table


def load_model(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    into: Annotated[str, typer.Option(metavar="BUILD", help="Source of the device's build: the project folder of "
                                      "`liteformer build --loadable`, or the model.")],
    port: Annotated[str | None, typer.Option(help="Serial port of the board, such as /dev/ttyUSB0.")] = None,
    baudrate: Annotated[int, typer.Option(help="Baud rate of the serial port, as in the design.")] = 115200,
    sim: Annotated[bool, typer.Option("--sim", help="Try it on the simulated SoC.")] = False,
    device: options.Device = None,
    windows: Annotated[int, typer.Option(help="Random windows to compare with the golden model afterwards.")] = 16,
    as_json: options.Json = False,
):
    """Replace the model of a running board, in seconds; the new one has the same shape, or a smaller d_model or ffn.

    The device refuses to run until the checksum over all its memories is right; a broken transfer leaves it without a model.

    Examples:

    liteformer build build/airu4 --board seeed_spartan_edge --loadable --no-compile --out build/board

    liteformer load-model build/airu4-june --into build/board --port /dev/ttyUSB0

    liteformer load-model build/airu4-june --into build/airu4 --sim --json
    """
    inputs.at_least("windows", windows, 1)
    inputs.at_least("baudrate", baudrate, 1)
    with console.work():
        result = run_load(model, into, port=port, baudrate=baudrate, sim=sim, device=device, windows=windows)
    console.emit(result, as_json, _render)
