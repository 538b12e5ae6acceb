# SPDX-License-Identifier: BSD-2-Clause
"""The report on where two models part ways."""

import numpy as np
import torch

from liteformer.accel import golden
from liteformer.train.quant.explain import departures, explain_qat


def _traces(run):
    reference = {}
    golden.infer(run.model, run.test_raw[:20], reference)
    return {name: tensor.copy() for name, tensor in reference.items()}, reference


def test_equal_tensors_depart_nowhere(run):
    ours, reference = _traces(run)
    assert departures(ours, reference) == {"windows": 20, "differing": 0, "departing": 0, "first": []}


def test_the_first_tensor_is_named(run):
    ours, reference = _traces(run)
    ours["layers.0.value"][3, 2, 1] += 2
    ours["layers.0.hidden"][3] += 1
    ours["output"][3] -= 5
    ours["layers.0.attended"][7, 0, 4] -= 1
    report = departures(ours, reference)
    assert (report["differing"], report["departing"]) == (1, 2)
    value = int(reference["layers.0.value"][3, 2, 1])
    assert report["first"][0] == {"tensor": "layers.0.value", "windows": 1, "largest": 2, "example": {
        "window": 3, "position": [2, 1], "got": value + 2, "integer": value}}
    assert [(entry["tensor"], entry["windows"]) for entry in report["first"]] == [("layers.0.value", 1),
                                                                                  ("layers.0.attended", 1)]


def test_quantization_aware_model_against_the_integers(run):
    """Float32 departs in few windows; in float64 it departs in none; with a changed weight it departs at that weight."""
    assert explain_qat(run)["departing"] < 0.2 * len(run.test_raw)
    weight = run.quantized.layers[0].expand.weight
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight[0] *= -1
        report = explain_qat(run)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    assert "layers.0.expanded" in [entry["tensor"] for entry in report["first"]]
    assert report["differing"] > 0 and np.all([entry["windows"] > 0 for entry in report["first"]])
