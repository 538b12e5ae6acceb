# SPDX-License-Identifier: BSD-2-Clause
"""`train --auto`: window, patches, d_model, skip and inputs by the validation error, within a device and a time.

First short trainings of points that the search of ``explore`` proposes, then longer ones of the best of different tokens; among
those that hardly differ the one of the fewest cycles is taken.
"""

import math
import tempfile
import time
from pathlib import Path

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.common.workers import Processes
from liteformer.flow.explore import cost, objectives
from liteformer.flow.explore.pool import collect, submit
from liteformer.flow.explore.show import MOST_ROWS
from liteformer.flow.explore.space import AUTO
from liteformer.flow.explore.study import Exploration
from liteformer.flow.runs.train import run_training

# Window, patch and stride; most days, weeks and hours fit one of them.
TOKENS = ("12/1/1", "24/2/2", "96/8/8", "24/12/1", "17/6/1", "48/4/4", "6/1/1", "24/1/1", "96/16/8", "168/14/14", "336/48/24")
D_MODELS = (32, 16, 64)
RELATED = 4         # Inputs of the choice "related" besides the target.
SHARE = 0.5         # Of the time for short trainings.
KINDS = 4           # Points that are trained longer first, each with other tokens;
FINALISTS = 12      # after them, while there is time, each with other tokens or inputs, so many in all.
LONGER = 0.5        # Of the recipe's epochs, for them.
TIE = 1.01          # Longer trainings whose errors differ less say nothing: another seed changes them as much.
HELD = 20           # Validation windows at least.
COLUMN = "error"


def axes_of(options, dataset):
    """Axes of the search; what the options give, other than by default, has one choice.

    Args:
        options: TrainOptions; dataset: Dataset of them.
    Returns:
        ``(axes, inputs)``: dict axis -> list of choices, the first of each the one to begin with; dict choice of inputs ->
        names of features.
    """
    fields, names = type(options).model_fields, dataset.feature_names
    own = "/".join(str(getattr(options, name)) for name in ("window", "patch", "stride"))
    default = "/".join(str(fields[name].default) for name in ("window", "patch", "stride"))
    inputs = {"all": names}
    if options.features is None and options.task == "forecast":
        targets = [names[index] for index in dict.fromkeys(dataset.target_features)]
        if targets and len(targets) < len(names):
            inputs["target"] = targets
        if len(names) > RELATED + len(targets) + 1:
            inputs["related"] = related(dataset, targets)
    skips = [options.skip]
    if options.skip == "auto":
        skips = ["persistence", "none"] if dataset.target_features and options.task == "forecast" else ["none"]
    return {"tokens": list(TOKENS) if own == default else [own],
            "d_model": list(D_MODELS) if options.d_model == fields["d_model"].default else [options.d_model],
            "skip": skips, "inputs": list(inputs)}, inputs


def related(dataset, targets):
    """The targets, and the RELATED other features whose last value or last change is most correlated with what is to come.

    Args:
        dataset: Dataset; targets: names of those that are features.
    Returns:
        list of names in the order of the features.
    """
    starts, last = dataset.train, dataset.train + dataset.window - 1
    goal = dataset.truth[starts][:, 0]
    if dataset.target_features:
        goal = goal - dataset.last_values(starts)[:, 0]
    seen = np.concatenate([dataset.raw[last], dataset.raw[last] - dataset.raw[np.maximum(last - 1, 0)]], axis=1).astype(float)
    seen, goal = seen - seen.mean(axis=0), goal - goal.mean()
    strength = abs(goal @ seen) / np.maximum(np.sqrt((seen ** 2).sum(axis=0)), 1e-30)
    count = len(dataset.feature_names)
    strength = np.maximum(strength[:count], strength[count:])
    others = [index for index in np.argsort(-strength) if dataset.feature_names[index] not in targets]
    return [name for index, name in enumerate(dataset.feature_names) if name in targets or index in others[:RELATED]]


def fields_of(point, inputs):
    """The part of TrainOptions that a point decides.

    >>> fields_of({"tokens": "96/8/4", "d_model": 32, "skip": "none", "inputs": "all"}, {"all": ["a"]})["stride"]
    4
    """
    window, patch, stride = map(int, point["tokens"].split("/"))
    return {"window": window, "patch": patch, "stride": stride, "d_model": point["d_model"], "skip": point["skip"],
            "features": list(inputs[point["inputs"]])}


