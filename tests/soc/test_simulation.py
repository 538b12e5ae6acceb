# SPDX-License-Identifier: BSD-2-Clause
"""The simulator: traces, cache of builds, speed."""

import os
import re
from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.random_model import random_model
from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.simulation import Simulation
from liteformer.soc.soc import LiteFormerSoC
from liteformer.soc.verilate import build_simulator

from .stand_in import StandInCore


def test_trace_is_written(simulate, core, windows, tmp_path):
    path = tmp_path / "trace.fst"
    simulation = simulate(trace=path)
    assert np.array_equal(simulation.infer(windows[:2]).outputs, core.expected(windows[:2]))
    simulation.close()
    data = path.read_bytes()
    assert data[0] == 0 and len(data) > 10_000  # an FST file begins with its header block, type 0


def test_two_simulations_do_not_disturb_each_other(core, windows):
    other = StandInCore(4, 3, 2)
    with Simulation(core) as first, Simulation(other) as second:
        first.client.push(windows[0, :3])
        second.client.push(windows[7, :3])
        assert np.array_equal(first.client.infer(windows[0, 3:]).outputs, core.expected(windows[:1])[0])
        assert np.array_equal(second.client.infer(windows[7, 3:]).outputs, core.expected(windows[7:8])[0])


def test_memory_contents_need_no_new_build(tmp_path):
    built = set()
    for image in (bytes(8), bytes([1] * 8)):
        soc = LiteFormerSoC(simulation_platform(), 1e8, StandInCore(), firmware=image)
        built.add(build_simulator(write_verilog(soc, tmp_path / image.hex())))
    assert len(built) == 1


def test_working_directory_is_left_alone(simulate, windows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    simulate().infer(windows[:1])
    assert Path.cwd() == tmp_path and not os.listdir(tmp_path)


def test_pumped_lanes(tmp_path):
    """The second clock in Verilator; negative control: a SoC whose second clock is the first one answers wrongly."""
    model = random_model(np.random.default_rng(2), window=4, features=2, d_model=4, bits=4, readout="mean")
    compiled = compile_model(model, HardwareOptions(pump=True, columns=2))
    assert compiled.hw.quads
    raw = np.random.default_rng(3).integers(-1 << 20, 1 << 20, (3, 4, 2))
    for wrong in (False, True):
        def remake(design, wrong=wrong):
            text = design.top.read_text()
            changed = re.sub(r"(assign sys2x_clk_1 = )sys2x_clk;", r"\1sys_clk;", text)
            assert changed != text
            if wrong:
                design.top.write_text(changed)
            return design
        with Simulation(compiled, level=0, remake=remake) as simulation:
            result = simulation.infer(raw)
        assert (result.outputs.tolist() == golden.infer(model, raw).tolist()) is not wrong
        assert result.accelerator_cycles.tolist() == [compiled.cycles] * 3


def test_speed_is_measured(simulate, windows):
    result = simulate().infer(windows)
    assert result.cycles_per_second == result.cycles / result.seconds
