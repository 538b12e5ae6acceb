# SPDX-License-Identifier: BSD-2-Clause
"""Tensors read from the core's requantizers are those of the golden model, tensor by tensor."""

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.flow.measure.core_trace import trace_core
from liteformer.flow.runs import evaluate
from liteformer.train.quant.explain import departures


def _case(shape, options):
    model = random_model(np.random.default_rng(1), **({"window": 4, "features": 2, "d_model": 4, "bits": 4} | shape))
    raw = np.random.default_rng(2).integers(-1 << 15, 1 << 15, (1, model.config.window, model.config.features))
    reference = {}
    golden.infer(model, raw, reference)
    return model, raw, reference, HardwareOptions(**options)


@pytest.mark.parametrize(("shape", "options"), [
    ({"readout": "last"}, {}),
    ({"readout": "mean", "heads": 2, "layers": 2, "bits": 3}, {"rows": 2, "columns": 3}),
    ({"readout": "last", "heads": 3, "d_model": 6, "layers": 2, "ffn": 7, "skip": "persistence"}, {"rows": 2, "columns": 5}),
    ({"readout": "mean", "window": 7, "patch": 4}, {"rows": 2}),
    ({"readout": "mean", "outputs": 3, "bits": 6}, {"rows": 4, "columns": 2, "requantizers": 2}),
], ids=str)
def test_every_tensor(shape, options):
    model, raw, reference, options = _case(shape, options)
    ours = trace_core(compile_model(model, options), raw[0])
    assert set(ours) == {name for name in reference if name != "input" and not name.endswith("probability")}
    assert departures(ours, reference) == {"windows": 1, "differing": 0, "departing": 0, "first": []}


def test_differing_windows_of_the_soc_are_explained():
    """The core gets a model with one wrong tensor; its outputs, as the SoC gives them, and the tensor are named."""
    model, _, _, _ = _case({"readout": "last"}, {})
    raw = np.random.default_rng(3).integers(-1 << 15, 1 << 15, (6, 4, 2))
    tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
    tensors["layers.0.project.weight"] *= -1
    wrong = QuantizedModel(model.config, tensors)
    assert evaluate.explain_soc(model, compile_model(model), raw, golden.infer(model, raw))["differing"] == 0
    outputs = golden.infer(model, raw)
    outputs[2:4] = golden.infer(wrong, raw)[2:4]
    report = evaluate.explain_soc(model, compile_model(wrong), raw, outputs)
    assert (report["windows"], report["differing"]) == (6, 2)
    assert (report["first"][0]["tensor"], report["first"][0]["example"]["window"]) == ("layers.0.attended", 2)


def test_a_wrong_weight_is_located():
    model, raw, reference, options = _case({"readout": "last"}, {})
    tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
    tensors["layers.0.value.weight"] *= -1
    ours = trace_core(compile_model(QuantizedModel(model.config, tensors), options), raw[0])
    assert [entry["tensor"] for entry in departures(ours, reference)["first"]] == ["layers.0.value"]