def assess(task, point):
    """Train a point and return its figures; runs in a worker process.

    Args:
        task: dict ``options``, ``inputs``, ``device``, ``epochs``, ``thin``; point: dict axis -> choice.
    Returns:
        dict as of ``explore.evaluate``: figures ``error`` over the validation windows and ``cycles``; ``seconds`` that the
        training took.
    """
    from liteformer.flow.explore.evaluate import dataset_of, random_of
    from liteformer.train.loop.options import TrainOptions
    from liteformer.train.loop.short import short_training
    from liteformer.train.loop.trainer import Diverged
    try:
        options = TrainOptions(**task["options"] | fields_of(point, task["inputs"]))
        dataset = dataset_of(options)
        cycles = cost.place(random_of(options, dataset), AUTO, task["device"])[2]
    except LiteFormerError as error:
        return {"state": "infeasible", "reason": str(error), "excess": 1.0, "figures": {}}
    begin = time.monotonic()
    try:
        _, error = short_training(options, dataset, task["epochs"], task["thin"])
    except Diverged as error:
        return {"state": "failed", "reason": str(error), "figures": {}}
    return {"state": "ok", "figures": {COLUMN: float(error), "cycles": cycles}, "seconds": time.monotonic() - begin}


def search(options, minutes, device, workers, seed=1):
    """Find the point with the lowest validation error in a time.

    Args:
        options: TrainOptions; minutes: of the search; device: name; workers: callable(function) that makes Processes.
    Returns:
        ``(TrainOptions, dict)``: with the choice; the dict for metrics.json.
    Raises:
        LiteFormerError: bad data, or nothing fits.
    """
    from liteformer.accel.devices import device as find_device
    from liteformer.train.data.dataset import load_dataset
    from liteformer.train.loop.short import EPOCHS
    if not 0 < minutes <= 1440:
        raise LiteFormerError(f"--auto {minutes:g} is no time to search; choose more than 0 and at most 1440 minutes")
    find_device(device)
    dataset = load_dataset(options.model_copy(update={"skip": "none"}))
    held = len(dataset.validation)
    if held < HELD:
        raise LiteFormerError(f"--auto chooses by the error over validation windows, of which there are {held}, fewer than "
                              f"{HELD}; give a longer series or a larger --validation-fraction")
    axes, inputs = axes_of(options, dataset)
    task = {"options": options.model_dump() | {"refit": False}, "inputs": inputs, "device": device}
    begin, settings = time.monotonic(), {"objectives": [COLUMN], "axes": axes}
    with tempfile.TemporaryDirectory() as folder:
        exploration = Exploration.open(folder, settings=settings, seed=seed)
        first = {name: values[0] for name, values in axes.items()}
        exploration.start_with(first | {"tokens": tokens} for tokens in axes["tokens"])
        pool = workers(assess)
        with console.step(f"Search for {minutes:g} minutes") as step:
            watch = _Watch(step, begin, minutes * 60)
            try:
                _short(exploration, pool, task | {"epochs": EPOCHS, "thin": True}, watch)
                rows = exploration.rows()
                epochs = max(EPOCHS, round(LONGER * options.float_epochs))
                longer = _longer(finalists(rows), pool, task | {"epochs": epochs, "thin": False}, watch)
            except BaseException:
                pool.stop()
                raise
        pool.close()
    tried = [row | {"longer": longer.get(row["number"], {}).get(COLUMN)} for row in rows]
    best = preferred(tried)
    if best is None:
        raise LiteFormerError(f"nothing that --auto tried can be trained for the {device}: "
                              f"{tried[0]['reason']}; choose another --device, or the sizes yourself")
    figure, words = objectives.TRAINED[options.task]
    options, trial = options.model_copy(update=fields_of(best["point"], inputs)), longer.get(best["number"])
    return options, {
        "minutes": minutes, "seconds": round(time.monotonic() - begin, 1), "device": device, "figure": figure,
        "meaning": f"{words} over the validation windows: error after {EPOCHS} epochs of each stage and few windows, longer "
                   f"after {epochs} epochs and all windows; the fewest cycles within {TIE - 1:.0%} of the lowest",
        "inputs": inputs, "tried": tried, "chosen": best["number"],
        "expected": trial and round(expected_seconds(trial["seconds"] / epochs, options), 1)}


def expected_seconds(epoch, options):
    """Seconds of the training of one seed, without its baselines.

    Args:
        epoch: seconds of an epoch in float and one quantization-aware, of which the second takes about twice as long.
    """
    forecast = options.task == "forecast"
    networks = options.teachers if forecast and options.distill else 1
    # With refit and no number of epochs one network more finds it.
    networks += forecast and options.refit and options.refit_epochs is None
    return epoch * (networks * options.float_epochs + 2 * options.quantized_epochs) / 3


def described(found):
    """The chosen point of a search in words."""
    point = next(row["point"] for row in found["tried"] if row["number"] == found["chosen"])
    window, patch, stride = point["tokens"].split("/")
    return (f"--window {window} --patch {patch} --stride {stride} --d-model {point['d_model']} --skip {point['skip']} "
            f"--features {','.join(found['inputs'][point['inputs']])}")


