# SPDX-License-Identifier: BSD-2-Clause
"""``hardware.json``: whom it counts for, what takes precedence over it, what is said about a damaged one."""

import json

import numpy as np
import pytest

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.flow.common.hardware_file import HardwareFile, read_hardware
from liteformer.flow.common.inputs import hardware_of

from ... import names

ARRAY = {"rows": 4, "columns": 2}


@pytest.fixture
def model(tmp_path):
    """A model in a folder."""
    model = random_model(np.random.default_rng(1), window=4, features=3, d_model=8, bits=4)
    model.save(tmp_path / "model.safetensors")
    return model


def test_it_is_read_as_written(tmp_path, model):
    written = HardwareFile(model_id=model.id, device="xc7a35t", cpu="serv", loadable=True, dsp_lanes=60, **ARRAY)
    written.write(tmp_path)
    assert read_hardware(tmp_path) == written and [path.name for path in tmp_path.glob("h*")] == ["hardware.json"]
    assert hardware_of(tmp_path) == ("serv", {"device": "xc7a35t", "loadable": True, "dsp_lanes": 60, **ARRAY})


def test_a_folder_without_one(tmp_path):
    assert read_hardware(tmp_path) == HardwareFile() and hardware_of(tmp_path) == (None, {})


def test_given_options_take_precedence(tmp_path, model, capsys):
    HardwareFile(model_id=model.id, device="xc7a35t", loadable=True, cpu="serv", **ARRAY).write(tmp_path)
    # An array replaces the array, not what else is there.
    assert hardware_of(tmp_path, "vexriscv", rows=2) == ("vexriscv", {"device": "xc7a35t", "loadable": True, "rows": 2})
    assert hardware_of(tmp_path, device="xc7a35t")[1]["columns"] == 2 and capsys.readouterr().err == ""
    # The array was chosen for the file's device.
    assert hardware_of(tmp_path, device="xc7s50") == ("serv", {"device": "xc7s50", "loadable": True})
    assert capsys.readouterr().err == (f"note: {tmp_path}/hardware.json is for the xc7a35t, --device is the xc7s50: "
                                       "the compiler chooses the array\n")
    HardwareFile(model_id=model.id, device="xc7a35t").write(tmp_path)
    assert hardware_of(tmp_path, device="xc7s50") == (None, {"device": "xc7s50"}) and capsys.readouterr().err == ""
    with pytest.raises(LiteFormerError, match="^no device xc7z010; choose one of "):
        hardware_of(tmp_path, device="xc7z010")


def test_a_board_has_its_own_device(tmp_path, model, capsys):
    """It is said if the file names another; an earlier file that names none, or a board without one, contradicts nothing."""
    HardwareFile(device="xc7s50", **ARRAY).write(tmp_path)
    assert hardware_of(tmp_path, board="arty_a7") == (None, {"device": "xc7a35t"})
    assert capsys.readouterr().err == (f"note: {tmp_path}/hardware.json is for the xc7s50, arty_a7 has the xc7a35t: "
                                       "the compiler chooses the array\n")
    HardwareFile(device="xc7s50").write(tmp_path)
    assert hardware_of(tmp_path, board="arty_a7") == (None, {"device": "xc7a35t"})
    assert capsys.readouterr().err.endswith("arty_a7 has the xc7a35t: that one counts\n")
    HardwareFile(device="xc7s50", **ARRAY).write(tmp_path)
    assert hardware_of(tmp_path, board="sim") == (None, {"device": "xc7s50", **ARRAY})
    HardwareFile(**ARRAY).write(tmp_path)
    assert hardware_of(tmp_path, board="arty_a7") == (None, {"device": "xc7a35t", **ARRAY})
    assert capsys.readouterr().err == ""


def test_a_folder_without_a_cpu(tmp_path, capsys):
    """What has none can be built again as it is; to simulate it, the serial protocol needs one."""
    HardwareFile(cpu="none", rows=4).write(tmp_path)
    assert hardware_of(tmp_path, simulated=False) == ("none", {"rows": 4}) and hardware_of(tmp_path, "serv")[0] == "serv"
    assert capsys.readouterr().err == ""
    assert hardware_of(tmp_path) == (None, {"rows": 4})
    assert capsys.readouterr().err == f"note: {tmp_path}/hardware.json is for a SoC without a CPU; the simulated one has one\n"


def test_a_stale_file_is_ignored(tmp_path, model, capsys):
    """It says which model it was written for; one that does not say counts, if it can."""
    HardwareFile(model_id="0123456789" + model.id[10:], device="xc7s50", cpu="serv", rows=2).write(tmp_path)
    assert hardware_of(tmp_path) == hardware_of(tmp_path / "model.safetensors") == (None, {})
    assert capsys.readouterr().err.splitlines() == 2 * [
        f"note: {tmp_path}/hardware.json is ignored: it was written for the model 01234567, and {tmp_path}/model.safetensors "
        f"is {model.id[:8]}; remove it, or its model_id to use it all the same"]
    HardwareFile(rows=3).write(tmp_path)
    assert hardware_of(tmp_path) == (None, {})
    assert "it was written for a model of another window, and" in capsys.readouterr().err
    HardwareFile(rows=2, requantizers=2).write(tmp_path)
    assert hardware_of(tmp_path) == (None, {"rows": 2, "requantizers": 2}) and capsys.readouterr().err == ""


@pytest.mark.parametrize("content, reason", [
    ("{", "it is not a JSON object"), ("[]", "it is not a JSON object"), (b"\xff", "it is not a JSON object"),
    ("{}{}", "it is not a JSON object"), ("null", "it is not a JSON object"),
    ({"rows": "4"}, "rows is '4' but should be a valid integer"), ({"rows": 4.5}, "rows is 4.5 but should be a valid integer"),
    ({"rows": True}, "rows is True but should be a valid integer"),
    ({"rows": 0}, "rows is 0 but should be greater than or equal to 1"),
    ({"dsp_lanes": -1}, "dsp_lanes is -1 but should be greater than or equal to 0"),
    ({"loadable": 1}, "loadable is 1 but should be a valid boolean"), ({"cpu": 3}, "cpu is 3 but should be a valid string"),
    ({"colour": "red"}, "it has the unknown key colour"),
    ({"device": "xc7z010"}, "no device xc7z010; choose one of " + names.DEVICES),
], ids=str)
def test_a_damaged_file(tmp_path, content, reason):
    content = json.dumps(content) if isinstance(content, dict) else content
    (tmp_path / "hardware.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LiteFormerError) as caught:
        hardware_of(tmp_path)
    assert str(caught.value) == (f"{tmp_path}/hardware.json is damaged: {reason}; correct or remove it, or write it again with "
                                 "`liteformer explore --pick` or `liteformer build`")
