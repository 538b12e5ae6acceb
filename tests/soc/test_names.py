# SPDX-License-Identifier: BSD-2-Clause
"""The tests' shorter way to name signals gives Migen's own names."""

import importlib
import re

import numpy as np
from migen.fhdl import tracer

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.random_model import random_model
from liteformer.soc.standalone import StandaloneCore, core_verilog

from .. import tracing


def written(compiled, folder):
    """Lines of a core's Verilog, without comments; the order of cells in those is chance."""
    folder.mkdir()
    source, *_ = core_verilog(StandaloneCore(compiled), folder)
    tracer.name_to_idx.clear()
    tracer.classname_to_objs.clear()
    return re.sub(r"(?m)//.*$", "", (folder / source).read_text()).splitlines()


def test_names_are_those_of_migen(tmp_path, monkeypatch):
    model = random_model(np.random.default_rng(1), window=4, features=3, d_model=4, bits=4, heads=2)
    compiled = compile_model(model, HardwareOptions(2, 2, 1, loadable=True))
    assert tracer.trace_back is tracing.trace_back
    short = written(compiled, tmp_path / "short")
    own = importlib.util.module_from_spec(tracer.__spec__)
    tracer.__spec__.loader.exec_module(own)
    own.name_to_idx, own.classname_to_objs = tracer.name_to_idx, tracer.classname_to_objs
    monkeypatch.setattr(tracer, "trace_back", own.trace_back)
    assert written(compiled, tmp_path / "own") == short
    # Negative control: without the innermost frame the names are others.
    monkeypatch.setattr(tracer, "trace_back", lambda name=None: tracing.trace_back(name)[:-2])
    assert written(compiled, tmp_path / "other") != short
