# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer load-model`: into the simulated SoC, from a project folder or a model; what does not fit; `build --loadable`."""

import json

import numpy as np
import pytest

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.loading import build_id
from liteformer.accel.random_model import random_model
from liteformer.flow.stream import load_model as command
from liteformer.soc.protocol import Client

SHAPE = {"window": 4, "features": 3, "d_model": 8, "bits": 4}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Two models of one shape and one of another, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, seed, shape in (("old", 1, {}), ("new", 2, {}), ("large", 3, {"d_model": 16})):
        random_model(np.random.default_rng(seed), **(SHAPE | shape)).save(f"{name}.safetensors")


def test_into_the_simulated_soc(run, models):
    code, out, _ = run("load-model", "new.safetensors", "--into", "old.safetensors", "--sim", "--windows", 4, "--json")
    result = json.loads(out)
    assert code == 0
    assert result["mismatches"] == 0 and result["windows"] == 4
    assert result["replaced"] != result["model_id"][:8]
    assert result["self_test"].startswith("memories right")


def test_an_answer_of_the_old_model_is_counted(run, models, monkeypatch):
    # The device says that it took the model, but did not.
    monkeypatch.setattr(Client, "load", lambda self, compiled, progress: None)
    info = Client.info
    monkeypatch.setattr(Client, "info", lambda self: info(self).__class__(**(vars(info(self)) | {"model_id": new_id})))
    from liteformer.flow.common.inputs import load_model
    new_id = load_model("new.safetensors").id[:8]
    code, out, _ = run("load-model", "new.safetensors", "--into", "old.safetensors", "--sim", "--windows", 4, "--json")
    assert code == 0 and json.loads(out)["mismatches"] > 0


def test_a_project_names_its_build(run, models):
    code, _, _ = run("build", "old.safetensors", "--board", "seeed_spartan_edge", "--no-compile", "--loadable", "--columns", 3,
                     "--out", "board", "--json")
    assert code == 0
    compiled, cpu = command.built_from("board")
    expected = compile_model(compiled.model, HardwareOptions(loadable=True, columns=3))
    assert cpu == "vexriscv"
    assert build_id(compiled) == build_id(expected) != build_id(command.built_from("old.safetensors")[0])


@pytest.mark.parametrize(("arguments", "words"), [
    (["new.safetensors", "--into", "old.safetensors"], "name one device"),
    (["new.safetensors", "--into", "old.safetensors", "--sim", "--port", "/dev/ttyUSB0"], "name one device"),
    (["large.safetensors", "--into", "old.safetensors", "--sim"], "does not fit the build"),
    (["none.safetensors", "--into", "old.safetensors", "--sim"], "no model at none"),
    (["new.safetensors", "--into", "none", "--sim"], "no model at none"),
    (["new.safetensors", "--into", "fixed", "--sim"], "--loadable"),
    (["new.safetensors", "--into", "old.safetensors", "--port", "/dev/ttyNONE"], "/dev/ttyNONE")])
def test_bad_input(run, models, arguments, words):
    run("build", "old.safetensors", "--board", "seeed_spartan_edge", "--no-compile", "--out", "fixed", "--json")
    code, out, err = run("load-model", *arguments)
    assert (code, out) == (2, "")
    assert words in err and "Traceback" not in err
