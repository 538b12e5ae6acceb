# SPDX-License-Identifier: BSD-2-Clause
"""The whole flow on the built-in series: train, compile, simulate, compare, measure, draw."""

from pathlib import Path

from liteformer.flow.common import console
from liteformer.flow.common.cache import whole_file
from liteformer.flow.measure import hardware
from liteformer.flow.runs.train import run_training
from liteformer.train.metrics.baselines import rmse

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
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.metrics.plots import forecast as draw_forecast
    run = run_training(TrainOptions(out=str(out), seed=seed, epochs=epochs, neighbours="none"))
    windows = min(windows, len(run.test_raw))
    config = run.model.config
    with console.step("Compile the model for the core"):
        compiled = hardware.compile_model(run.model)
    figures, result = hardware.run_soc(run.model, compiled, run.test_raw[:windows])
    area = hardware.soc_area(compiled, device=DEVICE)
    truth, forecast = run.test_truth[:windows], config.physical(result.outputs)
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
