# SPDX-License-Identifier: BSD-2-Clause
"""One point of the paper's grid: trained, run on the simulated SoC with windows of its test set, synthesised.

Runs in a worker process, so it takes and returns plain values.
"""

import contextlib
import json
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.measure import energy, hardware
from liteformer.flow.publish.results_train import SOURCES

DEVICE = "xc7s15"
SEED = 1
WINDOWS = 32          # Of the test set, on the simulated SoC.
ACTIVITY_WINDOWS = 2  # Of these, to count signal changes.
# Differences of a training from docs/results.md; "quick" does not show what a shape can reach.
RECIPES = {"complete": {}, "quick": {"epochs": 20, "qat_epochs": 20, "distill": 0.0}}
PARTS = ("train", "simulate", "synthesise")


@dataclass(frozen=True)
class Point:
    """A configuration on a data set, a key of ``results_train.SOURCES``."""

    data: str
    window: int
    d_model: int
    bits: int

    @property
    def name(self):
        """For files."""
        return f"{self.data}-{self.window}-{self.d_model}-{self.bits}bit"


def options_of(point, task):
    """TrainOptions of a point: the paper's readout, all training data, the recipe of the task.

    Args:
        point: Point. task: dict ``recipe``, a key of RECIPES; ``paths``: dict data set -> CSV; ``out``: directory; ``code``: of
            ``paper_tables.code``.
    """
    from liteformer.train.loop.options import TrainOptions
    return TrainOptions(**SOURCES[point.data] | {
        "path": task["paths"][point.data], "window": point.window, "d_model": point.d_model, "bits": point.bits,
        "readout": "mean", "refit": True, "seed": SEED, "out": str(Path(task["out"]) / point.name),
        "neighbours": "none"} | RECIPES[task["recipe"]])


def result_file(task, point):
    """Where the result of a point is stored."""
    return Path(task["out"]) / f"{point.name}.json"


def measure_group(task, points):
    """Measure points that share their float networks; each result is stored immediately.

    Args:
        task: as of ``options_of``, with ``session``: when the call began, Unix time, and ``jobs``: groups at a time.
        points: list of Point.

    What is stored: dict of ``measure`` with ``session``, ``jobs`` and ``elapsed``: seconds until this point was done.
    """
    from liteformer.train.loop.reuse import FloatTrainings
    reuse = FloatTrainings()
    for point in points:
        result = measure(task, point, reuse)
        result |= {"session": task["session"], "jobs": task["jobs"], "elapsed": round(time.time() - task["session"], 1)}
        write_atomically(result_file(task, point), json.dumps(result) + "\n")


def measure(task, point, reuse=None):
    """Everything about one point.

    Args:
        task, point: as of ``options_of``; reuse: as in ``train.run.train``.
    Returns:
        JSON-able dict: ``point``, ``options``, ``code`` and either ``error``, why there is no such accelerator, or ``rmse``,
        ``interval``, ``windows``, ``parameters``, ``macs``, ``unit``, ``array``, ``lanes``, ``utilization``, ``cycles``,
        ``latency_us``, ``mismatches``, ``area``, ``power_mw``, ``energy_uj`` (energy estimate) and ``seconds``: dict part of
        PARTS -> ``wall``, ``processor``.
    Raises:
        LiteFormerError: a tool is missing: every other point would fail too.
    """
    from liteformer.train.loop.run import portable
    options, stopwatch = options_of(point, task), Stopwatch()
    asked = {"point": vars(point), "options": portable(options), "code": task["code"]}
    try:
        run, known = trained(options, reuse)
        compiled = hardware.compile_model(run.model, device=DEVICE)
    except LiteFormerError as error:
        return asked | {"error": str(error)}
    # A training finished by an earlier call counts with its original time.
    seconds = {"train": {"wall": known, "processor": known} if known else stopwatch.lap()}
    stopwatch.lap()
    figures, activity = _simulated(run, compiled)
    seconds["simulate"] = stopwatch.lap()
    synthesis = hardware.soc_synthesis(compiled, device=DEVICE)
    seconds["synthesise"] = stopwatch.lap()
    cycles = figures["cycles"]["accelerator"]
    microseconds = hardware.microseconds(cycles)
    power = energy.estimate_power(synthesis["blocks"], activity.busy, DEVICE, hardware.CLOCK_MHZ).total
    return asked | {name: run.metrics[name] for name in ("rmse", "interval", "windows", "parameters", "macs", "unit")} | {
        "error": None, "array": {name: getattr(compiled.hw, name) for name in ("rows", "columns")}, "lanes": compiled.hw.lanes,
        "utilization": round(hardware.utilization(run.model, compiled, cycles), 4), "cycles": figures["cycles"],
        "latency_us": microseconds, "mismatches": figures["mismatches"], "area": synthesis["area"],
        "power_mw": power.rounded(), "energy_uj": energy.energy(power, microseconds).rounded(), "seconds": seconds}


def trained(options, reuse=None):
    """The training of these options, reused if an interrupted call has finished it.

    Returns:
        ``(Run, seconds)``: seconds that it took earlier, None if it was trained now.
    """
    from liteformer.train.loop.run import load_run, portable, train
    with contextlib.suppress(OSError, ValueError, KeyError, LiteFormerError):
        if json.loads((Path(options.out) / "metrics.json").read_text())["options"] == portable(options):
            run = load_run(options.out)
            return run, run.metrics["seconds"]["total"]
    return train(options, reuse=reuse), None


def _simulated(run, compiled):
    """``(figures of run_soc, Activity)`` over the first test windows."""
    from liteformer.flow.measure.activity import measure_activity
    from liteformer.flow.runs.evaluate import windows_for_soc
    raw = run.test_raw[windows_for_soc(run, WINDOWS)]
    figures, _ = hardware.run_soc(run.model, compiled, raw, recordable=True)
    return figures, measure_activity(compiled, raw[:ACTIVITY_WINDOWS])


class Stopwatch:
    """Time between laps, of this process and the compilers that it starts."""

    def __init__(self):
        self._last = self._now()

    @staticmethod
    def _now():
        usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.monotonic(), sum(one.ru_utime + one.ru_stime for one in usage)

    def lap(self):
        """Seconds since the previous lap, dict ``wall``, ``processor``."""
        before, self._last = self._last, self._now()
        return {name: round(now - then, 1) for name, now, then in zip(("wall", "processor"), self._last, before)}
