# SPDX-License-Identifier: BSD-2-Clause
"""A training with its progress on stderr."""

from liteformer.flow.common import console

STAGES = {"choice": "choice of the recipe", "float": "float", "qat": "quantization-aware", "teacher": "teacher",
          "nlinear": "NLinear", "mlp": "MLP of the same size", "gru": "GRU of the same size"}


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
