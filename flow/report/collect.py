# SPDX-License-Identifier: BSD-2-Clause
"""All figures of a report: one dict for machines, and the data of the pictures."""

import time
from dataclasses import dataclass, replace

from liteformer.accel import golden
from liteformer.accel.decision import decide
from liteformer.accel.devices import SERIES_7
from liteformer.accel.devices import device as find_device
from liteformer.accel.formulas import input_formulas, output_formulas
from liteformer.flow.common import console
from liteformer.flow.common.inputs import random_windows
from liteformer.flow.measure import energy, hardware, published
from liteformer.flow.measure.activity import Activity, measure_activity
from liteformer.flow.measure.blocks import BLOCKS, CORE
from liteformer.flow.measure.energy_coefficients import CONFIGURATION_MJ, Range
from liteformer.flow.measure.timeline import Timeline, measure
from liteformer.flow.measure.timeline_plot import label
from liteformer.flow.runs.evaluate import model_figures, soc_figures, windows_for_soc
from liteformer.train.metrics.verdict import behind

AREA_KEYS = ("lut", "lut_sites", "lutram", "ff", "bram36", "dsp")
ACTIVITY_WINDOWS = 2


@dataclass(frozen=True)
class Material:
    """Data of the pictures, which the machine-readable report does not hold.

    Attributes:
        run: train.run.Run or None; timeline: Timeline; activity: Activity, None without an energy estimate.
        errors: dict tensor -> quantization error, None without test data.
    """

    run: object
    timeline: Timeline
    activity: Activity | None
    errors: dict | None


def collect(source, soc=16, area=True, period=None, configuration_mj=CONFIGURATION_MJ, idle_mw=None, seed=1):
    """Measure everything.

    Args:
        source: Source. soc: windows on the simulated SoC. area: False leaves out synthesis and, with it, the energy estimate.
        period: seconds between inferences for the energy of a day, None for none; configuration_mj: energy of switching on;
        idle_mw: power while waiting, None for the estimate. seed: of random windows where the model has no test set.
    Returns:
        ``(report, material)``: JSON-able dict, Material.
    Raises:
        LiteFormerError: a tool is missing, or there are fewer test windows than asked for.
    """
    begin, model, run = time.perf_counter(), source.model, source.run
    with console.step("Compile the model for the core"):
        compiled = hardware.compile_model(model, **source.overrides)
    chosen = windows_for_soc(run, soc) if run else None
    raw = run.test_raw[chosen] if run else random_windows(model, soc, seed)
    report = _about(source, compiled) | _accuracy(source)
    figures, answers = hardware.run_soc(model, compiled, raw, source.cpu, recordable=area)
    report["soc"] = {"windows": len(raw), "mismatches": figures["mismatches"], "random": run is None}
    if run:
        for name, value in soc_figures(run, chosen, answers).items():
            report[name]["soc"] = value
        # The integer model over the same windows: the SoC's metric must equal it, whatever the other windows are like.
        expected = golden.infer(model, raw)
        report["soc"]["integer"] = soc_figures(run, chosen, replace(
            answers, outputs=expected, decisions=decide(model.config, expected, raw)))
    timeline = measure(compiled, seed)
    report |= _time(source, compiled, figures["cycles"], timeline)
    synthesis, activity = None, None
    family = find_device(source.device).family
    if area and family is not SERIES_7:
        # Neither blocks nor coefficients are known for other families.
        note = (f"area by block and energy are estimated for the 7 series only, not for {family.name}; `liteformer bench "
                f"--device {source.device} --route` counts its cells")
        console.note(note)
        report["notes"].append(note)
        area = False
    if area:
        synthesis = hardware.soc_synthesis(compiled, source.cpu, source.device)
        activity = measure_activity(compiled, raw[:ACTIVITY_WINDOWS], source.cpu)
    report |= {"area": _area(source, synthesis)} | _energy(source, report, synthesis, activity)
    if area and period:
        report["energy"]["duty_cycle"] = _duty_cycle(report, period, configuration_mj, idle_mw)
    report |= {"paper": _paper(source), "vivado": source.vivado, "seconds": round(time.perf_counter() - begin, 1)}
    return report, Material(run, timeline, activity, _layer_errors(run))


def _about(source, compiled):
    config, hw = source.model.config, compiled.hw
    return {
        "model": {
            "id": source.model.id, "path": source.path, "task": config.task,
            "shape": {name: getattr(config, name) for name in
                      ("window", "patch", "stride", "features", "d_model", "heads", "layers", "ffn",
                       "outputs", "readout", "skip")},
            "bits": dict(config.bits), "parameters": config.parameters, "macs": config.macs,
            "data": source.model.provenance.get("dataset"), "targets": config.target_names,
            "inputs": dict(input_formulas(source.model)), "outputs": dict(output_formulas(source.model))},
        "notes": list(source.run.metrics.get("notes", ())) if source.run else [],
        "board": source.board, "device": source.device, "cpu": source.cpu, "clock_mhz": source.clock_mhz,
        "array": {"rows": hw.rows, "columns": hw.columns, "lanes": hw.lanes, "dsp_lanes": hw.dsp_lanes,
                  "pump": bool(hw.quads), "requantizers": hw.requantizers}}


