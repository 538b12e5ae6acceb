# SPDX-License-Identifier: BSD-2-Clause
"""onnxruntime computes what the golden model computes, bit for bit; a changed graph does not."""

import json

import numpy as np
import onnx
import pytest

from liteformer.accel import golden
from liteformer.accel.model import QuantizedModel
from liteformer.flow.export import onnx_file
from liteformer.flow.export.onnx_file import OnnxModel, write_onnx

from ...refusal import refusal
from .shapes import SHAPES, model_of, windows_of

EACH = 10_000 // (len(SHAPES) - 1) + 1  # Of the shapes but one, so that they are more than 10,000 together.


@pytest.mark.parametrize("name", SHAPES)
def test_every_bit_is_equal(name, tmp_path):
    model = model_of(name)
    write_onnx(model, tmp_path / "model.onnx")
    runtime, raw = OnnxModel(tmp_path / "model.onnx"), windows_of(model, EACH)
    expected, found = golden.infer(model, raw), runtime.infer(raw)
    assert found.dtype == np.int64 and len(np.unique(expected)) > 5
    np.testing.assert_array_equal(found, expected)
    if name == "classes":
        np.testing.assert_array_equal(runtime.classes(raw), expected.argmax(axis=1))


@pytest.mark.parametrize("name", ["readme", "overlap", "classes"])
def test_qonnx_computes_the_same(name, tmp_path):
    """And each Quant node has the width that the model names; one bit less in one of them is seen."""
    pytest.importorskip("qonnx", reason="qonnx is not installed; pip install '.[onnx]'")
    model, path = model_of(name), tmp_path / "model.onnx"
    write_onnx(model, path, declares=True)
    raw = windows_of(model, 100)
    expected = golden.infer(model, raw)
    np.testing.assert_array_equal(onnx_file.infer_qonnx(path, raw), expected)
    proto = onnx.load(path)
    values = {value.name: onnx.numpy_helper.to_array(value) for value in proto.graph.initializer}
    widths = {node.name: int(values[node.input[3]]) for node in proto.graph.node if node.op_type == "Quant"}
    assert widths["embed.weight.int64.quant"] == model.config.bits["embed.weight"]
    assert widths["hidden.quant"] == model.config.bits["hidden"]
    node, = (node for node in proto.graph.node if node.name == "hidden.quant")
    node.input[3] = "narrower"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(widths[node.name] - 1), "narrower"))
    onnx.save(proto, path)
    assert (onnx_file.infer_qonnx(path, raw) != expected).any()


def test_only_integer_operators(tmp_path):
    """No tensor of the graph is floating point."""
    write_onnx(model_of("layers"), tmp_path / "model.onnx")
    proto = onnx.shape_inference.infer_shapes(onnx.load(tmp_path / "model.onnx"), strict_mode=True)
    kinds = {tensor.data_type for tensor in proto.graph.initializer}
    kinds |= {value.type.tensor_type.elem_type for value in [*proto.graph.value_info, *proto.graph.output]}
    assert kinds <= {onnx.TensorProto.INT8, onnx.TensorProto.INT32, onnx.TensorProto.INT64}
    assert not {node.op_type for node in proto.graph.node} & {"QuantizeLinear", "DequantizeLinear", "Softmax", "Exp"}


@pytest.mark.parametrize("tensor, place", [("embed.weight", 0), ("layers.0.query.offset", 1), ("softmax.table", 3),
                                           ("head.multiplier", 0)])
def test_a_changed_constant_is_seen(tensor, place, tmp_path):
    """Negative control: one number of the ONNX file changed a little."""
    model = model_of("mean")
    write_onnx(model, tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    stored, = (constant for constant in proto.graph.initializer if constant.name == tensor)
    values = onnx.numpy_helper.to_array(stored).copy()
    values.reshape(-1)[place] += 1 << 20 if tensor.endswith("offset") else 1
    stored.CopyFrom(onnx.numpy_helper.from_array(values, tensor))
    onnx.save(proto, tmp_path / "model.onnx")
    raw = windows_of(model, 500)
    assert (OnnxModel(tmp_path / "model.onnx").infer(raw) != golden.infer(model, raw)).any()


def test_the_file_says_what_it_is(tmp_path):
    model = model_of("alarms")
    write_onnx(model, tmp_path / "model.onnx")
    found = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert found["id"] == model.id and json.loads(found["raw_scale"]) == model.config.raw_scale
    assert json.loads(found["task"]) == "anomaly"


def test_wrong_windows(tmp_path):
    write_onnx(model_of("mean"), tmp_path / "model.onnx")
    runtime = OnnxModel(tmp_path / "model.onnx")
    assert refusal(runtime.infer, np.zeros((1, 6, 2), int)) == (
        "windows must be integers of shape (batch, 6, 3), not int64(1, 6, 2)")
    assert refusal(runtime.infer, np.zeros((1, 6, 3))) == (
        "windows must be integers of shape (batch, 6, 3), not float64(1, 6, 3)")
    assert refusal(runtime.infer, np.full((1, 6, 3), 1 << 31)) == (
        "a raw sample does not fit 32 bits; choose a smaller raw_scale")


def test_a_package_that_is_missing(tmp_path, monkeypatch):
    def absent(name):
        raise ImportError
    monkeypatch.setattr(onnx_file.importlib, "import_module", absent)
    assert refusal(write_onnx, model_of("mean"), tmp_path / "model.onnx") == (
        "the package onnx is not installed; pip install 'liteformer[onnx]' installs it")
    assert refusal(OnnxModel, tmp_path / "model.onnx") == (
        "the package onnxruntime is not installed; pip install 'liteformer[onnx]' installs it")
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_runtime_does_not_load(tmp_path):
    """An operator set of the future, a file that is none, no file."""
    path = tmp_path / "model.onnx"
    assert refusal(OnnxModel, path) == f"no ONNX file at {path}; `liteformer export MODEL --format onnx -o {path}` writes one"
    write_onnx(model_of("mean"), path)
    proto = onnx.load(path)
    proto.opset_import[0].version = 999
    path.write_bytes(proto.SerializeToString())
    sentence = refusal(OnnxModel, path)
    assert sentence.startswith("onnxruntime ") and f"does not load {path} (" in sentence and "opset" in sentence
    assert sentence.endswith("); install a newer onnxruntime, or write the file again with `liteformer export`")
    path.write_bytes(b"nothing")
    assert f"does not load {path} (Protobuf parsing failed); " in refusal(OnnxModel, path)


def test_a_model_of_many_inputs_is_exact():
    """The largest sums of the contract stay below what the graph lifts them by."""
    model = model_of("mean")
    tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
    for name in tensors:
        if name.endswith(".multiplier") and not name.startswith(("input", "layers.0.score", "layers.0.context")):
            tensors[name][:] = (1 << 23) - 1
        if name.endswith(".weight"):
            tensors[name][:] = np.where(tensors[name] < 0, -127, 127)
    extreme, raw = QuantizedModel(model.config, tensors), windows_of(model, 200)
    from onnx.reference import ReferenceEvaluator

    from liteformer.flow.export.graph import build_graph
    found, = ReferenceEvaluator(build_graph(onnx, extreme)).run(None, {"raw": raw.astype(np.int32)})
    np.testing.assert_array_equal(found, golden.infer(extreme, raw))
