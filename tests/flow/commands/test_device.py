# SPDX-License-Identifier: BSD-2-Clause
"""The FPGA whose budget counts: named by an option, a folder or a board, and honoured by every command that simulates."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.common.hardware_file import HardwareFile
from liteformer.flow.common.inputs import load_model
from liteformer.flow.stream.load_model import built_from

TOO_BIG = re.compile(r"error: the smallest array for this model needs about [\d,]+ LUT sites \([\d,]+ too many\)"
                     r"( and about [\w,. ()]+)? for the xc7s15; train with a smaller d_model, window or fewer bits, "
                     r"or choose a larger --device or board")


@pytest.fixture
def big(tmp_path, monkeypatch):
    """A model that is too big for the XC7S15, in a folder of its own in the working directory."""
    monkeypatch.chdir(tmp_path)
    random_model(np.random.default_rng(1), window=4, features=3, d_model=64, bits=8, layers=2).save("big/model.safetensors")
    return "big"


def refused(run, *arguments):
    """The last line of what a command that fails says."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and "Traceback" not in err
    return err.splitlines()[-1]


@pytest.mark.slow
def test_a_model_that_needs_another_device(run, big):
    assert TOO_BIG.fullmatch(refused(run, "simulate", big))
    assert " for the xc7s15; " in refused(run, "load-model", big, "--into", big, "--sim")
    assert refused(run, "simulate", big, "--device", "xc7z010").startswith("error: no device xc7z010; choose one of xc7s15, ")
    code, out, _ = run("simulate", big, "--windows", 1, "--device", "xc7s50", "--json")
    result = json.loads(out)
    assert (code, result["device"], result["mismatches"]) == (0, "xc7s50", 0)
    # What the folder names counts where no option does.
    HardwareFile(device="xc7s50").write(big)
    code, out, _ = run("simulate", big, "--windows", 1, "--json")
    assert code == 0 and json.loads(out) | {"cycles_per_second": 0} == result | {"cycles_per_second": 0}
    assert TOO_BIG.fullmatch(refused(run, "simulate", big, "--device", "xc7s15"))


@pytest.mark.slow
def test_a_project_of_a_larger_board(run, big):
    """Its folder is simulated on the board's array, and a build of it is a build for the same device."""
    code, out, _ = run("build", big, "--board", "arty_a7", "--no-compile", "--rows", 4, "--columns", 16,
                       "--dsp-lanes", 64, "--out", "arty", "--json")
    built, written = json.loads(out), json.loads(Path("arty/hardware.json").read_text())
    assert code == 0 and (written["device"], written["model_id"]) == ("xc7a35t", load_model(big).id)
    assert written["dsp_lanes"] == 64  # More than the XC7S15 can hold.
    code, out, err = run("simulate", "arty", "--windows", 1, "--json")
    result = json.loads(out)
    assert (code, result["device"], result["mismatches"]) == (0, "xc7a35t", 0) and "note:" not in err
    assert result["cycles"]["accelerator"] == built["cycles"]
    assert built_from("arty")[0].cycles == built["cycles"]
    code, out, err = run("build", "arty", "--board", "sim", "--no-compile", "--out", "again", "--json")
    assert code == 0 and json.loads(out)["cycles"] == built["cycles"] and "note:" not in err
    assert json.loads(Path("again/hardware.json").read_text()) == written
    # The other board's own FPGA is too small: why another array was tried is said.
    code, _, err = run("build", "arty", "--board", "seeed_spartan_edge", "--no-compile")
    assert code == 2 and err.splitlines()[-1].startswith("error: the smallest array for this model needs about")
    assert ("note: arty/hardware.json is for the xc7a35t, seeed_spartan_edge has the xc7s15: the compiler chooses the array"
            in err.splitlines())


def test_build_for_a_device(run, big):
    build = ("build", big, "--no-compile", "--out", "x", "--board")
    assert TOO_BIG.fullmatch(refused(run, *build, "sim"))
    assert refused(run, *build, "arty_a7", "--device", "xc7s50") == (
        "error: arty_a7 has the xc7a35t, not the xc7s50; leave --device out or name another board")
    assert run(*build, "sim", "--device", "xc7s50")[0] == 0
    assert json.loads(Path("x/hardware.json").read_text())["device"] == "xc7s50"


@pytest.mark.slow
def test_a_run_with_a_device(run, tmp_path):
    """An array that the XC7S15 cannot hold: `evaluate --soc --explain`, `run --sim`, and a second training beside the file."""
    train = ("train", "--window", 4, "--d-model", 8, "--bits", 4, "--epochs", 1, "--teachers", 1,
             "--neighbours", "none", "--out", tmp_path / "plant")
    assert run(*train)[0] == 0
    first = load_model(tmp_path / "plant")
    array = {"rows": 4, "columns": 16, "requantizers": 4, "dsp_lanes": 64}
    HardwareFile(model_id=first.id, device="xc7a35t", **array).write(tmp_path / "plant")
    code, out, err = run("evaluate", tmp_path / "plant", "--soc", 1, "--explain", "--json")
    result = json.loads(out)
    assert (code, result["device"], result["mismatches"]) == (0, "xc7a35t", 0) and "note:" not in err
    code, out, err = run("run", tmp_path / "plant", "--sim", "--windows", 1, "--json")
    assert code == 0 and json.loads(out)["cycles"]["accelerator"] == result["cycles"]["accelerator"]
    assert run("run", tmp_path / "plant", "--sim", "--windows", 1, "--device", "xc7s15", "--json")[0] == 0
    # The file stays where a training replaces the model, whose window it does not fit.
    assert run(*train[:2], 5, *train[3:])[0] == 0 and load_model(tmp_path / "plant").id != first.id
    code, out, err = run("simulate", tmp_path / "plant", "--windows", 1, "--json")
    assert (code, json.loads(out)["device"]) == (0, "xc7s15")
    assert f"hardware.json is ignored: it was written for the model {first.id[:8]}, and " in err
