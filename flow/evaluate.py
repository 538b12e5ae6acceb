"""`liteformer evaluate`: accuracy of a trained model on its test set, down to the simulated SoC."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Group
from rich.table import Table

from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console, hardware
from liteformer.flow.figures import LABELS, figures_table
from liteformer.flow.inputs import at_least, hardware_of, is_run
from liteformer.train.baselines import rmse
from liteformer.train.intervals import centre

COMPARED = {"qat": "Quantization-aware (float32)", "soc": "Simulated SoC"}


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


def windows_for_soc(run, count):
    """Test windows that the simulated SoC runs: the first, of a classification evenly spread ones, of an anomaly model
    successive ones around its first right alarm.

    Returns:
        int64 ``(count,)``, numbers of test windows.
    Raises:
        LiteFormerError: more windows than the test set has.
    """
    total = len(run.test_raw)
    if count > total:
        raise LiteFormerError(f"the test set has {total} windows, fewer than the {count} asked for")
    if run.options.task == "classification":
        return np.arange(count) * total // count
    if run.options.task == "forecast":
        return np.arange(count)
    from liteformer.train.tasks import labels_of
    alarms = decide(run.model.config, golden.infer(run.model, run.test_raw), run.test_raw)[:, 1]
    hits = alarms * labels_of(run.dataset, run.dataset.test)
    onset = int((hits if hits.any() else alarms).argmax())
    return min(max(onset - count // 2, 0), total - count) + np.arange(count)


def run_evaluation(path, soc=0, cpu=None, explain=False):
    """Evaluate a run.

    Args:
        path: run directory. soc: test windows to run on the simulated SoC, 0 for none. cpu: its CPU or None. explain: report
            where the quantization-aware model departs from the integer model.
    Returns:
        dict, the command's JSON.
    """
    run = open_run(path)
    result = {"task": run.options.task, **model_figures(run), "windows": soc or len(run.test_raw),
              "test_windows": len(run.test_raw), "mismatches": None, "model_id": run.model.id}
    if soc:
        chosen = windows_for_soc(run, soc)
        cpu, overrides = hardware_of(path, cpu)
        figures, answers = hardware.run_soc(run.model, hardware.compile_model(run.model, **overrides), run.test_raw[chosen],
                                            cpu or "vexriscv")
        for name, value in soc_figures(run, chosen, answers).items():
            result[name]["soc"] = value
        result |= {key: figures[key] for key in ("mismatches", "cycles", "cycles_per_second")}
    if explain:
        from liteformer.train.explain import explain_qat
        result["explain"] = {"qat": explain_qat(run)}
        if soc:
            result["explain"]["soc"] = explain_soc(run.model, run.test_raw[chosen], answers.outputs)
    return result


def explain_soc(model, raw, outputs):
    """Where the SoC departs from the golden model; the first window that does is followed through the simulated core.

    Args:
        model: QuantizedModel; raw: int64 ``(N, window, features)``; outputs: of the SoC, int64 ``(N, outputs)``.
    Returns:
        dict as of ``train.explain.departures``; ``first`` is empty if that window's tensors are right in the core alone, so
        that the fault lies between core and CPU.
    """
    from liteformer.flow.core_trace import trace_core
    from liteformer.train.explain import departures
    wrong = np.flatnonzero((outputs != golden.infer(model, raw)).any(axis=1))
    report = {"windows": len(raw), "differing": len(wrong), "departing": len(wrong), "first": []}
    if len(wrong):
        window, reference = int(wrong[0]), {}
        golden.infer(model, raw[window:window + 1], reference)
        with console.step(f"Follow window {window} through the core, tensor by tensor"):
            report["first"] = departures(trace_core(hardware.compile_model(model), raw[window]), reference)["first"]
        for entry in report["first"]:
            entry["example"]["window"] = window
    return report


def model_figures(run):
    """Figures of the float, quantization-aware and integer model and the baselines, by name, with a place for the SoC."""
    if run.options.task != "forecast":
        from liteformer.train.tasks import FIGURES, measure
        measured = measure(run.model, run.dataset, run.predictors())
        del measured["validation"]
        return measured | {name: measured[name] | {"soc": None} for name in FIGURES[run.options.task]}
    truth = run.test_truth
    return {"rmse": {
        "float": rmse(run.float_prediction, truth), "qat": rmse(run.qat_prediction(), truth),
        "integer": rmse(run.integer_prediction(), truth), "soc": None,
        **{name: centre(run.metrics["rmse"].get(name)) for name in ("persistence", "least_squares", "mlp")}}}


def soc_figures(run, chosen, answers):
    """The same of the simulated SoC's SimulationResult over the test windows ``chosen``: what the device decided."""
    config = run.model.config
    if config.task == "forecast":
        return {"rmse": rmse(answers.outputs / np.asarray(config.output_scale), run.test_truth[chosen])}
    from liteformer.train.tasks import figures, labels_of
    return figures(config, labels_of(run.dataset, run.dataset.test[chosen]), answers.decisions[:, -1])


def _render(result):
    table = figures_table(result, result["test_windows"],
                          LABELS | {"soc": f"simulated SoC, {result['windows']} windows"})
    if result["mismatches"] is not None:
        table.add_row("numbers that differ from the integer model", str(result["mismatches"]))
    return Group(table, *(_render_departures(COMPARED[name], report) for name, report in result.get("explain", {}).items()))


def _render_departures(name, report):
    """Table of ``train.explain.departures``."""
    table = Table(title=f"{name} against integer: output differs in {report['differing']} of "
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
    soc: Annotated[int, typer.Option(metavar="N", help="Also run N test windows on the simulated SoC: the first; to classify, "
                                          "spread ones; of an anomaly model those around its first right alarm.")] = 0,
    cpu: Annotated[str | None, typer.Option(help="CPU of the SoC; what the model's folder asks for if left out, otherwise "
                                                "vexriscv.")] = None,
    explain: Annotated[bool, typer.Option(
        "--explain", help="Tell at which tensor the models, and the SoC, depart from each other.")] = False,
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
