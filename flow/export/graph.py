# SPDX-License-Identifier: BSD-2-Clause
"""The integer model as an ONNX graph of integer operators; each step is the one of ``accel.golden`` with the same name.

64-bit integers throughout, so every sum is exact. MatMulInteger would be the operator for 8 bits, but runtimes may saturate
its 16-bit partial sums on processors without dot products of bytes, which is not exact.
"""

import json

import numpy as np

from liteformer.accel import numerics
from liteformer.accel.golden import OUTPUT_BITS

OPSET, IR_VERSION = 17, 8   # Of 2022: read by every onnxruntime since 1.12.
INPUT, OUTPUT, CLASS = "raw", "output", "class"
# ONNX divides towards zero and shifts unsigned integers only: what is divided is made positive before, and what that adds to
# the quotient is taken away after. No sum of the contract reaches 2**62.
LIFT = 1 << 62
# The domain of QONNX' operators; a float32, which they take, holds every integer of so many bits.
QONNX, DECLARED = "qonnx.custom_op.general", 16


class _Graph:
    """Nodes and constants of one graph; an operator's method gives the name of its result.

    ``declares``: every tensor of at most DECLARED bits passes a Quant node of QONNX, which says its width and keeps its values.
    """

    def __init__(self, onnx, declares=False):
        self.onnx, self.nodes, self.constants, self.declares = onnx, [], {}, declares

    def constant(self, name, values, dtype=np.int64):
        """The name of an initializer of this content."""
        self.constants[name] = np.asarray(values, dtype)
        return name

    def number(self, value):
        """The name of a scalar constant."""
        return self.constant(f"number_{value}", value)

    def operator(self, kind, name, *inputs, **attributes):
        """Add a node; returns the name of its result, which is ``name``."""
        inputs = [value if isinstance(value, str) else self.number(value) for value in inputs]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def quant(self, name, value, bits):
        """``value``, float32, through a Quant node of this width; the result has 64 bits."""
        scale, zero = self.constant("quant.scale", 1, np.float32), self.constant("quant.zero", 0, np.float32)
        declared = self.operator("Quant", f"{name}.quant", value, scale, zero, self.constant(f"quant.{bits}", bits, np.float32),
                                 domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")
        return self.operator("Cast", name, declared, to=self.onnx.TensorProto.INT64)

    def wide(self, name, values, bits):
        """A tensor that is kept in its narrowest type and used with 64 bits."""
        if self.declares:
            return self.quant(f"{name}.int64", self.constant(name, values, np.float32), bits)
        narrow = self.constant(name, values, np.min_scalar_type(min(int(np.min(values)), -1 - int(np.max(values)))))
        return self.operator("Cast", f"{name}.int64", narrow, to=self.onnx.TensorProto.INT64)

    def shape(self, name, value, *lengths):
        """Reshape; the first dimension is the batch's."""
        return self.operator("Reshape", name, value, self.constant(f"{name}.shape", (-1, *lengths)))

    def requantize(self, name, acc, multiplier, offset, bits, residual=None, residual_multiplier=None):
        """``numerics.requantize``: names of tensors or constants; ``bits`` of the result, or its range."""
        total = self.operator("Mul", f"{name}.scaled", acc, multiplier)
        if residual:
            scaled = self.operator("Mul", f"{name}.residual", residual, residual_multiplier)
            shifted = self.operator("Mul", f"{name}.residual.shifted", scaled, 1 << numerics.RESIDUAL_SHIFT)
            total = self.operator("Add", f"{name}.summed", total, shifted)
        total = self.operator("Add", f"{name}.lifted", total, offset)
        lo, hi = bits if isinstance(bits, tuple) else numerics.signed_range(bits)
        quotient = self.operator("Div", f"{name}.quotient", total, 1 << numerics.SHIFT)
        shifted = self.operator("Sub", f"{name}.shifted", quotient, LIFT >> numerics.SHIFT)
        width = max(int(-lo - 1).bit_length(), int(hi).bit_length()) + 1
        if not self.declares or width > DECLARED:
            return self.operator("Clip", name, shifted, lo, hi)
        clipped = self.operator("Clip", f"{name}.clipped", shifted, lo, hi)
        return self.quant(name, self.operator("Cast", f"{name}.float", clipped, to=self.onnx.TensorProto.FLOAT), width)

    def offset(self, name, values=0):
        """The bias of ``requantize`` with half a step and LIFT."""
        values = np.asarray(values, np.int64)
        return self.constant(name, (values << numerics.OFFSET_SHIFT) + (1 << numerics.SHIFT - 1) + LIFT)

    def linear(self, model, name, result, x, bits, residual=None):
        """A linear layer and its requantizer."""
        acc = self.operator("MatMul", f"{name}.acc", x, self.wide(f"{name}.weight", model[f"{name}.weight"].T,
                                                                          model.config.bits[f"{name}.weight"]))
        scale = self.constant(f"{name}.residual_multiplier", model[f"{name}.residual"]) if residual else None
        return self.requantize(result, acc, self.constant(f"{name}.multiplier", model[f"{name}.multiplier"]),
                               self.offset(f"{name}.offset", model[f"{name}.offset"]), bits, residual, scale)


def _tokens(graph, config, x):
    """``golden.patches``: quantized rows to tokens."""
    if config.stride != config.patch:
        starts = np.arange(0, config.window - config.patch + 1, config.stride)
        rows = graph.constant("patch.rows", (starts[:, None] + np.arange(config.patch)).reshape(-1))
        x = graph.operator("Gather", "patch.gathered", x, rows, axis=1)
    return graph.shape("tokens", x, config.tokens, config.token_inputs)


def _last(graph, name, x, tokens):
    """The last token alone."""
    return graph.operator("Slice", name, x, graph.constant(f"{name}.from", [tokens - 1]),
                          graph.constant(f"{name}.to", [tokens]), graph.constant(f"{name}.axis", [1]))


def _attention(graph, model, prefix, query, key, value, queries):
    config = model.config

    def heads(name, tokens, order):
        split = graph.shape(f"{name}.heads", name, tokens, config.heads, config.head_dim)
        return graph.operator("Transpose", f"{name}.transposed", split, perm=order)

    acc = graph.operator("MatMul", f"{prefix}.score.acc", heads(query, queries, (0, 2, 1, 3)),
                         heads(key, config.tokens, (0, 2, 3, 1)))
    multiplier = graph.constant(f"{prefix}.score.multiplier", model[f"{prefix}.score.multiplier"][:, None, None])
    score = graph.requantize(f"{prefix}.score", acc, multiplier, graph.offset("none"), numerics.SCORE_BITS)
    largest = graph.operator("ReduceMax", f"{prefix}.score.max", score, axes=[-1], keepdims=1)
    distance = graph.operator("Sub", f"{prefix}.score.distance", largest, score)
    table = graph.constant("softmax.table", model["softmax.table"])
    index = graph.operator("Min", f"{prefix}.score.index", distance, len(model["softmax.table"]) - 1)
    weights = graph.operator("Gather", f"{prefix}.probability", table, index)
    total = graph.operator("ReduceSum", f"{prefix}.probability.total", weights, graph.constant("last_axis", [-1]), keepdims=1)
    rate = graph.operator("Div", f"{prefix}.context.rate",
                          graph.constant(f"{prefix}.context.multiplier", model[f"{prefix}.context.multiplier"]), total)
    acc = graph.operator("MatMul", f"{prefix}.context.acc", weights, heads(value, config.tokens, (0, 2, 1, 3)))
    context = graph.requantize(f"{prefix}.context.heads", acc, rate, "none", config.bits[f"{prefix}.context"])
    back = graph.operator("Transpose", f"{prefix}.context.back", context, perm=(0, 2, 1, 3))
    return graph.shape(f"{prefix}.context", back, queries, config.d_model)


def _body(graph, model):
    """All nodes, from raw samples to the outputs."""
    config, bits = model.config, model.config.bits
    raw = graph.operator("Cast", "raw.int64", INPUT, to=graph.onnx.TensorProto.INT64)
    limited = graph.operator("Clip", "raw.limited", raw, *numerics.signed_range(numerics.RAW_BITS))
    x = graph.requantize("input", limited, graph.constant("input.multiplier", model["input.multiplier"]),
                         graph.offset("input.offset", model["input.offset"]), model.input_range)
    hidden = graph.linear(model, "embed", "hidden", _tokens(graph, config, x), bits["hidden"],
                          graph.wide("position", model["position"], bits["position"]))
    tokens = config.tokens
    for layer in range(config.layers):
        prefix, rows, count = f"layers.{layer}", hidden, tokens
        if config.readout == "last" and layer == config.layers - 1:
            rows, count = _last(graph, f"{prefix}.last", hidden, tokens), 1
        query, key, value = (graph.linear(model, f"{prefix}.{name}", f"{prefix}.{name}", source, bits[f"{prefix}.{name}"])
                             for name, source in (("query", rows), ("key", hidden), ("value", hidden)))
        context = _attention(graph, model, prefix, query, key, value, count)
        attended = graph.linear(model, f"{prefix}.project", f"{prefix}.attended", context, bits[f"{prefix}.attended"], rows)
        expanded = graph.linear(model, f"{prefix}.expand", f"{prefix}.expanded", attended, bits[f"{prefix}.expanded"])
        hidden = graph.linear(model, f"{prefix}.contract", f"{prefix}.hidden", expanded, bits[f"{prefix}.hidden"], attended)
    pooled = graph.operator("ReduceSum", "pooled", hidden, graph.constant("token_axis", [1]), keepdims=0)
    if config.skip == "none":
        graph.linear(model, "head", OUTPUT, pooled, OUTPUT_BITS)
        return
    output = graph.linear(model, "head", "head", pooled, OUTPUT_BITS)
    newest = _last(graph, "raw.newest", raw, config.window)
    targets = graph.operator("Gather", "raw.targets", newest, graph.constant("targets", config.target_features), axis=2)
    change = graph.operator("Add", "changed", output, graph.shape("raw.last", targets, config.outputs))
    graph.operator("Clip", OUTPUT, change, *numerics.signed_range(OUTPUT_BITS))


def build_graph(onnx, model, declares=False):
    """The model as an ONNX model.

    Args:
        onnx: the package; model: QuantizedModel. declares: as QONNX, with a Quant node for every weight and activation.
    Returns:
        ModelProto. Input ``raw``: int32 ``(batch, window, features)``. Outputs: ``output``, int64 ``(batch, outputs)``, as of
        ``golden.infer``; of a classification also ``class``, int64 ``(batch,)``. Its metadata hold what makes raw samples and
        physical values: id, task, names, scales and offsets.
    """
    graph, config, helper = _Graph(onnx, declares), model.config, onnx.helper
    _body(graph, model)
    results = [helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.INT64, ["batch", config.outputs])]
    if config.task == "classification":
        narrow = graph.operator("Cast", "output.int32", OUTPUT, to=onnx.TensorProto.INT32)
        graph.operator("ArgMax", CLASS, narrow, axis=1, keepdims=0)
        results.append(helper.make_tensor_value_info(CLASS, onnx.TensorProto.INT64, ["batch"]))
    given = helper.make_tensor_value_info(INPUT, onnx.TensorProto.INT32, ["batch", config.window, config.features])
    constants = [onnx.numpy_helper.from_array(values, name) for name, values in graph.constants.items()]
    operators = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(QONNX, 1)] if declares else [])]
    proto = helper.make_model(
        helper.make_graph(graph.nodes, "liteformer", [given], results, constants), producer_name="liteformer",
        opset_imports=operators, ir_version=IR_VERSION)
    helper.set_model_props(proto, {"id": model.id, **{name: json.dumps(getattr(config, name)) for name in (
        "task", "feature_names", "target_names", "class_names", "raw_scale", "raw_offset", "output_scale", "output_offset")}})
    onnx.checker.check_model(proto, full_check=True)
    return proto
