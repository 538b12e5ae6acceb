"""`liteformer evaluate`: accuracy of a trained model on its test set, down to the simulated SoC."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Group
from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console, hardware
from liteformer.flow.inputs import at_least, is_run
from liteformer.flow.train import LABELS
from liteformer.train.baselines import rmse
from liteformer.train.intervals import centre


def open_run(path):
    """The training run in a directory.

    Raises:
        LiteFormerError: not a run directory.
    """
    if not Path(path).is_dir() or not is_run(path):
        raise LiteFormerError(f"{path} is not the directory of a trained model (no metrics.json in it); "
                              f"`liteformer train --out {path}` makes one")
    with console.step("Load model and test set"):
        from liteformer.train.run import load_run
        return load_run(Path(path))


def compare_on_soc(run, count, cpu):
    """Run the first ``count`` test windows on the simulated SoC.

    Returns:
        ``(figures, forecast)``: see ``hardware.run_soc``; forecast float ``(count, outputs)`` in physical units.
    Raises:
        LiteFormerError: more windows than the test set has.
    """
    if count > len(run.test_raw):
        raise LiteFormerError(f"the test set has {len(run.test_raw)} windows, fewer than the {count} asked for")
    figures, outputs = hardware.run_soc(run.model, hardware.compile_model(run.model), run.test_raw[:count], cpu)
    return figures, outputs / np.asarray(run.model.config.output_scale)


def run_evaluation(path, soc=0, cpu="vexriscv", explain=False):
    """Evaluate a run.

    Args:
        path: run directory. soc: windows to run on the simulated SoC, 0 for none. cpu: its CPU. explain: report where the
            quantization-aware model departs from the integer model.
    Returns:
        dict, the command's JSON.
    """
    run = open_run(path)
    truth = run.test_truth
    result = {
        "rmse": {"float": rmse(run.float_prediction, truth), "qat": rmse(run.qat_prediction(), truth),
                 "integer": rmse(run.integer_prediction(), truth), "soc": None,
                 **{name: centre(run.metrics["rmse"].get(name)) for name in ("persistence", "least_squares", "mlp")}},
        "windows": soc or len(truth), "test_windows": len(truth), "mismatches": None, "model_id": run.model.id,
    }
    if soc:
        figures, forecast = compare_on_soc(run, soc, cpu)
        result["rmse"]["soc"] = rmse(forecast, truth[:soc])
        result |= {key: figures[key] for key in ("mismatches", "cycles", "cycles_per_second")}
    if explain:
        from liteformer.train.explain import explain_qat
        result["explain"] = {"qat": explain_qat(run)}
    return result


def _render(result):
    table = Table(title=f"Test RMSE over {result['test_windows']} windows")
    for column in ("model", "RMSE"):
        table.add_column(column, justify="left" if column == "model" else "right")
    labels = LABELS | {"soc": f"simulated SoC, first {result['windows']} windows"}
    for name, value in result["rmse"].items():
        if value is not None:
            table.add_row(labels.get(name, name), f"{value:.3f}")
    if result["mismatches"] is not None:
        table.add_row("outputs that differ from the integer model", str(result["mismatches"]))
    return Group(table, *map(_render_departures, result.get("explain", {}).values()))


def _render_departures(report):
    """Table of ``train.explain.departures``."""
    table = Table(title=f"Quantization-aware (float32) against integer: output differs in {report['differing']} of "
                        f"{report['windows']} windows, some tensor in {report['departing']}")
    for column in ("departs first at", "windows", "largest difference", "example"):
        table.add_column(column, justify="right" if column in ("windows", "largest difference") else "left")
    for entry in report["first"]:
        example = entry["example"]
        table.add_row(entry["tensor"], str(entry["windows"]), str(entry["largest"]),
                      f"window {example['window']} at {example['position']}: {example['got']}, integer {example['integer']}")
    return table


def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Directory written by `liteformer train`.")],
    soc: Annotated[int, typer.Option(help="Also run the first N test windows on the simulated SoC.", metavar="N")] = 0,
    cpu: Annotated[str, typer.Option(help="CPU of the SoC.")] = "vexriscv",
    explain: Annotated[bool, typer.Option("--explain", help="Tell at which tensor the models depart from each other.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
):
    """Measure a model on its test set: float, quantization-aware, integer and, with --soc, the simulated SoC.

    In the JSON object, windows are those compared: N with --soc, otherwise the whole test set.

    Examples:

    liteformer evaluate build/airu4

    liteformer evaluate build/airu4 --soc 869 --json

    liteformer evaluate build/airu4 --explain
    """
    at_least("soc", soc, 0)
    with console.work():
        result = run_evaluation(model, soc, cpu, explain)
    console.emit(result, as_json, _render)
