# SPDX-License-Identifier: BSD-2-Clause
"""LiteFormer: a Transformer for time series as an integer accelerator in a LiteX SoC.

Names are imported on first use, so that ``import liteformer`` is quick.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liteformer.accel.errors import LiteFormerError
    from liteformer.accel.model import QuantizedModel
    from liteformer.api.tasks import AnomalyDetector, Classifier, Forecaster
    from liteformer.train.loop.model import Transformer
    from liteformer.train.quant.qat import QuantTransformer

__all__ = ["AnomalyDetector", "Classifier", "Forecaster", "LiteFormerError", "QuantTransformer", "QuantizedModel",
           "Transformer", "__version__"]

_PLACES = {
    "Forecaster": "api.tasks", "Classifier": "api.tasks", "AnomalyDetector": "api.tasks", "LiteFormerError": "accel.errors",
    "QuantizedModel": "accel.model", "Transformer": "train.loop.model", "QuantTransformer": "train.quant.qat",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("liteformer")
        except PackageNotFoundError:
            return "unknown"
    if name not in _PLACES:
        raise AttributeError(f"module 'liteformer' has no attribute {name!r}")
    try:
        return getattr(import_module(f"liteformer.{_PLACES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from liteformer.accel.errors import LiteFormerError
        raise LiteFormerError("PyTorch is not installed, which training needs; pip install 'liteformer[train]' installs it"
                              ) from None


def __dir__() -> list[str]:
    return sorted(__all__)
