# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-train`: time of a quantization-aware training step against a float step, and of an epoch's loading."""

import json
import statistics
import time

import torch

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop import model as float_model
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.trainer import Windows, parameter_groups
from liteformer.train.quant.qat import QuantTransformer

ROUNDS, STEPS = 12, 20
SHAPES = [{"readout": "last"}, {"readout": "mean"}, {"readout": "mean", "d_model": 64, "bits": 8, "window": 6}]


class Stepper:
    """Training steps of one model on random batches."""

    def __init__(self, model, data, starts, options):
        self.model, self.data, self.starts, self.batch = model, data, starts, options.batch
        self.after = model.constants.constrain if isinstance(model, QuantTransformer) else lambda: None
        self.optimizer = torch.optim.AdamW(parameter_groups(model, options), betas=(0.9, 0.99), fused=True)
        model.train()

    def run(self):
        """Milliseconds of processor time of a step, the mean over STEPS; less disturbed by other work than wall time."""
        begin = time.process_time()
        for _ in range(STEPS):
            x, goal = self.data.batch(self.starts[torch.randint(len(self.starts), (self.batch,))])
            loss = (self.model(x) - goal).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.after()
        return (time.process_time() - begin) / STEPS * 1e3


def measure(**shape):
    """Median times of a step in milliseconds, on one thread.

    Args:
        shape: fields of TrainOptions.
    Returns:
        dict float, qat (statistics of the batch), settled (running statistics), ratio: qat and settled by their share of the
        epochs, over float.
    """
    options = TrainOptions(**shape)
    dataset = load_dataset(options)
    starts = torch.as_tensor(dataset.train)
    network = float_model.build(options, dataset)
    raw = Windows(torch.as_tensor(dataset.raw, dtype=torch.float32), dataset)
    quantized, settled = (QuantTransformer(network, options, dataset, raw.batch(starts[:512])[0]) for _ in range(2))
    settled.settle()
    data = Windows(torch.as_tensor(quantized.quantize_input(dataset.raw), dtype=torch.float32), dataset)
    steppers = {"float": Stepper(network, raw, starts, options), "qat": Stepper(quantized, data, starts, options),
                "settled": Stepper(settled, data, starts, options)}
    times = {name: [] for name in steppers}
    for _ in range(ROUNDS):
        for name, stepper in steppers.items():
            times[name].append(stepper.run())
    # The best round is the one least disturbed by other work on the machine.
    best = {name: min(values[1:]) for name, values in times.items()}
    share = options.settle
    return {name: round(value, 3) for name, value in best.items()} | {
        "spread": round(statistics.median(times["float"]) / best["float"], 2),
        "ratio": round((share * best["qat"] + (1 - share) * best["settled"]) / best["float"], 2)}


def main():
    """Print one JSON object per shape."""
    torch.set_num_threads(1)
    for shape in SHAPES:
        print(json.dumps(shape | measure(**shape)))


if __name__ == "__main__":
    main()
