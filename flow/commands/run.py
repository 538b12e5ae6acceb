# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer run`: a data set, a CSV or lines from a pipe through a device, forecast by forecast."""

from contextlib import ExitStack
from typing import Annotated

import typer
from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least, load_model
from liteformer.flow.common.metrics_table import columns
from liteformer.flow.stream.device import open_device
from liteformer.flow.stream.run import open_source, run_device
from liteformer.train.data import registry


def _render(result):
    table = Table(title="Device against truth and golden model")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("windows", str(result["windows"]))
    if result["left_out"]:
        table.add_row("windows skipped: missing values or gaps", str(result["left_out"]))
    table.add_row("numbers that differ from the golden model", str(result["mismatches"]))
    for text, figure in columns(result).items():
        for who, value in figure.items():
            if value is not None:
                unit = f" {result['unit']}" if result["task"] == "forecast" and result["unit"] else ""
                table.add_row(f"{text}{', last value repeated' * (who == 'persistence')}", f"{value:.3f}{unit}")
    for name, text in (("accelerator", "core, start to done"), ("end_to_end", "firmware, sample in memory to result")):
        if result["cycles"][name] is not None:
            table.add_row(f"{text}, slowest window", f"{result['cycles'][name]:,} cycles = "
                                                     f"{result['latency_us'][name]:.2f} µs at {result['clock_mhz']:g} MHz")
    table.add_row("rate over the line" if result["link"] != "simulation" else "rate of the simulation",
                  f"{result['windows_per_second']:,} windows per second")
    if result["repeated"] or result["lost"]:
        table.add_row("requests sent again, replies lost", f"{result['repeated']}, {result['lost']}")
    return table


def run(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    port: Annotated[str | None, typer.Option(help="Serial port of the board, such as /dev/ttyUSB0.")] = None,
    baudrate: Annotated[int, typer.Option(help="Baud rate of the serial port, as in the design.")] = 115200,
    sim: Annotated[bool, typer.Option("--sim", help="Run on the simulated SoC, through the same serial protocol.")] = False,
    csr: Annotated[str | None, typer.Option(metavar="csr.csv", help="Drive the core's registers through litex_server; the "
                                            "register map that LiteX wrote (CSV or JSON).")] = None,
    server: Annotated[str, typer.Option(help="HOST:PORT of litex_server, for --csr.")] = "localhost:1234",
    core: Annotated[str | None, typer.Option(metavar="NAME", help="The core in a SoC with several, for --csr.")] = None,
    data: Annotated[options.DataName | None, typer.Option(
        metavar="NAME", help=f"Data set as in `liteformer train` ({', '.join(registry.REGISTRY)}): its test windows; the "
                             "model's training data if --path is left out too.")] = None,
    path: Annotated[str | None, typer.Option(help="Of the data set. Without --data: a CSV with the model's features, all "
                                             "windows of it; - for lines on standard input.")] = None,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    encoding: options.Encoding = None,
    skip_rows: options.SkipRows = None,
    dayfirst: options.DayFirst = None,
    missing: options.Missing = None,
    timezone: options.Timezone = None,
    strict: options.Strict = False,
    fill: options.Fill = 0,
    every: options.Every = None,
    windows: Annotated[int | None, typer.Option(help="Windows to run: the first N; for a classification N spread ones. All if "
                                                     "left out.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of the simulated SoC; if left out the one in the model's folder, "
                                                "otherwise vexriscv.")] = None,
    device: options.Device = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE.png", help="Draw forecast and truth.")] = None,
    as_json: options.Json = False,
):
    """Stream data through a board or through the simulated SoC: forecast against truth, RMSE, rate, latency.

    Values are in physical units, as in the training's CSV. Every output is compared with the golden model.

    Examples:

    liteformer run build/airu4 --port /dev/ttyUSB0

    liteformer run build/airu4 --sim --data airu --path airU.csv --windows 64 --plot build/run.png

    tail -n +1 -f sensors.csv | liteformer run build/airu4 --port /dev/ttyUSB0 --path -

    liteformer run build/airu4 --csr csr.csv --path sensors.csv
    """
    if windows is not None:
        at_least("windows", windows, 1)
    at_least("baudrate", baudrate, 1)
    if plot and not plot.endswith(".png"):
        raise LiteFormerError(f"--plot {plot} does not end in .png; name a file such as build/run.png")
    with ExitStack() as stack:
        with console.work():
            loaded = load_model(model)
            reading = {"separator": separator, "decimal": decimal, "encoding": encoding, "skip_rows": skip_rows,
                       "dayfirst": dayfirst, "missing": options.names(missing), "timezone": timezone, "strict": strict or None,
                       "fill": fill or None, "every": every}
            source = open_source(loaded, data, path, windows, reading)
            opened = stack.enter_context(open_device(loaded, model, port=port, baudrate=baudrate, sim=sim, cpu=cpu, csr=csr,
                                                     server=server, fpga=device, core=core))
        result = run_device(opened, loaded, source, windows, plot, as_json)
    console.emit(result, as_json, _render)
