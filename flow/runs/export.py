# SPDX-License-Identifier: BSD-2-Clause
"""A model written for other runtimes, and compared with the golden model where one is at hand."""

import importlib.util
import json
from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import file_names, whole_directory
from liteformer.flow.common.inputs import at_least, is_run, random_windows
from liteformer.flow.runs.evaluate import open_run
from liteformer.flow.runs.simulate import windows_for

FORMATS = ("onnx", "qonnx", "c")
MARK = "export.json"
DEFAULT_NAME = "liteformer_model"


def run_export(path, out, *, format, windows=None, seed=1, name=None):
    """Write a model in another format.

    Args:
        path: model file or directory. out: ONNX file, or folder of the C files. format: one of FORMATS. windows: compared with
        the golden model; None for 64 of an ONNX or QONNX file and 1,000 of a C test. seed: of
        random windows. name: of C files and functions.
    Returns:
        dict, the command's JSON.
    Raises:
        LiteFormerError: no such format, a package is missing, the file's name ends otherwise, the folder is in use.
    """
    if format not in FORMATS:
        raise LiteFormerError(f"no format {format}; choose {' or '.join(FORMATS)}")
    if windows is not None:
        at_least("windows", windows, 1)
    model, raw = _windows(path, windows, seed, 1000 if format == "c" else 64)
    result = {"format": format, "out": str(out), "model_id": model.id, "windows": len(raw)}
    if format == "c":
        return result | _write_c(model, Path(out), raw, name or DEFAULT_NAME)
    if name is not None:
        raise LiteFormerError("--name is that of C files and functions; leave it out")
    if not str(out).endswith(".onnx"):
        raise LiteFormerError(f"--out {out} does not end in .onnx; name a file such as build/model.onnx")
    return result | (_write_qonnx if format == "qonnx" else _write_onnx)(model, Path(out), raw)


def _windows(path, windows, seed, usual):
    """``windows_for``; if none were asked for, random ones follow a test set of fewer than the usual number."""
    if windows is None and is_run(path):
        run = open_run(path)
        raw = run.test_raw[:usual]
        return run.model, np.concatenate([raw, random_windows(run.model, usual - len(raw), seed)])
    return windows_for(path, windows or usual, seed)


def _write_c(model, out, raw, name):
    from liteformer.flow.export.c_files import memory_bytes, write_c
    with whole_directory(out, MARK, "liteformer export") as folder, console.step("Write C"):
        write_c(model, folder, raw, name)
        ram = memory_bytes(model.config)
        facts = {"model_id": model.id, "name": name, "ram_bytes": ram, "windows": len(raw)}
        (folder / MARK).write_text(json.dumps(facts) + "\n")
        files = file_names(folder)
    return {"name": name, "ram_bytes": ram, "files": files}


def _write_onnx(model, out, raw):
    from liteformer.flow.export.onnx_file import INSTALL, OnnxModel, write_onnx
    with console.step("Write ONNX"):
        write_onnx(model, out)
    if importlib.util.find_spec("onnxruntime") is None:
        console.note(f"note: {out} was not compared with the golden model, onnxruntime is not installed; {INSTALL}")
        return {"mismatches": None}
    with console.step(f"Compare {len(raw)} windows in onnxruntime"):
        runtime, expected = OnnxModel(out), golden.infer(model, raw)
        wrong = int(np.count_nonzero(runtime.infer(raw) != expected))
        if model.config.task == "classification":
            wrong += int(np.count_nonzero(runtime.classes(raw) != expected.argmax(axis=1)))
    return {"mismatches": wrong}


def _write_qonnx(model, out, raw):
    from liteformer.flow.export.onnx_file import INSTALL, infer_qonnx, write_onnx
    with console.step("Write QONNX"):
        write_onnx(model, out, declares=True)
    if importlib.util.find_spec("qonnx") is None:
        console.note(f"note: {out} was not compared with the golden model, qonnx is not installed; {INSTALL}")
        return {"mismatches": None}
    with console.step(f"Compare {len(raw)} windows in qonnx"):
        return {"mismatches": int(np.count_nonzero(infer_qonnx(out, raw) != golden.infer(model, raw)))}