def tried_table(found, most=MOST_ROWS):
    """The best points of a search as a table."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"{len(found['tried'])} tried in {found['seconds']:.0f} s",
                  caption=escape(found["meaning"]))
    for name in ("window/patch/stride", "d", "skip", "inputs", "error", "longer", "cycles", ""):
        table.add_column(name, justify="right" if name in ("d", "error", "longer", "cycles") else "left")

    def rank(row):
        return (row["longer"] is None, row["longer"] or 0.0, row["figures"].get(COLUMN, math.inf))

    for row in sorted(found["tried"], key=rank)[:most]:
        point, figures = row["point"], row["figures"]
        table.add_row(point["tokens"], str(point["d_model"]), point["skip"], point["inputs"],
                      f"{figures[COLUMN]:.4g}" if figures else "-", f"{row['longer']:.4g}" if row["longer"] is not None else "",
                      f"{figures['cycles']:,}" if figures else "",
                      "chosen" if row["number"] == found["chosen"] else escape(row["reason"] or ""))
    return table


def choose_and_train(options, seeds, minutes, device, jobs):
    """Choose what ``options`` leave open (``search``), then train; the search is kept in metrics.json as ``auto``.

    Args:
        options: TrainOptions; seeds: how many, from ``options.seed`` on; minutes: of the search; device: name; jobs:
            trainings at a time.
    Returns:
        Run.
    """
    from liteformer.train.loop.run import write_metrics
    at_least("jobs", jobs, 1)
    if Path(options.out).is_file():
        raise LiteFormerError(f"{options.out} is a file, not a directory; choose another --out")
    options, found = search(options, minutes, device, lambda function: Processes(jobs, function))
    console.note(f"chosen by the validation error, the fewest cycles of what hardly differs, among {len(found['tried'])} "
                 f"that were tried in {found['seconds']:.0f} s: {described(found)}")
    if found["expected"]:
        minutes = max(1, round(found["expected"] * seeds / 60))
        console.note(f"its training takes about {minutes} minute{'s' * (minutes > 1)}" + (
            ", and that of the baselines (--neighbours) as long again or longer" if options.task == "forecast" else ""))
    run = run_training(options, seeds)
    run.metrics["auto"] = found
    write_metrics(Path(options.out), run.metrics)
    return run


class _Watch:
    """The time of a search, shown with what was found."""

    def __init__(self, step, begin, seconds):
        self.step, self.begin, self.seconds, self.tried, self.best = step, begin, seconds, 0, None

    def left(self, share=1.0):
        """Seconds until this share of the time is over."""
        return self.begin + share * self.seconds - time.monotonic()

    def show(self, error=None):
        """Move the bar; error: of a point that was evaluated."""
        if error is not None:
            self.best = error if self.best is None else min(error, self.best)
        left = max(0, round(self.left()))
        best = "" if self.best is None else f", lowest error {self.best:.4g}"
        self.step.update(min(self.seconds, round(self.seconds - self.left())), self.seconds,
                         f"{self.tried} tried{best}, {left // 60}:{left % 60:02} left")


def _short(exploration, pool, task, watch):
    """Short trainings of proposed points for SHARE of the time; one at least."""
    running = set()
    while True:
        submit(exploration, pool, task, running, lambda: watch.left(SHARE) > 0 or not exploration.taken())
        if not running:
            return
        for outcome in collect(exploration, pool, running, [COLUMN]):
            watch.tried += 1
            watch.show(outcome["figures"].get(COLUMN))
        watch.show()


def finalists(rows):
    """The best points, FINALISTS at most: KINDS with different tokens, then with different tokens or inputs."""
    ranked = sorted((row for row in rows if row["state"] == "ok"), key=lambda row: row["figures"][COLUMN])
    return _first([*_first(ranked, ("tokens",))[:KINDS], *ranked], ("tokens", "inputs"))[:FINALISTS]


def _first(rows, axes):
    """The first row with each combination of choices on some axes."""
    seen = {}
    for row in rows:
        seen.setdefault(tuple(row["point"][axis] for axis in axes), row)
    return list(seen.values())


def preferred(tried):
    """The row with the fewest cycles of those whose ``longer`` error is within TIE of the lowest; where none was trained longer
    the row of the lowest error, where none was trained None."""
    longer = [row for row in tried if row["longer"] is not None]
    if longer:
        limit = TIE * min(row["longer"] for row in longer)
        return min((row for row in longer if row["longer"] <= limit), key=lambda row: row["figures"]["cycles"])
    return min((row for row in tried if row["state"] == "ok"), key=lambda row: row["figures"][COLUMN], default=None)


def _longer(rows, pool, task, watch):
    """dict number -> dict COLUMN, ``seconds`` of a longer training, of the first row and as many more as there is time for."""
    waiting, found, running = list(rows), {}, set()
    while waiting or running:
        while waiting and len(running) < pool.jobs and (watch.left() > 0 or not (found or running)):
            row = waiting.pop(0)
            running.add(row["number"])
            pool.submit(row["number"], task, row["point"])
        if not running:
            break
        for number, outcome in pool.finished(1.0):
            running.discard(number)
            if outcome["state"] == "ok":
                found[number] = {COLUMN: outcome["figures"][COLUMN], "seconds": outcome["seconds"]}
        watch.show()
    return found
