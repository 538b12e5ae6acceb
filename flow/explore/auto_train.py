# SPDX-License-Identifier: BSD-2-Clause
"""`train --auto`: what the options leave open is chosen, then trained."""

from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.inputs import at_least
from liteformer.flow.common.workers import Processes
from liteformer.flow.runs.train import run_training


def choose_and_train(options, seeds, minutes, device, jobs):
    """Choose what ``options`` leave open (``explore.auto``), then train; the search is kept in metrics.json as ``auto``.

    Args:
        options: TrainOptions; seeds: as of ``run_training``; minutes: of the search; device: name; jobs: trainings at a time.
    Returns:
        Run.
    """
    from liteformer.flow.explore.auto import described, search
    from liteformer.train.loop.run import write_metrics
    at_least("jobs", jobs, 1)
    if Path(options.out).is_file():
        raise LiteFormerError(f"{options.out} is a file, not a directory; choose another --out")
    options, found = search(options, minutes, device, lambda function: Processes(jobs, function))
    console.note(f"chosen by the validation error among {len(found['tried'])} that were tried in {found['seconds']:.0f} s: "
                 f"{described(found)}")
    run = run_training(options, seeds)
    run.metrics["auto"] = found
    write_metrics(Path(options.out), run.metrics)
    return run
