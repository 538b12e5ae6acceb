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
SOURCES = {
    "airu": {"data": "airu", "path": str(SHARED / "airu" / "airU.csv")},
    "pems": {"data": "pems", "path": str(SHARED / "pems_d7_mar2018" / "pems_3stations_5min.csv"), "skip": "persistence"},
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
    metrics["options"] = metrics["options"] | {"path": Path(metrics["options"]["path"]).name}
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
        options = TrainOptions(**known[name], out=str(Path(task["builds"]) / name))
        run = train_seeds(options, task["seeds"], resume=True, reuse=reuse)
        write_atomically(Path(task["folder"]) / f"{name}.json", json.dumps(record(run)) + "\n")


def train_missing(names=(), seeds=SEEDS, folder=METRICS, builds=ROOT / "build" / "results", jobs=1, workers=None):
    """Train the entries that have no stored figures yet.

    Args:
        names: those to train, all if empty; seeds: of each; folder: of the stored figures; builds: of the full runs.
        jobs: groups of entries at a time; workers: callable that makes what works on them, as ``common.workers.Processes``.
    Raises:
        LiteFormerError: a name that is not an entry.
        KeyboardInterrupt: after Ctrl-C; what is done is stored.
    """
    from liteformer.flow.common.workers import Processes
    known = dict(entries())
    if wrong := [name for name in names if name not in known]:
        raise LiteFormerError(f"there is no result {wrong[0]}; there are: {', '.join(known)}")
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names or known if not (folder / f"{name}.json").exists()]
    if not missing:
        return
    task = {"seeds": seeds, "folder": str(folder), "builds": str(builds)}
    waiting, pool = dict(enumerate(together(missing))), (workers or Processes)(jobs, train_group)

    def done():
        return sum(seeds if (folder / f"{name}.json").exists() else len(list(builds.glob(f"{name}/seed*/metrics.json")))
                   for name in missing)

    shown, total = done(), seeds * len(missing)
    with console.step(f"Train {len(missing)} models, {seeds} seeds of each, {jobs} shapes at a time") as step:
        step.update(shown, total)
        try:
            for number, group in waiting.items():
                pool.submit(number, task, group)
            while waiting:
                for number, _ in pool.finished(2.0):
                    del waiting[number]
                if done() > shown:
                    shown = done()
                    step.update(shown, total)
        except BaseException:
            pool.stop()
            raise
    pool.close()


def main():
    """Entries to train from the arguments, all if there are none; bad input ends in one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="make results-train", usage='make results-train [JOBS=N] [ONLY="NAME ..."]',
                                     description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="entry of docs/results.md to train; all if left out")
    parser.add_argument("--jobs", type=int, default=1, help="shapes at a time, one if left out")
    arguments = parser.parse_args()
    with console.sentences():
        at_least("jobs", arguments.jobs, 1)
        try:
            train_missing(arguments.names, jobs=arguments.jobs)
        except KeyboardInterrupt:
            console.note("stopped; finished trainings are kept, and the same command resumes from there")
            sys.exit(130)


if __name__ == "__main__":
    main()
