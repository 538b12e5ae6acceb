# SPDX-License-Identifier: BSD-2-Clause
"""The golden model against a naive one: plain Python integers, loops, nothing shared but the model's numbers."""

import math
from fractions import Fraction

import numpy as np
import pytest

from liteformer.accel import golden

from ..refusal import refusal
from .common import altered, make_model, random_raw


def quantize(acc, m, b, bits=None, res=0, n=0, bounds=None):
    """Round half up of the exact ratio, then clamp."""
    lo, hi = bounds or (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    value = math.floor(Fraction(acc * m + res * n * 256 + b * 1024, 1 << 20) + Fraction(1, 2))
    return min(max(value, lo), hi)


class Naive:
    """Inference of one window, as the architecture describes it."""

    def __init__(self, model):
        self.config, self.bits = model.config, model.config.bits
        self.t = {name: tensor.tolist() for name, tensor in model.tensors.items()}
        self.input_bounds = model.input_range

    def linear(self, name, x, bits, residual=None):
        t, out = self.t, []
        for i, row in enumerate(x):
            line = []
            for c, weights in enumerate(t[f"{name}.weight"]):
                acc = sum(w * v for w, v in zip(weights, row))
                res, n = (residual[i][c], t[f"{name}.residual"][c]) if residual else (0, 0)
                line.append(quantize(acc, t[f"{name}.multiplier"][c], t[f"{name}.offset"][c], bits, res, n))
            out.append(line)
        return out

    def attention(self, prefix, query, key, value):
        size, table = self.config.d_model // self.config.heads, self.t["softmax.table"]
        context = [[0] * self.config.d_model for _ in query]
        for head in range(self.config.heads):
            channels = range(head * size, (head + 1) * size)
            for i, q in enumerate(query):
                scores = [quantize(sum(q[c] * k[c] for c in channels), self.t[f"{prefix}.score.multiplier"][head], 0, 10)
                          for k in key]
                weights = [table[min(max(scores) - s, len(table) - 1)] for s in scores]
                rate = self.t[f"{prefix}.context.multiplier"][0] // sum(weights)
                for c in channels:
                    acc = sum(w * v[c] for w, v in zip(weights, value))
                    context[i][c] = quantize(acc, rate, 0, self.bits[f"{prefix}.context"])
        return context

    def infer(self, raw):
        t, bits, config = self.t, self.bits, self.config
        limit = 1 << 24
        x = [[quantize(min(max(v, -limit), limit - 1), t["input.multiplier"][f], t["input.offset"][f],
                       bounds=self.input_bounds) for f, v in enumerate(row)] for row in raw]
        starts = range(0, len(x) - config.patch + 1, config.stride)
        tokens = [[value for row in x[start:start + config.patch] for value in row] for start in starts]
        hidden = self.linear("embed", tokens, bits["hidden"], t["position"])
        for layer in range(config.layers):
            p = f"layers.{layer}"
            rows = hidden[-1:] if config.readout == "last" and layer == config.layers - 1 else hidden
            query = self.linear(f"{p}.query", rows, bits[f"{p}.query"])
            key = self.linear(f"{p}.key", hidden, bits[f"{p}.key"])
            value = self.linear(f"{p}.value", hidden, bits[f"{p}.value"])
            context = self.attention(p, query, key, value)
            attended = self.linear(f"{p}.project", context, bits[f"{p}.attended"], rows)
            expanded = self.linear(f"{p}.expand", attended, bits[f"{p}.expanded"])
            hidden = self.linear(f"{p}.contract", expanded, bits[f"{p}.hidden"], attended)
        pooled = [[sum(channel) for channel in zip(*hidden)]]
        outputs = self.linear("head", pooled, 32)[0]
        if config.skip == "persistence":
            limit = 1 << 31
            outputs = [min(max(o + raw[-1][f], -limit), limit - 1) for o, f in zip(outputs, config.target_features)]
        return outputs


SHAPES = [
    {"bits": 4, "readout": "mean"},
    {"bits": 4, "readout": "last"},
    {"bits": 2, "readout": "mean", "heads": 2, "layers": 2, "outputs": 3},
    {"bits": 8, "readout": "last", "heads": 3, "d_model": 6, "layers": 3, "skip": "persistence"},
    {"bits": 5, "readout": "mean", "window": 1, "features": 1, "d_model": 3, "ffn": 1},
    {"bits": 4, "readout": "mean", "window": 12, "patch": 3, "stride": 3, "skip": "persistence"},
    {"bits": 6, "readout": "last", "window": 9, "patch": 5, "stride": 2, "features": 3},
    {"bits": 6, "readout": "last", "heads": 4, "ffn": 5, "outputs": 2, "skip": "persistence",
     "bit_overrides": {"layers.0.key": 3, "layers.0.expanded": 8, "head.weight": 8, "input": 5, "position": 7}},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_golden_equals_naive(shape):
    model = make_model(**shape)
    raw = random_raw(model, 8)
    naive = Naive(model)
    expected = [naive.infer(window) for window in raw.tolist()]
    assert golden.infer(model, raw).tolist() == expected
    # Negative control: other samples are seen.
    assert golden.infer(model, raw[::-1]).tolist() != expected


@pytest.mark.parametrize("name", sorted(make_model().tensors))
def test_golden_reads_every_tensor(name):
    """Negative control: after a change of any tensor the naive model and the old golden result disagree, the new one agrees."""
    model = make_model(readout="mean")
    tensor = model.tensors[name]
    other = np.minimum(tensor, 1) if name == "softmax.table" else tensor + 8192 if name.endswith("offset") else tensor // 2
    changed = altered(model, **{name: other})
    raw = random_raw(model, 60)
    before, after = golden.infer(model, raw).tolist(), golden.infer(changed, raw).tolist()
    assert before != after
    assert after[:5] == [Naive(changed).infer(window) for window in raw[:5].tolist()]


@pytest.mark.parametrize("value", [-(1 << 31), -(1 << 24) - 1, -(1 << 24), (1 << 24) - 1, 1 << 24, (1 << 31) - 1])
def test_extreme_samples(value):
    """Samples saturate to 25 bits before they are quantized, but the skip adds them whole and saturates to 32 bits."""
    model = make_model(readout="last", skip="persistence")
    raw = np.full((1, 4, 2), value)
    assert golden.infer(model, raw).tolist() == [Naive(model).infer(raw[0].tolist())]
    assert golden.infer(model, raw).dtype == np.int64


def test_trace_holds_every_tensor():
    model, trace = make_model(readout="mean", layers=2), {}
    golden.infer(model, random_raw(model, 3), trace)
    activations = {name for name in model.config.bits if "weight" not in name and name != "position"}
    assert set(trace) == activations | {"layers.0.score", "layers.1.score", "output"}
    for name, bits in model.config.bits.items():
        if name in trace and not name.endswith("probability"):
            assert trace[name].min() >= -(1 << (bits - 1)) and trace[name].max() < 1 << (bits - 1), name


def test_no_windows():
    model = make_model()
    assert golden.infer(model, np.zeros((0, 4, 2), np.int64)).shape == (0, 1)


@pytest.mark.parametrize(("raw", "message"), [
    (np.zeros((4, 2), np.int64), "windows must be integers of shape (batch, 4, 2), not int64(4, 2)"),
    (np.zeros((1, 2, 4), np.int64), "windows must be integers of shape (batch, 4, 2), not int64(1, 2, 4)"),
    (np.zeros((1, 4, 2)), "windows must be integers of shape (batch, 4, 2), not float64(1, 4, 2)"),
    (np.full((1, 4, 2), 1 << 31), "a raw sample does not fit 32 bits; choose a smaller raw_scale"),
    (np.full((1, 4, 2), -(1 << 31) - 1), "a raw sample does not fit 32 bits; choose a smaller raw_scale"),
])
def test_input_errors(raw, message):
    assert refusal(golden.infer, make_model(), raw) == message
