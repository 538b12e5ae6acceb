# SPDX-License-Identifier: BSD-2-Clause
"""A quantization-aware network from a float network and windows alone."""

import numpy as np
import pytest
import torch

from liteformer.accel import golden
from liteformer.train.loop.model import Transformer
from liteformer.train.quant.qat import QuantTransformer

from ...refusal import refusal


def network(**options):
    """A float network of random weights."""
    shape = {"features": 2, "outputs": 2, "window": 6, "patch": 1, "stride": 1, "d_model": 8, "heads": 2, "layers": 2,
             "ffn": 12, "readout": "mean", "shift": [100.0, 0.0], "scale": [2000.0, 900.0]} | options
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Transformer(**shape)


def windows(count=64, window=6, features=2):
    return np.random.default_rng(2).integers(-4000, 4000, (count, window, features))


@pytest.mark.parametrize("shape, options", [
    ({}, {"bits": 4}),
    ({"patch": 2, "stride": 2}, {"bits": 6, "bits_of": {"head.weight": 8}, "target_mean": [3.0, -4.0], "target_scale": 7.0}),
    ({"readout": "last"}, {"skip": "persistence", "target_features": [1, 0], "raw_scale": [2.0, 4.0],
                           "raw_offset": [0.0, 1.0]}),
    ({}, {"class_names": ["up", "down"], "target_names": []}),
])
def test_the_export_equals_the_network(shape, options):
    """In float64, for every kind of output."""
    raw = windows()
    quantized = QuantTransformer.from_float(network(**shape), raw, **options)
    quantized.settle([torch.as_tensor(quantized.quantize_input(raw), dtype=torch.float32)])
    quantized.snap()
    model = quantized.export({"note": "mine"})
    quantized = quantized.double().eval()
    with torch.no_grad():
        found = quantized.integers(torch.as_tensor(quantized.quantize_input(raw), dtype=torch.float64)).numpy()
    if options.get("skip"):
        found = found + raw[:, -1, [1, 0]]
    np.testing.assert_array_equal(found, golden.infer(model, raw))
    assert len(np.unique(found)) > 20 and model.provenance == {"note": "mine"}
    assert model.config.bits["head.weight"] == options.get("bits_of", {}).get("head.weight", options.get("bits", 4))
    assert model.config.task == ("classification" if "class_names" in options else "forecast")


def test_eight_bits_are_close_to_the_float_network():
    """Without any training; two bits are not."""
    raw, float_network = windows(256), network()
    with torch.no_grad():
        for _ in range(50):     # Statistics of its BatchNorms.
            float_network(torch.as_tensor(raw, dtype=torch.float32))
        wanted = float_network.eval()(torch.as_tensor(raw, dtype=torch.float32)).numpy()
    errors = {}
    for bits in (8, 2):
        model = QuantTransformer.from_float(float_network, raw, bits=bits).export()
        errors[bits] = np.sqrt(np.square(model.config.physical(golden.infer(model, raw)) - wanted).mean()) / wanted.std()
    assert errors[8] < 0.1 < errors[2]


def test_weights_from_elsewhere_go_in():
    """A state dict of the documented names, made of NumPy arrays, gives the same forecasts."""
    first = network()
    for layer in first.layers:
        layer.norm1.running_var += 0.5
    arrays = {name: tensor.numpy().copy() for name, tensor in first.state_dict().items()}
    named = {"shift", "scale", "position"} | {f"{name}.{part}" for name in ("embed", "head") for part in ("weight", "bias")}
    for number in range(2):
        named |= {f"layers.{number}.{name}.{part}" for name in ("query", "key", "value", "project", "expand", "contract")
                  for part in ("weight", "bias")}
        named |= {f"layers.{number}.{name}.{part}" for name in ("norm1", "norm2") for part in (
            "weight", "bias", "running_mean", "running_var", "num_batches_tracked")}
    assert set(arrays) == named
    with torch.random.fork_rng():
        torch.manual_seed(5)
        second = Transformer(features=2, outputs=2, window=6, patch=1, stride=1, d_model=8, heads=2, layers=2, ffn=12,
                             readout="mean", shift=[0.0, 0.0], scale=[1.0, 1.0])
    x = torch.as_tensor(windows(), dtype=torch.float32)
    assert not torch.equal(second.eval()(x), first.eval()(x))
    second.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})
    assert torch.equal(second.eval()(x), first.eval()(x))


def test_bad_input():
    make = QuantTransformer.from_float
    assert refusal(make, network(), np.zeros((4, 6))) == (
        "calibration windows have the shape (4, 6); the network takes (windows, window, 2)")
    assert refusal(make, network(), windows(window=5)) == (
        "calibration windows have 5 rows; the network has positions for 6 tokens")
    assert refusal(make, network(), windows() // 100) == (
        "feature 0 covers 79 counts in the calibration windows, at least 2048 are needed; multiply its samples by a power of "
        "two, and name it as raw_scale")
    assert refusal(lambda: make(network(), windows(), bits_of={"nose": 3})).startswith(
        "bits_of names 'nose', which is not a tensor of this model; the tensors are input, embed.weight, ")
    assert refusal(lambda: make(network(), windows(), skip="persistence")) == (
        "skip persistence needs the feature of each of the 2 outputs; name them as target_features")
