# SPDX-License-Identifier: BSD-2-Clause
"""The quantization-aware model computes what the golden model computes, for every shape and width."""

import copy
import math

import numpy as np
import pytest
import torch

from liteformer.accel import golden, numerics
from liteformer.accel.model import QuantizedModel
from liteformer.train.data.dataset import load_dataset
from liteformer.train.loop.options import TrainOptions
from liteformer.train.loop.run import fit_stages
from liteformer.train.quant.export import export
from liteformer.train.quant.quantizers import (
    Activation,
    best_steps,
    fixed,
    floor,
    integer_weights,
    round_clamp,
    softmax_weights,
)

WINDOWS = 64


def _trained(**values):
    """A model after a few steps, so that nothing is left at its start; ``(QuantTransformer, Dataset, TrainOptions)``."""
    options = TrainOptions(**{"window": 6, "d_model": 8, "epochs": 1, "batch": 256, "teachers": 1} | values)
    dataset = load_dataset(options)
    return fit_stages(options, dataset, None)[1], dataset, options


def _outputs(quantized, dataset, trace=None):
    """Output counts of the quantization-aware model in float64, int64 ``(WINDOWS, outputs)``."""
    raw = dataset.windows(dataset.test[:WINDOWS])
    with torch.no_grad():
        out = quantized.double().eval().integers(torch.as_tensor(quantized.quantize_input(raw)).double(), trace)
    out = numerics.round_half_up(out.numpy())
    return out + raw[:, -1, dataset.target_features] if dataset.persistence else out


SHAPES = [
    *({"bits": bits} for bits in range(2, 9)),
    {"readout": "mean"}, {"readout": "mean", "bits": 8, "window": 12},
    {"heads": 2, "layers": 2}, {"heads": 4, "layers": 3, "readout": "mean", "bits": 6},
    {"skip": "persistence"}, {"skip": "persistence", "bits": 2, "horizon": 3},
    {"horizon": 2, "target": ["demand", "occupancy"]},
    {"ffn": 12, "d_model": 6, "heads": 3, "window": 1},
    {"window": 12, "patch": 3, "stride": 3, "skip": "persistence"},
    {"window": 10, "patch": 4, "stride": 2, "readout": "mean", "bits": 3},
    {"bits": 2, "bits_of": {"attention": 3, "head": 4}}, {"bits": 3, "bits_of": {"ffn": 2, "attention": 4}, "readout": "mean"},
    {"bits": 3, "bits_of": {"layers.0.context": 8, "hidden": 6, "layers.0.expand.weight": 2, "input": 5,
                            "layers.0.probability": 5}},
]


@pytest.mark.parametrize("values", SHAPES, ids=str)
def test_equals_the_golden_model(values):
    quantized, dataset, options = _trained(**values)
    model = export(quantized, {})
    raw = dataset.windows(dataset.test[:WINDOWS])
    ours, theirs = {}, {}
    expected = golden.infer(model, raw, theirs)
    assert np.array_equal(_outputs(quantized, dataset, ours), expected)
    for name, tensor in ours.items():
        assert np.array_equal(numerics.round_half_up(tensor.numpy()).ravel(), theirs[name].ravel()), name
    assert len(np.unique(expected)) > 1
    if options.skip == "persistence":
        assert model.config.output_scale == [model.config.raw_scale[f] for f in model.config.target_features]
    changed = {name: tensor.copy() for name, tensor in model.tensors.items()}
    weight = changed["head.weight"]
    weight[0, int(np.argmax(weight[0] < 1))] += 1
    wrong = golden.infer(QuantizedModel(model.config, changed, {}), raw)
    assert not np.array_equal(wrong, expected)


def test_export_leaves_the_model_alone_and_survives_a_file(tmp_path):
    quantized, dataset, _ = _trained()
    model = export(quantized, {"seed": 1})
    assert quantized.embed.weight.dtype == torch.float32
    model.save(tmp_path / "model.safetensors")
    again = QuantizedModel.load(tmp_path)
    assert (again.id, again.provenance) == (model.id, {"seed": 1})
    raw = dataset.windows(dataset.test[:WINDOWS])
    assert np.array_equal(golden.infer(again, raw), golden.infer(model, raw))


def test_training_precision_agrees_with_the_integers():
    """In float32, as trained, within half a percent of the RMSE against the golden model."""
    quantized, dataset, _ = _trained(bits=4, epochs=3)
    model, raw = export(quantized, {}), dataset.windows(dataset.test)
    truth = dataset.truth[dataset.test]
    with torch.no_grad():
        out = quantized(torch.as_tensor(quantized.quantize_input(raw), dtype=torch.float32)).double().numpy()
    qat = out * dataset.target_scale + dataset.target_mean
    integer = golden.infer(model, raw) / np.asarray(model.config.output_scale)
    errors = [np.sqrt(((prediction - truth) ** 2).mean()) for prediction in (qat, integer)]
    assert abs(errors[0] / errors[1] - 1) < 0.005


