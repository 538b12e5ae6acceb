# SPDX-License-Identifier: BSD-2-Clause
"""The baselines of a forecast that are trained: NLinear, LightGBM, an MLP and a GRU of the Transformer's size."""

from liteformer.accel.errors import LiteFormerError
from liteformer.train.loop.gru import gru
from liteformer.train.loop.mlp import mlp
from liteformer.train.loop.nlinear import nlinear
from liteformer.train.loop.trainer import Diverged
from liteformer.train.metrics.boosting import boosting

CHOICES = {"none": ("mlp",), "quick": ("nlinear", "lightgbm", "mlp"), "all": ("nlinear", "lightgbm", "mlp", "gru")}


def neighbours(options, dataset, data, parameters, predict, progress, reuse):
    """Forecasts of the baselines that ``options.neighbours`` names, for the test windows.

    Args:
        options: TrainOptions; dataset: Dataset; data: ``run.training_data``'s ``(Windows, train, validation)``; parameters: of
            the Transformer; predict: callable(network) -> float64 ``(N, outputs)``; progress, reuse: as in ``run.train``.
    Returns:
        ``(forecasts, notes)``: dict name -> float64 ``(N, outputs)``, None where there is none; sentences on why.
    Raises:
        LiteFormerError: the MLP's loss became NaN.
    """
    networks = {
        "nlinear": lambda: nlinear(dataset, *data, options, progress),
        "mlp": lambda: mlp(dataset, *data, options, parameters, progress),
        "gru": lambda: gru(dataset, *data, options, parameters, progress)}
    forecasts, notes = {}, []
    for name in CHOICES[options.neighbours]:
        forecasts[name] = None
        try:
            if name == "lightgbm":
                # The same for every seed.
                forecasts[name] = reuse.take(name, options.model_copy(update={"seed": 0}), dataset, lambda: boosting(
                    dataset, options.refit, options.threads))
            else:
                network = reuse.take(name, options, dataset, networks[name])
                forecasts[name] = None if network is None else predict(network)
        except Diverged as error:
            if name == "mlp":
                raise
            notes.append(f"{error}; the forecast is not compared with it")
        except LiteFormerError as error:
            notes.append(str(error))
    return forecasts, notes

