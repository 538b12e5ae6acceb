# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer explore`: search over sizes, bit widths and arrays for the best compromises that fit a device."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.explore import objectives as known
from liteformer.flow.explore import space

DATA, SEARCH, AFTER = options.DATA, "Search", "Afterwards"
SPACE = "Space: comma separated choices, for numbers also 3-8"
MIXED = "Bits of each class of tensors"


def _axis(text):
    return Annotated[str, typer.Option(metavar="LIST", help=text, rich_help_panel=SPACE)]


def explore(
    data: options.Data = None,
    task: Annotated[Literal["forecast", "classification", "anomaly"], typer.Option(
        metavar="TASK", help="forecast, classification (of windows) or anomaly (alarms by the forecast's error).",
        rich_help_panel=DATA)] = "forecast",
    path: options.DataPath = None,
    label: Annotated[str | None, typer.Option(
        help="Column with the class of each row, or with 1 where it is anomalous.", rich_help_panel=DATA)] = None,
    group: Annotated[str | None, typer.Option(
        help="Column with subject or recording; no window spans two, and a classification's data are divided by it.",
        rich_help_panel=DATA)] = None,
    window_stride: options.WindowStride = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to forecast; repeat for several.",
                                                     rich_help_panel=DATA)] = None,
    features: Annotated[list[str] | None, typer.Option(help="Input columns; all numeric ones if left out.",
                                                       rich_help_panel=DATA)] = None,
    timestamp: Annotated[str | None, typer.Option(help="Column with the time; no window spans a gap.",
                                                  rich_help_panel=DATA)] = None,
    sensor: Annotated[str | None, typer.Option(help="Station of a PeMS file.", rich_help_panel=DATA)] = None,
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
    layout: options.Layout = "series",
    horizon: Annotated[int | None, typer.Option(help="Steps ahead to forecast.", rich_help_panel=DATA)] = None,
    skip: Annotated[Literal["none", "persistence"], typer.Option(help="Forecast the change since the last value.",
                                                                 rich_help_panel=DATA)] = "none",
    window: _axis("Time steps.") = space.DEFAULTS["window"],
    patch: _axis("Rows of a token.") = space.DEFAULTS["patch"],
    stride: _axis("Rows from one token's first to the next one's, or patch: as many as it has.") = space.DEFAULTS["stride"],
    d_model: _axis("Channels of a token.") = space.DEFAULTS["d_model"],
    bits: _axis("Width of weights and activations.") = space.DEFAULTS["bits"],
    mixed: Annotated[bool, typer.Option("--mixed", help="Give each class of tensors its own width out of --bits: "
                                        + ", ".join(space.CLASSES) + ".", rich_help_panel=SPACE)] = False,
    heads: _axis("Attention heads.") = space.DEFAULTS["heads"],
    layers: _axis("Encoder layers.") = space.DEFAULTS["layers"],
    ffn_ratio: _axis("Feed-forward channels over d_model.") = space.DEFAULTS["ffn_ratio"],
    readout: _axis("Pooling: last, mean.") = space.DEFAULTS["readout"],
    lanes: Annotated[str | None, typer.Option(
        metavar="LIST", help="Most lanes of the array, or auto: the fastest array that fits. If left out: auto, with objective "
        f"luts or energy {space.SMALLER_ARRAYS}.", rich_help_panel=SPACE)] = None,
    cpu: _axis("CPU of the SoC.") = space.DEFAULTS["cpu"],
    device: Annotated[str, typer.Option(help=f"FPGA that everything must fit: {', '.join(DEVICES)}.",
                                        rich_help_panel=SPACE)] = "xc7s15",
    objectives: Annotated[str | None, typer.Option(
        metavar="LIST", help="What to minimise, any of: rmse (forecast, validation windows), error (classification: share of "
        "wrong classes, anomaly: 1 - F1), latency (core, start to done), end_to_end (sample in the CPU's memory to result), "
        "energy (estimate), luts. If left out: rmse or error, and latency.", rich_help_panel=SEARCH)] = None,
    fidelity: Annotated[str, typer.Option(
        metavar="NAME", help="How figures are obtained. model: compiler's schedule and area formula, a proxy of RMSE or error "
        "from a training of seconds. simulate: the SoC simulated and synthesised with Yosys, the same proxy; about a minute a "
        "point. train: trained completely, simulated and synthesised; minutes per point.", rich_help_panel=SEARCH)] = "model",
    trials: Annotated[int, typer.Option(help="Points to evaluate, those of earlier runs in the same study included.",
                                        rich_help_panel=SEARCH)] = 50,
    jobs: Annotated[int | None, typer.Option(help="Parallel points: processes on this machine, 2 if left out; with --ray one "
                                             "for each CPU of the cluster.", rich_help_panel=SEARCH)] = None,
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Spread the points over a running Ray cluster: auto, "
                                            "HOST:PORT or ray://HOST:PORT.", rich_help_panel=SEARCH)] = None,
    storage: Annotated[str | None, typer.Option(metavar="URL", help="Any Optuna storage, so that several machines search "
                                                "together, such as mysql://HOST/NAME; a database in --out if left out.",
                                                rich_help_panel=SEARCH)] = None,
    study: Annotated[str, typer.Option(help="Name of the study in the storage.", rich_help_panel=SEARCH)] = "liteformer",
    seed: Annotated[int, typer.Option(help="Seed of search and trainings.", rich_help_panel=SEARCH)] = 1,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each stage of a complete training; depends on the data if left "
                                               "out.", rich_help_panel=SEARCH)] = None,
    source: Annotated[str | None, typer.Option("--from", metavar="DIR", help="Another exploration: evaluate its front first; "
                                               "with --pick take the point from there.", rich_help_panel=SEARCH)] = None,
    pick: Annotated[str | None, typer.Option(
        metavar="WHICH", help="Do not search: train a point of the front completely and write its model folder into --out. "
        "knee (the compromise nearest to all bests), the name of an objective (its best), or the number of a trial.",
        rich_help_panel=AFTER)] = None,
    sensitivity: Annotated[bool, typer.Option(
        "--sensitivity", help="Do not search: reduce the widths of one shape, class by class, from the largest of --bits.",
        rich_help_panel=MIXED)] = False,
    by: Annotated[Literal["class", "tensor"], typer.Option(help="Reduce whole classes of tensors, or each tensor.",
                                                           rich_help_panel=MIXED)] = "class",
    target_rmse: Annotated[float | None, typer.Option(
        help="Largest RMSE over the validation windows; 5 % above the float model's if left out.",
        rich_help_panel=MIXED)] = None,
    bram: Annotated[float | None, typer.Option(
        help="Stop when the weights fill this many BRAM36; as few as the RMSE allows if left out.",
        rich_help_panel=MIXED)] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder of study.db, front.csv, front.html and front.png, and where "
                                     "--pick puts the model.")] = "build/explore",
    as_json: options.Json = False,
):
    """Search over bits, sizes and arrays for the best compromises that fit a device: a Pareto front.

    Points that do not fit are counted, and the search learns to avoid them. Ctrl-C ends it with the front so far; the same
    command resumes. Search with cheap figures first, then measure the best points:

    liteformer explore --trials 100 --objectives rmse,latency --out build/x

    liteformer explore --trials 20 --fidelity train --from build/x --out build/x2

    liteformer explore --pick knee --from build/x2 --out build/plant

    liteformer build build/plant --board seeed_spartan_edge --no-compile

    Widths of each class of tensors, for one shape:

    liteformer explore --sensitivity --window 12 --d-model 32 --heads 1 --ffn-ratio 4 --bits 2-8 --target-rmse 4.0 --bram 5

    A class or an alarm instead of a forecast:

    liteformer explore --task classification --data har --path UCI-HAR --objectives error,energy --out build/motion

    Over several machines:

    liteformer explore --ray auto --trials 500 --out build/x
    """
    names = known.parse(f"{known.TRAINED[task][0]},latency" if objectives is None else objectives)
    if lanes is None:
        lanes = space.SMALLER_ARRAYS if {"luts", "energy"} & set(names) else space.AUTO
    texts = {"window": window, "patch": patch, "stride": stride, "d_model": d_model, "bits": bits,
             "heads": heads, "layers": layers, "ffn_ratio": ffn_ratio,
             "readout": readout, "lanes": lanes, "cpu": cpu}
    shared = {"data": data or ("csv" if path else "synthetic"), "path": _absolute(path), "target": options.names(target),
              "features": options.names(features),
              "timestamp": timestamp, "sensor": sensor, "horizon": horizon, "skip": skip, "seed": seed, "epochs": epochs}
    # Omitted options are not settings: the exploration of a forecast has no settings of other tasks.
    others = {"task": task if task != "forecast" else None, "label": label, "group": group, "window_stride": window_stride,
              "separator": separator, "decimal": decimal, "encoding": encoding, "skip_rows": skip_rows, "dayfirst": dayfirst,
              "missing": options.names(missing), "timezone": timezone, "strict": strict or None, "fill": fill or None,
              "every": every, "layout": layout if layout != "series" else None}
    shared |= {name: value for name, value in others.items() if value is not None}
    if sensitivity and task != "forecast":
        raise LiteFormerError(f"--sensitivity lowers the widths of a forecast, not of task {task}; search with --mixed")
    if pick and sensitivity:
        raise LiteFormerError("--pick and --sensitivity exclude each other; name one")
    if jobs is not None:
        at_least("jobs", jobs, 1)
    if pick:
        from liteformer.flow.explore.pick import hand_over, render
        with console.work():
            result = hand_over(source or out, out, pick, storage, study)
        console.emit(result, as_json, render)
        return
    axes = space.make_axes(texts, mixed)
    if sensitivity:
        from liteformer.flow.explore.sensitivity import propose, render
        with console.work():
            result = propose(shared, axes, device, by=by, target=target_rmse, bram=bram)
        console.emit(result, as_json, render)
        return
    _search(shared, axes, names, fidelity, device, out, source, as_json, trials=trials, jobs=jobs, ray=ray, storage=storage,
            study=study, seed=seed)


