# SPDX-License-Identifier: BSD-2-Clause
"""ONNX files: written, and run by onnxruntime."""

import importlib
import re
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import whole_file
from liteformer.flow.export.graph import CLASS, INPUT, build_graph

INSTALL = "pip install 'liteformer[onnx]'"


def _package(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        raise LiteFormerError(f"the package {name.partition('.')[0]} is not installed; {INSTALL} installs it") from None


def write_onnx(model, path, declares=False):
    """Write the integer model of a QuantizedModel as an ONNX file; ``declares``: as QONNX, see ``build_graph``.

    Raises:
        LiteFormerError: the package onnx is missing.
    """
    onnx = _package("onnx")
    proto = build_graph(onnx, model, declares)
    with whole_file(path) as temporary:
        onnx.save(proto, temporary)


def infer_qonnx(path, raw):
    """Outputs int64 ``(batch, outputs)`` of a file with Quant nodes, by the package qonnx.

    Args:
        path: QONNX file. raw: int32 ``(batch, window, features)``.
    Raises:
        LiteFormerError: the package is missing.
    """
    wrapper, shapes, execution = (_package(f"qonnx.{name}") for name in ("core.modelwrapper", "transformation.infer_shapes",
                                                                         "core.onnx_exec"))
    model, raw = wrapper.ModelWrapper(str(path)), np.asarray(raw, np.int32)
    # It runs node by node, and wants the shape of every tensor.
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = len(raw)
    return execution.execute_onnx(model.transform(shapes.InferShapes()), {INPUT: raw})["output"]


class OnnxModel:
    """An exported model in onnxruntime.

    Args:
        path: ONNX file.
    Raises:
        LiteFormerError: onnxruntime is missing, or cannot load the file.
    """

    def __init__(self, path):
        runtime = _package("onnxruntime")
        if not Path(path).is_file():
            raise LiteFormerError(f"no ONNX file at {path}; `liteformer export MODEL --format onnx -o {path}` writes one")
        quiet = runtime.SessionOptions()
        quiet.log_severity_level = 4
        try:
            self.session = runtime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
        # Of pybind11, one class for each status of the runtime; no common base but Exception.
        except Exception as error:
            # The last sentence; before it stand codes, source lines and signatures of the runtime.
            reason = re.split(r"\. |: |failed:", " ".join(str(error).split()).rstrip("."))[-1]
            raise LiteFormerError(f"onnxruntime {runtime.__version__} does not load {path} ({reason}); install a newer "
                                  "onnxruntime, or write the file again with `liteformer export`") from None

    def infer(self, raw):
        """Outputs int64 ``(batch, outputs)`` of integers ``(batch, window, features)`` within int32.

        Raises:
            LiteFormerError: wrong shape or type.
        """
        return self._run(raw)["output"]

    def classes(self, raw):
        """Classes int64 ``(batch,)`` of the same, for a classification."""
        return self._run(raw)[CLASS]

    def _run(self, raw):
        raw, wanted = np.asarray(raw), self.session.get_inputs()[0].shape
        if raw.ndim != 3 or list(raw.shape[1:]) != wanted[1:] or raw.dtype.kind not in "iu":
            raise LiteFormerError(f"windows must be integers of shape (batch, {wanted[1]}, {wanted[2]}), not "
                                  f"{raw.dtype}{raw.shape}")
        if raw.size and (raw.min() < -(1 << 31) or raw.max() >= 1 << 31):
            raise LiteFormerError("a raw sample does not fit 32 bits; choose a smaller raw_scale")
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {INPUT: raw.astype(np.int32)})))
