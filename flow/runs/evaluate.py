# SPDX-License-Identifier: BSD-2-Clause
"""Accuracy of a trained model on its test set: float, quantization-aware, integer, simulated SoC."""

from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.decision import continues, decide
from liteformer.accel.devices import DEFAULT_DEVICE
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.inputs import hardware_of, is_run
from liteformer.flow.measure import hardware
from liteformer.train.metrics.baselines import rmse
from liteformer.train.metrics.horizons import by_step
from liteformer.train.metrics.intervals import centre
from liteformer.train.metrics.verdict import behind

BESIDE = ("persistence", "least_squares", "nlinear", "lightgbm", "mlp", "gru")


def open_run(path):
    """The training run in a directory.

    Raises:
        LiteFormerError: not a run directory.
    """
    if not Path(path).is_dir() or not is_run(path):
        raise LiteFormerError(f"{path} is not the directory of a trained model (no metrics.json in it); "
                              f"`liteformer train --out {path}` makes one")
    with console.step("Load model and test set"):
        from liteformer.train.loop.run import load_run
        return load_run(Path(path))


def windows_for_soc(run, count):
    """Test windows that the simulated SoC runs: the first, of a classification evenly spread ones, of an anomaly model
    successive ones around its first right alarm, with a calibration the beginning of the stretch where one comes soonest.

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
    from liteformer.train.metrics.tasks import labels_of
    alarms = decide(run.model.config, golden.infer(run.model, run.test_raw), run.test_raw)[:, 1]
    hits = alarms * labels_of(run.dataset, run.dataset.test)
    first = (hits if hits.any() else alarms).argmax() - count // 2
    if run.model.config.calibrated and hits.any():
        begins = np.maximum.accumulate(np.where(continues(run.test_raw), 0, np.arange(total)))
        at = np.flatnonzero(hits)
        first = begins[at[(at - begins[at]).argmin()]]
    return min(max(int(first), 0), total - count) + np.arange(count)


def run_evaluation(path, soc=0, cpu=None, explain=False, device=None):
    """Evaluate a run.

    Args:
        path: run directory. soc: test windows to run on the simulated SoC, 0 for none. cpu: its CPU or None. explain: report
            where the quantization-aware model first differs from the integer model. device: of the SoC, or None.
    Returns:
        dict, the command's JSON.
    """
    run = open_run(path)
    result = {"task": run.options.task, **model_figures(run), "windows": soc or len(run.test_raw),
              "test_windows": len(run.test_raw), "mismatches": None, "model_id": run.model.id}
    if run.options.task == "forecast":
        result["behind"] = behind(result["rmse"])
        if result["behind"]:
            console.note(result["behind"])
    if soc:
        chosen = windows_for_soc(run, soc)
        cpu, overrides = hardware_of(path, cpu, device=device)
        compiled = hardware.compile_model(run.model, **overrides)
        figures, answers = hardware.run_soc(run.model, compiled, run.test_raw[chosen], cpu or "vexriscv")
        for name, value in soc_figures(run, chosen, answers).items():
            result[name]["soc"] = value
        result |= {key: figures[key] for key in ("mismatches", "cycles", "cycles_per_second")}
        result["device"] = overrides.get("device", DEFAULT_DEVICE)
    if explain:
        from liteformer.train.quant.explain import explain_qat
        result["explain"] = {"qat": explain_qat(run)}
        if soc:
            result["explain"]["soc"] = explain_soc(run.model, compiled, run.test_raw[chosen], answers.outputs)
    return result


def explain_soc(model, compiled, raw, outputs):
    """Where the SoC differs from the golden model; the first window that does is traced through the simulated core.

    Args:
        model: QuantizedModel; compiled: its CompiledModel that ran; raw: int64 ``(N, window, features)``; outputs: of the SoC,
        int64 ``(N, outputs)``.
    Returns:
        dict as of ``train.explain.departures``; ``first`` is empty if that window's tensors are right in the core alone, so
        that the fault lies between core and CPU.
    """
    from liteformer.flow.measure.core_trace import trace_core
    from liteformer.train.quant.explain import departures
    wrong = np.flatnonzero((outputs != golden.infer(model, raw)).any(axis=1))
    report = {"windows": len(raw), "differing": len(wrong), "departing": len(wrong), "first": []}
    if len(wrong):
        window, reference = int(wrong[0]), {}
        golden.infer(model, raw[window:window + 1], reference)
        with console.step(f"Follow window {window} through the core, tensor by tensor"):
            report["first"] = departures(trace_core(compiled, raw[window]), reference)["first"]
        for entry in report["first"]:
            entry["example"]["window"] = window
    return report


def model_figures(run):
    """Metrics of the float, quantization-aware and integer model and the baselines, by name, with a place for the SoC."""
    if run.options.task != "forecast":
        from liteformer.train.metrics.tasks import FIGURES, measure
        measured = measure(run.model, run.dataset, run.predictors())
        del measured["validation"]
        return measured | {name: measured[name] | {"soc": None} for name in FIGURES[run.options.task]}
    truth, stored = run.test_truth, run.metrics.get("rmse_by_step", {})
    own = {"float": run.float_prediction, "qat": run.qat_prediction(), "integer": run.integer_prediction(), "soc": None}
    figures = {"rmse": {name: rmse(values, truth) for name, values in own.items()} | {
        name: centre(run.metrics["rmse"].get(name)) for name in ("ensemble", *BESIDE)}}
    steps = by_step(own, truth, run.dataset.horizon)
    if steps:
        steps["rmse_by_step"] |= {name: stored[name] and [centre(figure) for figure in stored[name]]
                                  for name in BESIDE if name in stored}
    return figures | steps


def soc_figures(run, chosen, answers):
    """The same for the simulated SoC's SimulationResult over the test windows ``chosen``: the device's decisions."""
    config = run.model.config
    if config.task == "forecast":
        forecast, truth = config.physical(answers.outputs), run.test_truth[chosen]
        return {"rmse": rmse(forecast, truth)} | {
            name: errors["soc"] for name, errors in by_step({"soc": forecast}, truth, run.dataset.horizon).items()}
    from liteformer.train.metrics.tasks import figures, labels_of
    return figures(config, labels_of(run.dataset, run.dataset.test[chosen]), answers.decisions[:, -1])
