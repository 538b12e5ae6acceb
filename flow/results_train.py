"""`make results-train`: train what docs/results.md shows and store its figures; what is stored already is not trained again."""

import argparse
import json
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console
from liteformer.flow.cache import write_atomically

ROOT = Path(__file__).resolve().parents[1]
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
    """Everything that the page shows as ``(name, fields of TrainOptions)``, the most wanted first."""
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
    from liteformer.train.layer_error import layer_errors
    metrics = {key: value for key, value in run.metrics.items() if key != "history"}
    metrics["options"] = metrics["options"] | {"path": Path(metrics["options"]["path"]).name}
    shown = {"truth": run.test_truth, "float": run.float_prediction, "integer": run.integer_prediction()}
    return metrics | {"layers": {name: round(error, 5) for name, error in layer_errors(run).items()},
                      "target": run.dataset.target_names[0],
                      "forecast": {name: np.round(values[:WEEK, 0], 3).tolist() for name, values in shown.items()}}


def together(names):
    """Entries that share their float networks, as lists of names: those that differ in their bits only.

    Args:
        names: of entries, in the order wanted.
    """
    groups = {}
    for name in names:
        groups.setdefault(tuple(part for part in name.split("-") if not part.endswith("bit")), []).append(name)
    return list(groups.values())


def train_group(task, names):
    """Train entries that share their float networks and store their figures.

    Args:
        task: dict ``seeds``: of each; ``folder``: of the stored figures; ``builds``: of the full runs; names: of the entries.
    """
    from liteformer.train.options import TrainOptions
    from liteformer.train.reuse import FloatTrainings
    from liteformer.train.seeds import train_seeds
    known, reuse = dict(entries()), FloatTrainings()
    for name in names:
        options = TrainOptions(**known[name], out=str(Path(task["builds"]) / name))
        run = train_seeds(options, task["seeds"], resume=True, reuse=reuse)
        write_atomically(Path(task["folder"]) / f"{name}.json", json.dumps(record(run)) + "\n")


def train_missing(names=(), seeds=SEEDS, folder=METRICS, builds=ROOT / "build" / "results", jobs=1, workers=None):
    """Train the entries that have no stored figures yet.

    Args:
        names: those to train, all if empty; seeds: of each; folder: of the stored figures; builds: of the full runs.
        jobs: groups of entries at a time; workers: callable that makes what works on them, as ``explore.workers.Processes``.
    Raises:
        LiteFormerError: a name that is not an entry.
        KeyboardInterrupt: after Ctrl-C; what is done is stored.
    """
    from liteformer.flow.explore.workers import Processes
    known = dict(entries())
    if wrong := [name for name in names if name not in known]:
        raise LiteFormerError(f"there is no result {wrong[0]}; there are: {', '.join(known)}")
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names or known if not (folder / f"{name}.json").exists()]
    if not missing:
        return
    task = {"seeds": seeds, "folder": str(folder), "builds": str(builds)}
    waiting, pool = dict(enumerate(together(missing))), (workers or Processes)(jobs, train_group)
    with console.step(f"Train {len(missing)} models, {seeds} seeds of each, {jobs} at a time") as step:
        try:
            for number, group in waiting.items():
                pool.submit(number, task, group)
            while waiting:
                for number, _ in pool.finished(2.0):
                    del waiting[number]
                step.update(sum((folder / f"{name}.json").exists() for name in missing), len(missing))
        except BaseException:
            pool.stop()
            raise
    pool.close()


def main():
    """Names of entries, all if there are none, and ``--jobs``."""
    parser = argparse.ArgumentParser(prog="make results-train", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="entry of docs/results.md to train; all if left out")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time (1)")
    arguments = parser.parse_args()
    train_missing(arguments.names, jobs=max(1, arguments.jobs))


if __name__ == "__main__":
    with console.sentences():
        main()
