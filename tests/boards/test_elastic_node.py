# SPDX-License-Identifier: BSD-2-Clause
"""The Elastic Node's complete design in simulation, driven over the SPI pins as its RP2040 would."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.boards import load_board
from liteformer.boards.target import ProjectBuilder
from liteformer.flow.common.inputs import random_windows

BENCH = Path(__file__).with_name("elastic_node_tb.v")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Callable(expected) -> finished process of the bench; the simulator is built once."""
    folder = tmp_path_factory.mktemp("node")
    model = random_model(np.random.default_rng(2), window=3, features=2, d_model=8, bits=4, outputs=2)
    raw = random_windows(model, 1, 1)
    soc = load_board("elastic_node_v5").BaseSoC(LiteFormerCore(compile_model(model)))
    ProjectBuilder(soc, output_dir=str(folder)).build(run=False)
    gateware = folder / "gateware"
    registers = {name: entry["addr"] for name, entry in json.loads((folder / "csr.json").read_text())["csr_registers"].items()}
    defines = {"TOKENS": 3, "FEATURES": 2, "OUTPUTS": 2, "WINDOW": f"32'h{soc.bus.regions['liteformer'].origin:08x}"}
    defines |= {name: f"32'h{registers[register]:08x}" for name, register in (
        ("IDENTIFIER", "liteformer_identifier"), ("CONTROL", "liteformer_control"), ("STATUS", "liteformer_status"),
        ("LEDS", "leds_out"))}
    (gateware / "elastic_node_tb.vh").write_text("".join(f"`define {name} {value}\n" for name, value in defines.items()))
    shutil.copy(BENCH, gateware)
    write_hex(gateware / "samples.hex", raw)
    subprocess.run(["verilator", "--binary", "--timing", "--top-module", "elastic_node_tb", "-Wno-lint", "-Wno-style",
                    "-Wno-TIMESCALEMOD", "-Wno-MULTIDRIVEN", "-Wno-COMBDLY", "-Wno-fatal", "-MAKEFLAGS",
                    "CURDIR=. VM_PARALLEL_BUILDS=0 OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0", "elastic_node_tb.v",
                    "liteformer_soc.v"], cwd=gateware, check=True, capture_output=True)

    def run(change=0):
        write_hex(gateware / "expected.hex", golden.infer(model, raw) + change)
        return subprocess.run(["obj_dir/Velastic_node_tb"], cwd=gateware, capture_output=True, text=True, check=False)
    return run


def write_hex(path, values):
    path.write_text("".join(f"{int(value) & 0xFFFFFFFF:08x}\n" for value in np.ravel(values)))


def test_an_inference_over_spi(bench):
    result = bench()
    assert (result.returncode, "PASS" in result.stdout) == (0, True), result.stdout + result.stderr


def test_a_wrong_output_is_seen(bench):
    """Negative control."""
    result = bench(change=1)
    assert result.returncode != 0 and "2 outputs differ" in result.stdout + result.stderr
