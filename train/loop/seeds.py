# SPDX-License-Identifier: BSD-2-Clause
"""Several trainings with different seeds, as one directory."""

import json
import shutil
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.train.loop.reuse import FloatTrainings
from liteformer.train.loop.run import decided, load_run, portable, replacing, train, write_metrics
from liteformer.train.metrics.intervals import block_bootstrap, over_seeds
from liteformer.train.metrics.verdict import behind

MOST = 1000
# Independent of the seed.
FIXED = ("persistence", "least_squares", "lightgbm", "majority", "logistic_regression", "three_sigma")


def train_seeds(options, count, progress=None, resume=False, reuse=None):
    """Train with consecutive seeds from ``options.seed`` on; each into ``seed<N>`` of the directory ``options.out``.

    The directory itself becomes the run whose integer model is best over the validation windows (with refit these are trained
    on, so the choice means less, but it never uses the test set). In its ``metrics.json`` every metric that depends on
    the seed is a dict of mean, std and values; those of the integer model have the bounds of the block-bootstrap interval.

    Args:
        options: TrainOptions; count: seeds, 1 is a plain training; progress: as in ``train``, its stages named with the seed;
            resume: reuse seeds that an interrupted call with the same options has finished; reuse: as in ``train``.
    Returns:
        Run of the chosen seed with the metrics of all.
    Raises:
        LiteFormerError: as ``train``; an impossible count.
    """
    if not 1 <= count <= MOST:
        raise LiteFormerError(f"seeds is {count}; choose 1 to {MOST}")
    if count == 1:
        return train(options, progress, reuse)
    out, runs, reuse = Path(options.out), [], reuse or FloatTrainings()
    # Once for all seeds, by the first.
    options, choice, notes = decided(options, progress, reuse)
    for number, seed in enumerate(range(options.seed, options.seed + count)):
        one = options.model_copy(update={"seed": seed, "out": str(out / f"seed{seed}")})
        if resume and _finished(one):
            runs.append(load_run(one.out))
            continue
        runs.append(train(one, progress and (lambda stage, done, total, metrics, number=number: progress(
            stage, done, total, metrics | {"seed": (number + 1, count)})), reuse))
    best = min(runs, key=lambda run: run.metrics["validation"]["integer"])
    interval = None
    if options.task == "forecast":
        interval = block_bootstrap([run.integer_prediction() - run.test_truth for run in runs])
    metrics = summary([run.metrics for run in runs], interval) | {"chosen_seed": best.options.seed}
    with replacing(out) as folder:
        for path in Path(best.options.out).iterdir():
            shutil.copyfile(path, folder / path.name)
        write_metrics(folder, best.metrics | metrics | {"choice": choice, "notes": [*best.metrics["notes"], *notes]})
    return load_run(out)


def _finished(options):
    """Whether the directory ``options.out`` holds a run with exactly these options."""
    try:
        return json.loads((Path(options.out) / "metrics.json").read_text())["options"] == portable(options)
    except (OSError, ValueError, KeyError):
        return False


def summary(metrics, interval):
    """The parts of several ``metrics.json`` that depend on the seed, combined.

    Args:
        metrics: list of dicts, one per seed; interval: of the mean integer RMSE of forecasts, else None.
    Returns:
        dict of the metrics, validation, interval of a forecast, seconds, seeds.
    """
    def together(part, **bounds):
        names = metrics[0][part]
        return {name: over_seeds([entry[part][name] for entry in metrics], bounds.get(name))
                if name not in FIXED and names[name] is not None else names[name] for name in names}

    def steps():
        return {name: [figure if name in FIXED else over_seeds([entry["rmse_by_step"][name][step] for entry in metrics])
                       for step, figure in enumerate(values)] if values else values
                for name, values in metrics[0]["rmse_by_step"].items()}

    bounds = {"integer": interval} if interval else {}
    parts = [name for name in ("rmse", "accuracy", "macro_f1", "precision", "recall", "f1") if name in metrics[0]]
    figures = {name: together(name, **bounds) for name in parts}
    if "rmse_by_step" in metrics[0]:
        figures["rmse_by_step"] = steps()
    return figures | ({"interval": bounds, "behind": behind(figures["rmse"])} if bounds else {}) | {
            "validation": together("validation"), "seeds": [entry["options"]["seed"] for entry in metrics],
            "seconds": {name: round(sum(entry["seconds"][name] for entry in metrics), 2) for name in metrics[0]["seconds"]}}

