# SPDX-License-Identifier: BSD-2-Clause
"""What the quantization-aware network must know of network and data, found from a float network and windows alone."""

from types import SimpleNamespace

import numpy as np
import torch

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import uniform_bits
from liteformer.accel.tensors import tensor_names

LEAST_SPAN = 1 << 11  # Counts of a feature's range: with fewer the multiplier of an 8-bit input would not fit its 17 bits.
MARGIN = 0.25         # Share of the forecasts' range by which the output reaches further on both sides.


def origin(network, calibration, *, bits=4, bits_of=None, skip="none", raw_scale=1.0, raw_offset=0.0, target_mean=0.0,
           target_scale=1.0, target_features=(), feature_names=(), target_names=(), class_names=()):
    """Stand-ins for TrainOptions and Dataset.

    Args:
        as of ``QuantTransformer.from_float``.
    Returns:
        ``(options, dataset, calibration)``, the last float32.
    Raises:
        LiteFormerError: the windows are none of the network, or a feature covers too few counts.
    """
    calibration = np.asarray(calibration)
    features, outputs = len(network.shift), network.head.out_features
    if calibration.ndim != 3 or calibration.shape[2] != features or not len(calibration):
        raise LiteFormerError(f"calibration windows have the shape {calibration.shape}; the network takes "
                              f"(windows, window, {features})")
    layers, names = len(network.layers), tensor_names(len(network.layers))
    for name in bits_of or ():
        if name not in names:
            raise LiteFormerError(f"bits_of names {name!r}, which is not a tensor of this model; the tensors are "
                                  f"{', '.join(names)}")
    window, first = calibration.shape[1], network.layers[0]
    if (window - network.patch) // network.stride + 1 != len(network.position):
        raise LiteFormerError(f"calibration windows have {window} rows; the network has positions for {len(network.position)} "
                              "tokens")
    rows = calibration.reshape(-1, features)
    low, high = rows.min(axis=0), rows.max(axis=0)
    for index, span in enumerate(high - low):
        if span < LEAST_SPAN:
            raise LiteFormerError(f"feature {index} covers {span:g} counts in the calibration windows, at least {LEAST_SPAN} "
                                  "are needed; multiply its samples by a power of two, and name it as raw_scale")
    options = SimpleNamespace(
        tensor_bits=uniform_bits(layers, bits, bits_of), window=window, patch=network.patch, stride=network.stride,
        d_model=network.embed.out_features, heads=first.heads, layers=layers, ffn_size=first.expand.out_features,
        readout=network.readout, skip=skip)
    windows = torch.as_tensor(calibration, dtype=torch.float32)

    def each(value, count):
        return np.broadcast_to(np.asarray(value, np.float64), (count,)).copy()

    scale, mean = each(target_scale, outputs), each(target_mean, outputs)
    raw_scale, raw_offset = each(raw_scale, features), each(raw_offset, features)
    network.eval()
    with torch.no_grad():
        forecast = network(windows).double().numpy() * scale + mean
    columns = list(target_features)
    if skip == "persistence":
        if len(columns) != outputs:
            raise LiteFormerError(f"skip persistence needs the feature of each of the {outputs} outputs; name them as "
                                  "target_features")
        forecast = forecast + calibration[:, -1, columns] / raw_scale[columns] + raw_offset[columns]
    reach = MARGIN * np.maximum(np.ptp(forecast, axis=0), scale)
    dataset = SimpleNamespace(
        feature_names=list(feature_names) or [f"feature {index}" for index in range(features)],
        target_names=list(target_names or class_names) or [f"output {index}" for index in range(outputs)],
        target_features=columns, raw_scale=raw_scale, raw_offset=raw_offset, raw_low=low, raw_high=high,
        shift=network.shift.double().numpy(), scale=network.scale.double().numpy(), target_mean=mean, target_scale=scale,
        target_low=forecast.min(axis=0) - reach, target_high=forecast.max(axis=0) + reach, output_offset=np.zeros(outputs),
        persistence=skip == "persistence", classes=list(class_names), anomalous=None)
    return options, dataset, windows
