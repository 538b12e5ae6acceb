# SPDX-License-Identifier: BSD-2-Clause
"""A short training: seconds instead of minutes; use it to compare candidates, not as a final model."""

from dataclasses import replace

from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.run import Run, fit_stages, limited_threads
from liteformer.train.metrics.tasks import complete, validation_error
from liteformer.train.quant.export import export

EPOCHS = 6        # Of each stage.
WINDOWS = 6_000   # Training windows at most, evenly spread.
HELD = 2_000      # Validation windows at most.


def thinned(dataset, windows=WINDOWS, held=HELD):
    """A Dataset with evenly spread windows, at most ``windows`` for training and ``held`` for validation."""
    train, validation = (starts[::-(-len(starts) // most)] for starts, most in
                         ((dataset.train, windows), (dataset.validation, held)))
    watched = dataset.watched if dataset.anomalous is not None else validation
    return replace(dataset, train=train, validation=validation, watched=watched)


def short_training(options, dataset=None, epochs=EPOCHS, thin=True):
    """Train with few epochs, few windows and no teachers.

    Args:
        options: TrainOptions; dataset: Dataset of these options, read if None; epochs: of each stage; thin: few windows, not
            all.
    Returns:
        ``(QuantizedModel, error)``: the partly trained model, and ``tasks.validation_error`` of its
        quantization-aware network. The test set is not used.
    Raises:
        LiteFormerError: bad data, or a loss that became NaN.
    """
    options = options.model_copy(update={"epochs": epochs, "qat_epochs": epochs, "distill": 0.0, "refit": False, "average": 0.0,
                                         "patience": None})
    dataset = dataset or load_dataset(options)
    dataset = thinned(dataset) if thin else dataset
    with limited_threads(options.threads):
        network, quantized, _, _ = fit_stages(options, dataset, None)
        model = complete(export(quantized, {"dataset": options.data, "seed": options.seed, "short_training": epochs}), dataset)
        run = Run(options, model, {}, None, None, None, None, dataset.unit, network, quantized, dataset)
        return model, validation_error(model, dataset, run.network_predictors()["qat"])
