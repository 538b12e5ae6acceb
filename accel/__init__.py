# SPDX-License-Identifier: BSD-2-Clause
"""The LiteFormer core: arithmetic contract, model file, golden model, compiler and gateware."""

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import ModelConfig, QuantizedModel

__all__ = ["LiteFormerError", "ModelConfig", "QuantizedModel"]
