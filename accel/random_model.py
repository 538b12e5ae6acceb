# SPDX-License-Identifier: BSD-2-Clause
"""Random models of any shape: for benchmarks of area and cycles, and for tests."""

import numpy as np

from liteformer.accel import numerics
from liteformer.accel.model import ModelConfig, QuantizedModel
from liteformer.accel.tensors import tensor_names, tensor_shapes


def uniform_bits(layers, bits, overrides=None):
    """Bit width of every tensor: ``bits`` everywhere, except 8 for the input and the softmax weights.

    Args:
        layers: encoder layers; bits: 2 to 8; overrides: dict of tensor name -> bits.
    """
    widths = dict.fromkeys(tensor_names(layers), bits)
    for name in widths:
        if name == "input" or name.endswith("probability"):
            widths[name] = 8
    return widths | (overrides or {})


def random_model(rng, *, window, features, d_model, bits, outputs=1, heads=1, layers=1, ffn=None, readout="last",
                 skip="none", bit_overrides=None, patch=1, stride=1):
    """A model with random weights whose activations use their whole range.

    Args:
        rng: numpy Generator. The rest as in ModelConfig; ``ffn`` defaults to ``4 * d_model``.
    Returns:
        QuantizedModel.
    """
    config = ModelConfig(
        window=window, patch=patch, stride=stride, features=features, outputs=outputs, d_model=d_model, heads=heads,
        layers=layers,
        ffn=ffn or 4 * d_model, readout=readout, skip=skip, bits=uniform_bits(layers, bits, bit_overrides),
        target_features=[f % features for f in range(outputs)], raw_scale=[1.0] * features, output_scale=[1.0] * outputs)
    lo, hi = numerics.operand_range(8, config.row_bits)
    lane_hi = numerics.operand_range(max(config.bits[f"layers.{layer}.probability"] for layer in range(layers)),
                                     config.row_bits)[1]
    tensors = {"softmax.table": numerics.exp_table(64, min(lane_hi, 127), 5.5 / 63).astype(np.int32)}
    for name, shape in tensor_shapes(config, 64).items():
        kind = name.rpartition(".")[2]
        if kind == "weight":
            peak = numerics.signed_range(config.bits[name])[1]
            tensors[name] = rng.integers(-peak, peak + 1, shape)
        elif name == "position":
            tensors[name] = rng.integers(*numerics.signed_range(config.bits[name]), shape, endpoint=True)
        elif name == "input.multiplier":
            tensors[name] = rng.integers(1 << 10, 1 << 13, shape)
        elif kind == "offset":
            tensors[name] = rng.integers(-(1 << numerics.OFFSET_SHIFT), 1 << numerics.OFFSET_SHIFT, shape)
        elif kind == "residual":
            tensors[name] = rng.integers(1 << 10, 1 << 12, shape)
    for name, shape in tensor_shapes(config, 64).items():
        if name in tensors:
            continue
        tensors[name] = _multiplier(rng, config, name, shape, tensors)
    return QuantizedModel(config, {name: np.asarray(t, np.int32) for name, t in tensors.items()},
                          {"dataset": "random"})


def _multiplier(rng, config, name, shape, tensors):
    """Multipliers that bring a typical accumulator to about half of the output range."""
    layer = name.rpartition(".")[0]
    if layer.endswith("score"):
        amplitude = (1 << (config.row_bits - 2)) * (1 << (config.column_bits - 2)) * np.sqrt(config.head_dim)
        target = 16.0
    elif layer.endswith("context"):
        amplitude, target = 1.0, 1.5
        return np.full(shape, int(target * (1 << numerics.SHIFT)))
    else:
        weights = tensors[f"{layer}.weight"]
        inputs = 40.0 if layer == "embed" else 2.0 ** (config.row_bits - 2)
        amplitude = inputs * np.sqrt((weights.astype(float) ** 2).sum(axis=1).mean() + 1)
        target = 2.0 ** 12 if layer == "head" else 2.0 ** (config.row_bits - 2)
    ratio = target / amplitude * rng.uniform(0.7, 1.3, shape) * (1 if layer.endswith("score") else rng.choice([-1, 1], shape))
    limit = numerics.signed_range(numerics.MULTIPLIER_BITS)[1]
    return np.clip(numerics.round_half_up(ratio * (1 << numerics.SHIFT)), -limit, limit)
