# SPDX-License-Identifier: BSD-2-Clause
"""`make results-train`: train the models of docs/results.md and store their metrics; stored ones are not trained again."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import at_least
from liteformer.flow.publish.repository import ROOT

METRICS = ROOT / "docs" / "results" / "metrics"
SHARED = ROOT.parent / "shared" / "data"
SEEDS = 5
WEEK = 168
# The recipe of the stored figures, where today's default is another: all epochs with refit, the weights without average,
# quantization-aware as many epochs as float, at the same rate and weight decay.
RECIPE = {"average": 0.0, "refit_epochs": 60, "weight_decay": 0.1, "qat_lr": 2e-3, "qat_weight_decay": 0.1}
SOURCES = {
    "airu": RECIPE | {"data": "airu", "path": str(SHARED / "airu" / "airU.csv"), "skip": "none",
                      "qat_epochs": 40},
    "pems": RECIPE | {"data": "pems", "path": str(SHARED / "pems_d7_mar2018" / "pems_3stations_5min.csv"),
                      "skip": "persistence", "qat_epochs": 60},
}
SHAPES = [(12, 32), (6, 64), (12, 64)]
BITS = [4, 8, 6, 3]


def entries():
    """Everything that the page shows as ``(name, fields of TrainOptions)``, the most important first."""
    wanted = [("airu", 12, 32, 4, "last"), ("airu", 12, 32, 4, "mean"), ("pems", 12, 32, 4, "last"),
              ("airu", 12, 64, 6, "last"), ("airu", 6, 64, 8, "last")]
    grid = [(source, window, d_model, bits, readout) for readout in ("last", "mean") for source in SOURCES
            for window, d_model in SHAPES for bits in BITS]
    for source, window, d_model, bits, readout in dict.fromkeys([*wanted, *grid]):
        yield f"{source}-{window}-{d_model}-{bits}bit-{readout}", SOURCES[source] | {
            "window": window, "d_model": d_model, "bits": bits, "readout": readout, "refit": True}


def record(run):
    """The part of a run that the page needs.

    Args:
        run: Run of several seeds.
    Returns:
        JSON-able dict: its metrics without histories; ``layers``, quantization error of every activation; ``forecast``, the
        first windows of the test set: truth, float and integer.
    """
    from liteformer.train.quant.layer_error import layer_errors
    metrics = {key: value for key, value in run.metrics.items() if key != "history"}
    path = metrics["options"]["path"]
    metrics["options"] = metrics["options"] | {"path": path and Path(path).name}
    shown = {"truth": run.test_truth, "float": run.float_prediction, "integer": run.integer_prediction()}
    return metrics | {"layers": {name: round(error, 5) for name, error in layer_errors(run).items()},
                      "target": run.dataset.target_names[0],
                      "forecast": {name: np.round(values[:WEEK, 0], 3).tolist() for name, values in shown.items()}}


def together(names):
    """Lists of entries that share their float networks, that is, differ in their bits only; the longest training first."""
    known, groups = dict(entries()), {}
    for name in names:
        groups.setdefault(json.dumps(known[name] | {"bits": 0}), []).append(name)

    def work(group):
        fields = known[group[0]]
        tokens = fields["window"] if fields["readout"] == "mean" else 1
        return len(group) * (2 if fields["data"] == "airu" else 1) * tokens * fields["d_model"] ** 2

    return sorted(groups.values(), key=work, reverse=True)


def train_group(task, names):
    """Train entries that share their float networks and store their figures.

    Args:
        task: dict ``seeds``: of each; ``folder``: of the stored figures; ``builds``: of the full runs; names: of the entries.
    """
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.reuse import FloatTrainings
    from liteformer.train.loop.seeds import train_seeds
    known, reuse = dict(entries()), FloatTrainings()
    for name in names:
        options = TrainOptions(**known[name], out=str(Path(task["builds"]) / name), neighbours="none")
        run = train_seeds(options, task["seeds"], resume=True, reuse=reuse)
        write_atomically(Path(task["folder"]) / f"{name}.json", json.dumps(record(run)) + "\n")


def measure_teachers(task, names):
    """Train the float networks alone of stored entries that lack their teachers' error, ``rmse.ensemble``, and add it.

    Args:
        task: dict ``seeds``: how many of the stored ones, from the first on; ``folder``: of the stored figures.
        names: of stored entries, which share their float networks.
    """
    from liteformer.train.data.dataset import load_dataset
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.reuse import FloatTrainings
    from liteformer.train.loop.run import ensemble_error
    from liteformer.train.metrics.intervals import over_seeds
    known, reuse = dict(entries()), FloatTrainings()
    for name in names:
        path = Path(task["folder"]) / f"{name}.json"
        stored = json.loads(path.read_text())
        errors = []
        for seed in stored["seeds"][:task["seeds"]]:
            options = TrainOptions(**known[name] | {"seed": seed})
            errors.append(ensemble_error(options, load_dataset(options), reuse=reuse))
        stored["rmse"]["ensemble"] = errors[0] if len(errors) == 1 else over_seeds(errors)
        write_atomically(path, json.dumps(stored) + "\n")


def teach_stored(names=(), seeds=1, folder=METRICS, jobs=1, workers=None):
    """Add their teachers' error to the stored entries that lack it.

    Args:
        names: of entries, all if empty; seeds: how many; folder, jobs, workers: as of ``train_missing``.
    Raises:
        LiteFormerError: a name that is not an entry.
    """
    lacking = [name for name in _chosen(names) if (folder / f"{name}.json").exists()
               and "ensemble" not in json.loads((folder / f"{name}.json").read_text())["rmse"]]
    if not lacking:
        return
    groups = together(lacking)
    with console.step(f"Train the float teachers of {len(lacking)} models, {seeds} seeds of each") as step:
        run_groups(groups, measure_teachers, {"seeds": seeds, "folder": str(folder)}, jobs, workers,
              lambda left: step.update(len(groups) - left, len(groups)))


def _chosen(names):
    """These names, checked, or all."""
    known = dict(entries())
    if wrong := [name for name in names if name not in known]:
        raise LiteFormerError(f"there is no result {wrong[0]}; there are: {', '.join(known)}")
    return names or list(known)


def run_groups(groups, function, task, jobs, workers, progress):
    """Run a function on every group in processes; ``progress(groups left)`` is called after every wait."""
    from liteformer.flow.common.workers import Processes
    waiting, pool = dict(enumerate(groups)), (workers or Processes)(jobs, function)
    progress(len(waiting))
    try:
        for number, group in waiting.items():
            pool.submit(number, task, group)
        while waiting:
            for number, _ in pool.finished(2.0):
                del waiting[number]
            progress(len(waiting))
    except BaseException:
        pool.stop()
        raise
    pool.close()


def train_missing(names=(), seeds=SEEDS, folder=METRICS, builds=ROOT / "build" / "results", jobs=1, workers=None):
    """Train the entries that have no stored figures yet.

    Args:
        names: those to train, all if empty; seeds: of each; folder: of the stored figures; builds: of the full runs.
        jobs: groups of entries at a time; workers: callable that makes what works on them, as ``common.workers.Processes``.
    Raises:
        LiteFormerError: a name that is not an entry.
        KeyboardInterrupt: after Ctrl-C; what is done is stored.
    """
    missing = [name for name in _chosen(names) if not (folder / f"{name}.json").exists()]
    if not missing:
        return
    folder.mkdir(parents=True, exist_ok=True)
    task = {"seeds": seeds, "folder": str(folder), "builds": str(builds)}

    def done():
        return sum(seeds if (folder / f"{name}.json").exists() else len(list(builds.glob(f"{name}/seed*/metrics.json")))
                   for name in missing)

    with console.step(f"Train {len(missing)} models, {seeds} seeds of each, {jobs} shapes at a time") as step:
        run_groups(together(missing), train_group, task, jobs, workers, lambda _: step.update(done(), seeds * len(missing)))


def main():
    """Entries to train from the arguments, all if there are none; bad input ends in one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="make results-train", description=__doc__,
                                     usage='make results-train [JOBS=N] [ONLY="NAME ..."] [TEACHERS=SEEDS]')
    parser.add_argument("names", nargs="*", metavar="NAME", help="entry of docs/results.md to train; all if left out")
    parser.add_argument("--jobs", type=int, default=1, help="shapes at a time, one if left out")
    parser.add_argument("--teachers", type=int, metavar="SEEDS", help="train nothing but the float teachers of stored entries "
                        "that lack their error, for so many seeds, and add it")
    arguments = parser.parse_args()
    with console.sentences():
        at_least("jobs", arguments.jobs, 1)
        try:
            if arguments.teachers is None:
                train_missing(arguments.names, jobs=arguments.jobs)
            else:
                at_least("teachers", arguments.teachers, 1)
                teach_stored(arguments.names, arguments.teachers, jobs=arguments.jobs)
        except KeyboardInterrupt:
            console.note("stopped; finished trainings are kept, and the same command resumes from there")
            sys.exit(130)


if __name__ == "__main__":
    main()
