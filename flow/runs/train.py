# SPDX-License-Identifier: BSD-2-Clause
"""A training with its progress on stderr."""

from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console

STAGES = {"choice": "choice of the recipe", "float": "float", "qat": "quantization-aware", "teacher": "teacher",
          "nlinear": "NLinear", "mlp": "MLP of the same size", "gru": "GRU of the same size"}


def choose_and_train(options, seeds, minutes, device, jobs):
    """Choose what ``options`` leave open (``flow.explore.auto``), then train; the search is kept in metrics.json as ``auto``.

    Args:
        options: TrainOptions; seeds: as of ``run_training``; minutes: of the search; device: name; jobs: trainings at a time.
    Returns:
        Run.
    """
    from liteformer.flow.common.inputs import at_least
    from liteformer.flow.common.workers import Processes
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


def run_training(options, seeds=1):
    """Train with progress on stderr.

    Args:
        options: TrainOptions; seeds: how many, from ``options.seed`` on.
    Returns:
        Run.
    """
    patches = f" in patches of {options.patch}" if options.patch > 1 else ""
    shape = f"window {options.window}{patches}, d {options.d_model}, {options.bits} bits"
    with console.step(f"Train on {options.data}: {shape}") as step:
        from liteformer.train.loop.seeds import train_seeds

        def show(stage, done, total, metrics):
            number, count = metrics.get("seed", (1, 1))
            seed = f"seed {number} of {count}, " if count > 1 else ""
            step.update(done, total, f"{seed}{STAGES[stage]}, loss {metrics['loss']:.4f}")

        run = train_seeds(options, seeds, show)
    for text in run.metrics.get("notes", ()):
        console.note(text)
    if run.metrics.get("behind"):
        console.note(run.metrics["behind"])
    return run
