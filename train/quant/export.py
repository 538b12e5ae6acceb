# SPDX-License-Identifier: BSD-2-Clause
"""From the quantization-aware model to the model file: the same constants, as integers."""

import copy

import numpy as np
import torch

from liteformer.accel import numerics
from liteformer.accel.model import QuantizedModel
from liteformer.train.quant.constants import OFFSET_ONE, ONE, RESIDUAL_ONE, of_layer


def export(model, provenance=None):
    """QuantizedModel of a trained QuantTransformer.

    Args:
        model: QuantTransformer, any floating type; it is not changed.
        provenance: JSON-able facts for the model file, or None.
    Returns:
        QuantizedModel; ``golden.infer`` on it equals ``model.double().integers`` plus the skip.
    """
    # With the statistics of a batch the constants lead to the input of a BatchNorm: no model without it.
    model = copy.deepcopy(model).double().eval()
    with torch.no_grad():
        tensors = {name: _integers(tensor) for name, tensor in _tensors(model).items()}
    return QuantizedModel(model.config, tensors, provenance or {})


def _integers(tensor):
    values = np.asarray(tensor)
    return numerics.round_half_up(values).astype(np.int32)


def _tensors(model):
    linear, scale, position = model.constants.compute(model.position_log_step, model.input_zero)
    tensors = {"input.multiplier": model.input_multiplier, "input.offset": model.input_offset,
               "position": model.position_integers(position), "softmax.table": model.table}
    for name, constants in linear.items():
        tensors.update({f"{name}.weight": constants.weight, f"{name}.multiplier": constants.multiplier * ONE,
                        f"{name}.offset": constants.offset * OFFSET_ONE})
        if model.constants.links[name].residual:
            tensors[f"{name}.residual"] = constants.carried * RESIDUAL_ONE
    for layer in model.layers:
        own = of_layer(scale, layer.prefix)
        tensors[f"{layer.prefix}.score.multiplier"] = layer.score_multiplier(own, model.table_step).expand(layer.heads)
        tensors[f"{layer.prefix}.context.multiplier"] = layer.context_multiplier(own).reshape(1)
    return tensors