def test_weights_between_two_integers_do_not_flip():
    """Weights in the middle between two integers round differently in float32 and float64 until they are put on their grids."""
    quantized = copy.deepcopy(_trained()[0])
    expand = quantized.layers[0].expand
    with torch.no_grad():
        steps = expand.log_step.exp()
        halves = torch.arange(expand.weight.shape[1]) % 6 - 2.5
        expand.weight.copy_(halves * steps)
        quantized.position.copy_((torch.arange(6)[:, None] % 5 - 1.5) * quantized.position_log_step.exp())

    def integers(model):
        return [model.layers[0].expand.quantized()[1].double(), model.position_integers(model.position_log_step.exp()).double()]

    trained, exact = integers(quantized), integers(copy.deepcopy(quantized).double())
    assert not all(map(torch.equal, trained, exact))
    quantized.snap()
    for snapped in (integers(quantized), integers(copy.deepcopy(quantized).double())):
        assert all(map(torch.equal, trained, snapped))


def test_multipliers_stay_narrow_beside_wide_accumulators():
    model = export(_trained(bits=8, window=12, readout="mean", d_model=32)[0], {})
    assert max(abs(model[name]).max() for name in model.tensors
               if name.endswith(".multiplier") and "context" not in name) < 1 << 17


def test_rounding_is_that_of_the_contract():
    x = np.arange(-40, 41) / 8
    y = round_clamp(torch.tensor(x, requires_grad=True), -4, 3)
    expected = numerics.requantize((x * 8).astype(int), 1 << (numerics.SHIFT - 3), 0, -4, 3)
    assert np.array_equal(y.detach().numpy(), expected)
    assert not np.array_equal(np.clip(np.round(x), -4, 3), expected)


def test_gradients_pass_straight_through():
    x = torch.tensor([-9.0, -1.6, 0.5, 2.2, 9.0], requires_grad=True)
    round_clamp(x, -4, 3).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    x.grad = None
    (floor(x) * 2).sum().backward()
    assert x.grad.tolist() == [2] * 5


def test_fused_nodes_are_the_plain_ones():
    """Integer weights and fixed-point numbers, values and gradients, against the same made of single operations."""
    generator = torch.Generator().manual_seed(5)
    weight, step, probe = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 9), (4, 1), (4, 9)))
    results = []
    for rounded in (lambda w, s: integer_weights(w, s, 3), lambda w, s: round_clamp(w / s, -3, 3),
                    lambda w, s: fixed(w / s, torch.tensor(16), torch.tensor(31)) * 2,
                    lambda w, s: round_clamp(w / s * 16, -31, 31) / 16 * 2):
        w, s = (tensor.clone().requires_grad_() for tensor in (weight, step.abs() / 2))
        y = rounded(w, s)
        (y * probe).sum().backward()
        results.append((y.detach(), w.grad, s.grad))
    for fused, plain in (results[:2], results[2:]):
        assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(fused, plain))
    assert not torch.allclose(results[0][2], results[2][2])
    x, mask = (weight / 4).requires_grad_(), torch.arange(9) % 2 == 0
    y = fixed(x, torch.tensor(16), torch.tensor(3), mask)
    (y * probe).sum().backward()
    rounded = (weight * 4 + 0.5).floor().clamp(-3, 3) / 16
    assert torch.equal(y, torch.where(mask, x, rounded)) and not torch.equal(x, rounded)
    inside = ((weight * 4).abs() < 3.5) | mask
    assert not inside.all() and torch.equal(x.grad, probe * inside)


def test_softmax_weights_are_those_of_the_contract():
    step, top = 0.09, 119
    table = numerics.exp_table(64, top, step)
    scores = np.random.default_rng(3).integers(-60, 60, (5, 7))
    grid = torch.as_tensor(scores, dtype=torch.float64).requires_grad_()
    smooth = torch.as_tensor(top * np.exp(-step * np.arange(64)))
    weights = softmax_weights(grid, torch.as_tensor(table).double(), smooth, step)
    expected, total = numerics.softmax(scores, table)
    assert np.array_equal(weights.detach().numpy(), expected)
    value = torch.linspace(-1, 1, 7, dtype=torch.float64)
    ((weights / weights.sum(-1, keepdim=True)) @ value).sum().backward()
    exact = torch.as_tensor(scores * step, dtype=torch.float64).requires_grad_()
    (exact.softmax(-1) @ value).sum().backward()
    assert torch.allclose(grid.grad, exact.grad * step, atol=2e-3)


def test_started_step_sizes_are_no_worse_than_full_range():
    x = torch.as_tensor(np.random.default_rng(2).standard_t(4, (3000,)), dtype=torch.float32)
    grid = Activation(4, "symmetric")
    grid.start(x)

    def error(scale):
        return float(((x / scale).round().clamp(-8, 7) * scale - x).square().mean())

    assert error(float(grid.log_scale.exp().detach())) < 0.8 * error(float(x.abs().max()) / 7)
    relu = Activation(3, "relu")
    relu.start(x.relu())
    assert (relu.zero, "zero" in dict(relu.named_parameters())) == (-4, False)
    steps = best_steps(torch.tensor([[1.0, -7.0], [0.0, 0.0]]), 7)
    assert math.isclose(float(steps[0]), 1.0, rel_tol=0.02) and float(steps[1]) > 0
