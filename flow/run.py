"""`liteformer run`: a data set, a CSV or lines from a pipe through a device, forecast by forecast."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console
from liteformer.flow.cache import whole_file
from liteformer.flow.device import open_device
from liteformer.flow.figures import COLUMNS
from liteformer.flow.inputs import at_least, load_model
from liteformer.flow.streaming import line_of, measure, run_windows


def _render(result):
    table = Table(title="Device against truth and golden model")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_row("windows", str(result["windows"]))
    if result["left_out"]:
        table.add_row("windows left out: missing values or gaps", str(result["left_out"]))
    table.add_row("numbers that differ from the golden model", str(result["mismatches"]))
    for name, text in COLUMNS.items():
        for who, value in result.get(name, {}).items():
            if value is not None:
                unit = f" {result['unit']}" if name == "rmse" and result["unit"] else ""
                table.add_row(f"{text}{', last value repeated' * (who == 'persistence')}", f"{value:.3f}{unit}")
    for name, text in (("accelerator", "core, start to done"), ("end_to_end", "firmware, sample in memory to result")):
        if result["cycles"][name] is not None:
            table.add_row(f"{text}, slowest window", f"{result['cycles'][name]:,} cycles = "
                                                     f"{result['latency_us'][name]:.2f} µs at {result['clock_mhz']:g} MHz")
    table.add_row("rate over the line" if result["link"] != "simulation" else "rate of the simulation",
                  f"{result['windows_per_second']:,} windows a second")
    if result["repeated"] or result["lost"]:
        table.add_row("requests sent again, replies lost", f"{result['repeated']}, {result['lost']}")
    return table


def run(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory of a trained model, or a model file.")],
    port: Annotated[str | None, typer.Option(help="Serial port of the board, such as /dev/ttyUSB0.")] = None,
    baudrate: Annotated[int, typer.Option(help="Of the serial port; the design's.")] = 115200,
    sim: Annotated[bool, typer.Option("--sim", help="Run on the simulated SoC, through the same serial protocol.")] = False,
    csr: Annotated[str | None, typer.Option(metavar="csr.csv", help="Drive the core's registers through litex_server; the "
                                            "register map that LiteX wrote (CSV or JSON).")] = None,
    server: Annotated[str, typer.Option(help="HOST:PORT of litex_server, for --csr.")] = "localhost:1234",
    data: Annotated[Literal["synthetic", "airu", "pems", "csv", "har", "wisdm", "skab"] | None, typer.Option(
        metavar="NAME", help="Data set as of `liteformer train`: its test windows; what the model was trained on if "
                             "--path is left out too.")] = None,
    path: Annotated[str | None, typer.Option(help="Of the data set. Without --data: a CSV with the model's features, all "
                                             "windows of it; - for lines on standard input.")] = None,
    windows: Annotated[int | None, typer.Option(help="Windows to run, the first; of a classification spread ones. All if left "
                                                     "out.")] = None,
    cpu: Annotated[str | None, typer.Option(help="CPU of the simulated SoC; what the model's folder asks for if left out, "
                                                "otherwise vexriscv.")] = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE.png", help="Draw forecast and truth.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Stream data through a board or through the simulated SoC: forecast against truth, RMSE, rate, latency.

    Values are in physical units, as in the training's CSV. Every output is compared with the golden model.

    Examples:

    liteformer run build/airu4 --port /dev/ttyUSB0

    liteformer run build/airu4 --sim --data airu --path airU.csv --windows 64 --plot build/run.png

    tail -f sensors.csv | liteformer run build/airu4 --port /dev/ttyUSB0 --path -

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
            source = _source(loaded, data, path, windows)
            device = stack.enter_context(open_device(loaded, model, port=port, baudrate=baudrate, sim=sim, cpu=cpu, csr=csr,
                                                     server=server))
        result = _run(device, loaded, source, windows, plot, as_json)
    console.emit(result, as_json, _render)


def _source(model, data, path, windows):
    from liteformer.flow.live import LiveRows
    from liteformer.flow.replay import load_replay
    if path == "-":
        if data:
            raise LiteFormerError("--path - reads lines from standard input; leave --data out")
        return LiveRows(model, sys.stdin)
    with console.step("Read the data"):
        return load_replay(model, data, path).first(windows, spread=model.config.task == "classification")


def _run(device, model, source, windows, plot, as_json):
    truth, unit = getattr(source, "truth", None), getattr(source, "unit", "")

    def show(index, result):
        print(line_of(model, index, result, None if truth is None else truth[index], unit), flush=True)

    if as_json:
        with console.step("Run windows on the device") as step:
            done = run_windows(device, model, source, windows, step=step)
    else:
        done = run_windows(device, model, source, windows, show)
    result = measure(device, model, *done)
    if plot:
        replay, answers, *_ = done
        with console.work(), whole_file(Path(plot)) as temporary:
            draw(temporary, model, replay, answers, np.array(result.get("decided", ())))
    return result


def draw(path, model, replay, answers, decided):
    """Picture of a run: forecasts, score and alarms, or which classes are confused."""
    from liteformer.train import plots, task_plots
    config = model.config
    if config.task == "anomaly":
        anomalous = np.zeros(len(replay), bool) if replay.labels is None else replay.labels
        task_plots.alarms(path, model, answers.outputs, replay.raw, anomalous)
    elif config.task == "classification":
        if replay.labels is None:
            raise LiteFormerError("a classification's picture needs the true classes; give data with labels or leave --plot "
                                  "out")
        from liteformer.train.classes import confusion
        known = replay.labels >= 0
        task_plots.confusion(path, confusion(replay.labels[known], decided[known], config.outputs), config.class_names,
                             f"Windows of {replay.source}, device")
    else:
        forecasts = answers.outputs / np.asarray(config.output_scale)
        truth = np.full_like(forecasts, np.nan) if replay.truth is None else replay.truth
        plots.forecast(path, truth, {"device": forecasts}, config.target_names[0] if config.target_names else "output 0",
                       replay.unit, replay.source)
