# SPDX-License-Identifier: BSD-2-Clause
"""The points of docs/benchmark.md: their tasks, and the training and measurement of those that are not stored yet."""

import json
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.publish.repository import ROOT
from liteformer.flow.publish.results_train import SHARED, run_groups
from liteformer.train.loop.reuse import LATER
from liteformer.train.metrics.verdict import behind

STORED = ROOT / "docs" / "benchmark"
SEEDS, BITS = 3, (4, 8, 3)
DEVICE, SOC_WINDOWS = "xc7s15", 16
POLLUTANTS = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM"]
YEAR = 8760 / 35064     # From 2016-03-01 on.


def _file(name, **options):
    return {"path": str(SHARED / name)} | options


def _patches(window, patch=1, stride=1):
    return {"window": window, "patch": patch, "stride": stride}


ETTH1 = _file("ett/ETTh1.csv", target=["OT"], timestamp="date")
TAXI = _file("nyc_taxi/nyc_taxi.csv", target=["value"], timestamp="timestamp")
BEIJING = _file("beijing_aotizhongxin/PRSA_Data_Aotizhongxin_20130301-20170228.csv", target=["O3"], features=POLLUTANTS,
                test_fraction=YEAR)
TASKS = {  # Name -> (title, fields of TrainOptions); nothing else differs from what `train` does by itself, but the refit.
    "airu": ("AirU: ozone, ppb", _file("airu/airU.csv", data="airu", **_patches(12))),
    "pems": ("PeMS stand-in: speed, mph", _file("pems_d7_mar2018/pems_3stations_5min.csv", data="pems", **_patches(24, 12))),
    "etth1-1": ("ETTh1: OT, 1 step", ETTH1 | _patches(24, 2, 2)),
    "taxi-1": ("nyc_taxi, 1 step", TAXI | _patches(96, 8, 8)),
    "beijing-1": ("Beijing: O3, 1 step, µg/m³", BEIJING | _patches(17, 6)),
    "airq": ("Air Quality: CO, 1 step, mg/m³", _file("csv/airq_original.csv", target=["CO(GT)"], fill=3, **_patches(12))),
    "etth1-24": ("ETTh1: OT, 24 steps", ETTH1 | _patches(48, 8, 8) | {"horizon": 24}),
    "taxi-48": ("nyc_taxi, 48 steps", TAXI | _patches(96, 8, 8) | {"horizon": 48}),
    "beijing-24": ("Beijing: O3, 24 steps, µg/m³", BEIJING | _patches(24, 2, 2) | {"horizon": 24}),
    "occupancy": ("Occupancy: occupied or not", _file("occupancy/datatraining.txt", task="classification",
                                                      label="Occupancy", **_patches(12))),
    "skab": ("SKAB: anomalies", _file("skab", data="skab", task="anomaly", **_patches(12)))}


def points():
    """dict name -> fields of TrainOptions, the most important first."""
    return {f"{task}-{bits}bit": fields | {"bits": bits, "refit": fields.get("task", "forecast") == "forecast"}
            for bits in BITS for task, (_, fields) in TASKS.items()}


def task_of(name):
    """Task of a point, a key of TASKS."""
    return name.rpartition("-")[0]


def record(run, figures):
    """The part of a run that the page needs.

    Args:
        run: Run of several seeds; figures: dict of ``hardware_figures``.
    Returns:
        JSON-able dict: its metrics without histories and folders, and ``hardware``.
    """
    metrics = {key: value for key, value in run.metrics.items() if key not in ("history", "confusion")}
    path = metrics["options"]["path"]
    metrics["options"] = metrics["options"] | {"path": path and Path(path).name}
    return metrics | {"hardware": figures}


def hardware_figures(run):
    """Cycles on the simulated SoC over the first test windows, and the estimates of area and energy before synthesis.

    Returns:
        dict ``cycles``, ``latency_us``, ``mismatches``, ``windows``, ``luts``, ``bram36``, ``dsp``, ``energy_uj``, ``device``;
        ``refused`` alone with the sentence where the model does not fit.
    """
    from liteformer.accel.compiler import HardwareOptions
    from liteformer.accel.compiler.choose import choose_array
    from liteformer.flow.explore.cost import estimated
    from liteformer.flow.explore.energy import energy_uj
    from liteformer.flow.measure import hardware
    try:
        _, hw, _ = choose_array(run.model, HardwareOptions(device=DEVICE))
        compiled = hardware.compile_model(run.model, device=DEVICE)
        figures = estimated(run.model, hw, compiled.cycles, "vexriscv", DEVICE)
    except LiteFormerError as error:
        return {"refused": str(error)}
    measured, _ = hardware.run_soc(run.model, compiled, run.test_raw[:SOC_WINDOWS])
    cycles = measured["cycles"]["accelerator"]
    figures["latency_us"] = cycles / hardware.CLOCK_MHZ
    return {"cycles": cycles, "latency_us": figures["latency_us"], "mismatches": measured["mismatches"],
            "windows": measured["windows"], "luts": round(figures["luts"]), "bram36": figures["bram36"], "dsp": figures["dsp"],
            "energy_uj": energy_uj(figures, DEVICE), "device": DEVICE}