def _absolute(path):
    return str(Path(path).resolve()) if path else None


def _search(shared, axes, names, fidelity, device, out, source, as_json, *, trials, jobs, ray, storage, study, seed):
    from liteformer.flow.common.workers import Processes, Ray, check_ray
    from liteformer.flow.explore.evaluate import evaluate
    from liteformer.flow.explore.front import front_of
    from liteformer.flow.explore.run import explore as search
    from liteformer.flow.explore.run import make_settings
    from liteformer.flow.explore.show import render
    from liteformer.flow.explore.study import Exploration, import_optuna
    at_least("trials", trials, 1)
    import_optuna()
    if ray:
        check_ray(ray)
    with console.work():
        settings = make_settings(shared, axes, names=names, fidelity=fidelity, device=device)
        first = []
        if source:
            earlier = Exploration.open(source)
            columns = [known.column(name, earlier.settings["fidelity"]) for name in earlier.settings["objectives"]]
            first = [row["point"] for row in front_of(earlier.rows(), columns)]
        if len(axes["cpu"]) > 1 and "end_to_end" not in names:
            console.note("latency is the core's own, which no CPU changes; objective end_to_end counts the CPU's part too")
        workers = partial(Ray, ray, jobs, evaluate) if ray else partial(Processes, jobs or 2, evaluate)
        result, stopped = search(settings, out, trials=trials, workers=workers, storage=storage, study=study, seed=seed,
                                 first=first)
    console.emit(result, as_json, render)
    if stopped:
        console.note(f"stopped after {result['trials']['evaluated']} of {trials} points; the same command resumes from there")
        raise typer.Exit(130)