def _accuracy(source):
    """Metrics by model; without test data those stored in the model file."""
    if source.run:
        figures = model_figures(source.run)
        return figures | {"behind": behind(figures["rmse"]) if source.run.options.task == "forecast" else None,
                          "unit": source.run.unit, "test_windows": len(source.run.test_raw)}
    from liteformer.train.metrics.tasks import FIGURES
    known = {name: source.model.provenance.get(name) for name in FIGURES[source.model.config.task]}
    return {"rmse": None} | {name: value for name, value in known.items() if isinstance(value, dict)} | {
        "unit": "", "test_windows": None}


def _time(source, compiled, cycles, timeline):
    summary = timeline.summary()
    steps = [entry | {"label": label(step), "idle": step.idle} for entry, step in zip(summary["steps"], timeline.steps)]
    return {
        "cycles": {"accelerator": cycles["accelerator"], "end_to_end": cycles["end_to_end"], "predicted": compiled.cycles,
                   "states": summary["states"], "steps": steps},
        "latency_us": cycles["accelerator"] / source.clock_mhz, "end_to_end_us": cycles["end_to_end"] / source.clock_mhz,
        "utilization": round(hardware.utilization(source.model, compiled, cycles["accelerator"]), 4)}


def _area(source, synthesis):
    if synthesis is None:
        return None
    capacity = find_device(source.device)
    blocks = {block: synthesis["blocks"][block] for block in BLOCKS if block in synthesis["blocks"]}
    held = {key: getattr(capacity, "lut" if key == "lut_sites" else key) for key in AREA_KEYS}
    return synthesis["area"] | {"capacity": held, "blocks": blocks}


def _energy(source, report, synthesis, activity):
    if synthesis is None:
        return {"energy_uj": None, "energy": None}
    busy, waiting = (energy.estimate_power(synthesis["blocks"], rates, source.device, source.clock_mhz)
                     for rates in (activity.busy, activity.waiting))
    one, whole = (energy.energy(busy.total, report[key]) for key in ("latency_us", "end_to_end_us"))
    return {
        "energy_uj": one.rounded(),
        "energy": {
            "kind": "energy estimate", "power_mw": busy.total.rounded(), "static_mw": busy.static.rounded(),
            "waiting_mw": waiting.total.rounded(), "end_to_end_uj": whole.rounded(),
            "core_waiting_mw": sum((waiting.blocks[block] for block in CORE if block in waiting.blocks), energy.ZERO).rounded(),
            "one_a_second_uw": energy.mean_power(whole, waiting.total, 1.0).rounded(),
            "resources_mw": {name: power.rounded() for name, power in busy.resources.items()},
            "blocks_mw": {block: busy.blocks[block].rounded() for block in BLOCKS if block in busy.blocks},
            "toggle_rate": {block: {"busy": round(activity.busy[block], 4), "waiting": round(activity.waiting[block], 4)}
                            for block in BLOCKS if block in activity.busy},
            "windows": activity.windows, "duty_cycle": None}}


def _duty_cycle(report, period, configuration_mj, idle_mw):
    estimate = report["energy"]
    idle = Range(*[idle_mw] * 3) if idle_mw else Range(**estimate["waiting_mw"])
    day = energy.duty_cycle(Range(**estimate["end_to_end_uj"]), idle, configuration_mj, period)
    return {"period_s": period, "configuration_mj": configuration_mj, "idle_mw": idle.rounded(),
            "waiting_j_per_day": day.waiting.rounded(), "switched_j_per_day": day.switched.rounded(),
            "crossover_s": round(day.crossover, 4)}


def _paper(source):
    config = source.model.config
    widths = {source.model.config.row_bits, source.model.config.column_bits}
    row = published.row(config.window, config.d_model, widths.pop()) if len(widths) == 1 and config.patch == 1 else None
    if row is None or config.layers > 1 or config.heads > 1 or config.features != 7:
        return None
    same_data = source.model.provenance.get("dataset") == published.DATA
    return {"source": "arXiv 2407.11041", "rmse": row.rmse if same_data else None, "latency_us": 1000 * row.ms,
            "cycles": row.cycles, "clock_mhz": row.clock_mhz, "energy_uj": 1000 * row.mj, "power_mw": row.power_mw}


def _layer_errors(run):
    if run is None:
        return None
    from liteformer.train.quant.layer_error import layer_errors
    return layer_errors(run)


def integer_forecast(run):
    """Forecasts of the golden model, float64 ``(N, outputs)``, physical units or logits."""
    return run.model.config.physical(golden.infer(run.model, run.test_raw))