def same_baselines(metrics, stored):
    """Whether the baselines of a stored point are those of a run: nothing but the integer model differs in their options, and
    the MLP, which every run trains, has the same errors to the last digit.

    Args:
        metrics: of a run of several seeds; stored: dict of ``record``.
    """
    # The seed of the options is that of the best model.
    mine, other = ({key: value for key, value in one["options"].items() if key not in LATER | {"path", "seed"}} | {
        "seeds": one["seeds"]} for one in (metrics, stored))
    return mine == other and metrics["rmse"]["mlp"] == stored["rmse"]["mlp"]


def with_baselines(entry, stored):
    """An entry with the baselines that it lacks from another width of its task, and with its summary of those."""
    parts = {part: stored[part] | {key: value for key, value in entry[part].items() if value is not None}
             for part in ("rmse", "rmse_by_step") if part in entry}
    return entry | parts | {"behind": behind(parts["rmse"])}


def measure_group(task, names):
    """Train the points of a task and store their figures; they share their float networks and baselines, also with later calls.

    Args:
        task: dict ``seeds``: of each; ``folder``: of the stored figures; ``builds``: of the full runs; ``options``: fields of
            TrainOptions that replace those of the point; names: of points.
    """
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.reuse import FloatTrainings
    from liteformer.train.loop.seeds import train_seeds
    folder, builds = Path(task["folder"]), Path(task["builds"])
    reuse = FloatTrainings(builds / "float" / task_of(names[0]))
    for name in names:
        options = TrainOptions(**points()[name] | task["options"], out=str(builds / name))
        others = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{task_of(name)}-*bit.json"))
                  if options.task == "forecast"]
        without = options.model_copy(update={"neighbours": "none"}) if others else options
        run = train_seeds(without, task["seeds"], resume=True, reuse=reuse)
        known = [other for other in others if same_baselines(run.metrics, other)]
        if without is not options and not known:
            run = train_seeds(options, task["seeds"], reuse=reuse)
        entry = record(run, hardware_figures(run))
        write_atomically(folder / f"{name}.json", json.dumps(with_baselines(entry, known[0]) if known else entry) + "\n")


def missing(names=(), folder=STORED):
    """Points without stored figures, of these or of all.

    Raises:
        LiteFormerError: a name that is neither a point nor a task.
    """
    chosen = []
    for name in names:
        found = [point for point in points() if name in (point, task_of(point))]
        if not found:
            raise LiteFormerError(f"there is no point {name}; there are: {', '.join(points())}, or all of a task: "
                                  f"{', '.join(TASKS)}")
        chosen += found
    return [name for name in chosen or points() if not (folder / f"{name}.json").exists()]


def measure_missing(names=(), folder=STORED, builds=ROOT / "build" / "benchmark", jobs=1, workers=None, **options):
    """Train and measure the points that are not stored.

    Args:
        names: points or tasks, all if empty; folder: of the stored figures; builds: of the full runs; jobs: tasks at a time;
        workers: callable that makes what works on them, as ``common.workers.Processes``; options: of the training, and
        ``seeds``, to shorten it.
    Raises:
        LiteFormerError: a name that is no point, or the data are not there.
        KeyboardInterrupt: after Ctrl-C; what is done is stored.
    """
    wanted, seeds = missing(names, folder), options.pop("seeds", SEEDS)
    if not wanted:
        return
    absent = [path for path in (points()[name]["path"] for name in wanted) if not Path(path).exists()]
    if absent:
        raise LiteFormerError(f"there is no {absent[0]}; the benchmark needs the data sets in {SHARED}")
    folder.mkdir(parents=True, exist_ok=True)
    groups = {}
    for name in wanted:
        groups.setdefault(task_of(name), []).append(name)
    task = {"seeds": seeds, "folder": str(folder), "builds": str(builds), "options": options}

    def done():
        return sum((folder / f"{name}.json").exists() for name in wanted)

    with console.step(f"Train and measure {len(wanted)} points, {seeds} seeds of each, {jobs} tasks at a time") as step:
        run_groups(list(groups.values()), measure_group, task, jobs, workers, lambda _: step.update(done(), len(wanted)))
