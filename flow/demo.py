"""`liteformer demo`: the whole way on the built-in series, from training to the firmware's forecast on the simulated SoC."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from liteformer.flow import console, hardware
from liteformer.flow.bench import area_rows
from liteformer.flow.cache import whole_file
from liteformer.flow.inputs import at_least
from liteformer.flow.train import run_training
from liteformer.train.baselines import rmse

PAPER_MS = 1.33  # arXiv 2407.11041, window 12, d 32, 4 bits on the same chip, without a CPU.
DEVICE = "xc7s15"


def run_demo(out, windows, seed, epochs):
    """Train, quantize, generate, compile, simulate, compare, measure, plot.

    Args:
        out: directory for model and pictures. windows: test windows on the SoC. epochs: of each training phase, None for
        the recipe's.
    Returns:
        dict, the command's JSON.
    """
    from liteformer.train.options import TrainOptions
    from liteformer.train.plots import forecast as draw_forecast
    run = run_training(TrainOptions(out=str(out), seed=seed, epochs=epochs))
    windows = min(windows, len(run.test_raw))
    config = run.model.config
    with console.step("Compile the model for the core"):
        compiled = hardware.compile_model(run.model)
    figures, result = hardware.run_soc(run.model, compiled, run.test_raw[:windows])
    area = hardware.soc_area(compiled, device=DEVICE)
    truth, forecast = run.test_truth[:windows], result.outputs / np.asarray(config.output_scale)
    predictions = {"float": run.float_prediction, "integer": run.integer_prediction(), "persistence": run.persistence}
    picture = Path(out) / "soc.png"
    with whole_file(picture) as temporary:
        draw_forecast(temporary, truth, {"float": run.float_prediction[:windows],
                                         f"simulated SoC, {run.options.bits} bits": forecast}, config.target_names[0], run.unit)
    cycles = figures["cycles"]["accelerator"]
    return {
        "rmse": {name: None if values is None else rmse(values[:windows], truth) for name, values in predictions.items()}
                | {"soc": rmse(forecast, truth)},
        **figures, "clock_mhz": hardware.CLOCK_MHZ, "latency_us": hardware.microseconds(cycles),
        "times_faster": round(1000 * PAPER_MS / hardware.microseconds(cycles), 1), "macs": config.macs,
        "lanes": compiled.hw.lanes, "utilization": round(hardware.utilization(run.model, compiled, cycles), 4),
        "device": DEVICE, "area": area,
        "out": str(out), "picture": str(picture),
    }


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
    table.add_row("the paper, (12, 32, 4) on this chip, no CPU", f"{PAPER_MS} ms: {result['times_faster']:.0f} times slower")
    table.add_row("array utilisation", f"{100 * result['utilization']:.1f} % of {result['lanes']} lanes", end_section=True)
    for row in area_rows(result["area"], result["device"]):
        table.add_row(*row)
    return table


def demo(
    out: Annotated[str, typer.Option(help="Directory for model and pictures.")] = "build/demo",
    windows: Annotated[int, typer.Option(help="Test windows to run on the SoC.")] = 64,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training phase; fewer are faster.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """The whole way on a built-in series, in less than five minutes.

    Trains a 4-bit model, generates the SoC, compiles its firmware, simulates them together, compares every forecast with the
    integer model, measures the area and draws forecast against truth.

    Example: liteformer demo
    """
    at_least("windows", windows, 1)
    with console.work():
        result = run_demo(out, windows, seed, epochs)
    console.emit(result, as_json, _render)
