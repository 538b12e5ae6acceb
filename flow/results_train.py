"""`make results-train`: train what docs/results.md shows and store its figures; what is stored already is not trained again."""

import json
import os
import sys
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow import console

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


def train_missing(names=(), seeds=SEEDS, folder=METRICS, builds=ROOT / "build" / "results"):
    """Train the entries that have no stored figures yet.

    Args:
        names: those to train, all if empty; seeds: of each; folder: of the stored figures; builds: of the full runs.
    Raises:
        LiteFormerError: a name that is not an entry.
    """
    from liteformer.flow.train import run_training
    from liteformer.train.options import TrainOptions
    known = dict(entries())
    if wrong := [name for name in names if name not in known]:
        raise LiteFormerError(f"there is no result {wrong[0]}; there are: {', '.join(known)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or known:
        path = folder / f"{name}.json"
        if path.exists():
            continue
        run = run_training(TrainOptions(**known[name], out=str(builds / name)), seeds, resume=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(record(run)) + "\n")
        os.replace(temporary, path)


if __name__ == "__main__":
    with console.sentences():
        train_missing(sys.argv[1:])
