# SPDX-License-Identifier: BSD-2-Clause
"""The baselines of a forecast that are trained: NLinear, LightGBM, an MLP and a GRU of the Transformer's size.

The networks are trained by the recipe of the float stage: with ``refit`` each for as many epochs as its own validation error
says.
"""

import torch

from liteformer.accel.errors import LiteFormerError
from liteformer.train.loop.choice import best_epoch
from liteformer.train.loop.gru import Recurrent
from liteformer.train.loop.mlp import Perceptron
from liteformer.train.loop.nlinear import NLinear
from liteformer.train.loop.trainer import Diverged, fit
from liteformer.train.metrics.boosting import boosting

CHOICES = {"none": ("mlp",), "quick": ("nlinear", "lightgbm", "mlp"), "all": ("nlinear", "lightgbm", "mlp", "gru")}
NETWORKS = {"nlinear": lambda dataset, parameters, seed: NLinear(dataset, seed), "mlp": Perceptron, "gru": Recurrent}


def neighbours(options, dataset, data, parameters, predict, progress, reuse):
    """Forecasts of the baselines that ``options.neighbours`` names, for the test windows.

    Args:
        options: TrainOptions; dataset: Dataset; data: Windows; parameters: of the Transformer; predict: callable(network) ->
            float64 ``(N, outputs)``; progress, reuse: as in ``run.train``.
    Returns:
        ``(forecasts, notes)``: dict name -> float64 ``(N, outputs)``, None where there is none; sentences on why.
    Raises:
        LiteFormerError: the MLP's loss became NaN.
    """
    forecasts, notes = {}, []
    for name in CHOICES[options.neighbours]:
        forecasts[name] = None
        if name == "nlinear" and not dataset.target_features:
            continue
        try:
            if name == "lightgbm":
                # The same for every seed.
                forecasts[name] = reuse.take(name, options.model_copy(update={"seed": 0}), dataset, lambda: boosting(
                    dataset, options.refit, options.threads))
            else:
                forecasts[name] = predict(_trained(name, options, dataset, data, parameters, progress, reuse))
        except Diverged as error:
            if name == "mlp":
                raise
            notes.append(f"{error}; the forecast is not compared with it")
        except LiteFormerError as error:
            notes.append(str(error))
    return forecasts, notes


def _trained(name, options, dataset, data, parameters, progress, reuse):
    """A baseline's network, trained; with refit its epochs are those of the call's first seed."""
    first, held = torch.as_tensor(dataset.train), torch.as_tensor(dataset.validation)

    def train_it(train, validation, stop=None):
        network = NETWORKS[name](dataset, parameters, options.seed)
        history = fit(network, data, train, validation, options, options.float_epochs, name, progress, stop=stop)
        return network, history

    if not options.refit:
        return reuse.take(name, options, dataset, lambda: train_it(first, held))[0]
    stop = reuse.take(f"epochs of {name}", options.model_copy(update={"seed": 0}), dataset,
                      lambda: best_epoch(train_it(first, held)[1]))
    return reuse.take(name, options, dataset, lambda: train_it(torch.cat([first, held]), None, stop))[0]
