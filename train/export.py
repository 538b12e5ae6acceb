"""From the quantization-aware model to the model file: the same constants, as integers."""

import copy

import numpy as np
import torch

from liteformer.accel import numerics
from liteformer.accel.model import QuantizedModel
from liteformer.train.quant_linear import OFFSET_ONE, ONE, RESIDUAL_ONE


def export(model, provenance):
    """QuantizedModel of a trained QuantTransformer.

    Args:
        model: QuantTransformer, any floating type; it is not changed.
        provenance: JSON-able facts for the model file.
    Returns:
        QuantizedModel; ``golden.infer`` on it equals ``model.double().integers`` plus the skip.
    """
    model = copy.deepcopy(model).double()
    with torch.no_grad():
        tensors = {name: _integers(tensor) for name, tensor in _tensors(model).items()}
    return QuantizedModel(model.config, tensors, provenance)


def _integers(tensor):
    values = np.asarray(tensor)
    return numerics.round_half_up(values).astype(np.int32)


def _tensors(model):
    positions, grid = model.position_grid(), model.hidden.grid()
    tensors = {"input.multiplier": model.input_multiplier, "input.offset": model.input_offset,
               "position": model.position_integers(positions), "softmax.table": model.table}

    def linear(name, module, *grids):
        weight, multiplier, offset, carried = module.constants(*grids)
        tensors.update({f"{name}.weight": weight, f"{name}.multiplier": multiplier * ONE,
                        f"{name}.offset": offset * OFFSET_ONE})
        if carried is not None:
            tensors[f"{name}.residual"] = carried * RESIDUAL_ONE

    linear("embed", model.embed, model.input_grid, grid, positions)
    for index, layer in enumerate(model.layers):
        prefix, g = f"layers.{index}", {name: a.grid() for name, a in layer.grids.items()}
        for name in ("query", "key", "value"):
            linear(f"{prefix}.{name}", getattr(layer, name), grid, g[name])
        score = layer.score_multiplier(g["query"], g["key"], model.table_step)
        tensors[f"{prefix}.score.multiplier"] = score.expand(layer.heads)
        tensors[f"{prefix}.context.multiplier"] = layer.context_multiplier(g["value"], g["context"]).reshape(1)
        linear(f"{prefix}.project", layer.project, g["context"], g["attended"], grid)
        linear(f"{prefix}.expand", layer.expand, g["attended"], g["expanded"])
        linear(f"{prefix}.contract", layer.contract, g["expanded"], g["hidden"], g["attended"])
        grid = g["hidden"]
    linear("head", model.head, model.pooled_grid(grid), model.output_grid)
    return tensors
