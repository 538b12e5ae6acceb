# SPDX-License-Identifier: BSD-2-Clause
"""The whole SoC: real windows through serial line, firmware and core, every output compared with the golden model."""

from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.soc.platform import simulation_platform
from liteformer.soc.simulation import Simulation
from liteformer.soc.soc import LiteFormerSoC


def model_of(**changes):
    shape = {"window": 6, "features": 7, "d_model": 16, "bits": 4, "outputs": 2, "heads": 2}
    return random_model(np.random.default_rng(3), **shape | changes)


def samples(model, count):
    """Raw windows of a running series whose quantized values use the whole input range."""
    rng = np.random.default_rng(4)
    config = model.config
    series = rng.integers(-40_000, 40_000, (count + config.window - 1, config.features))
    return np.lib.stride_tricks.sliding_window_view(series, (config.window, config.features))[:, 0]


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
def test_every_output_equals_the_golden_model(model, cpu):
    raw = samples(model, 64 if cpu == "vexriscv" else 4)
    with Simulation(compile_model(model), cpu=cpu) as simulation:
        result = simulation.infer(raw)
        info = simulation.client.info()
    expected = golden.infer(model, raw)
    assert len(np.unique(expected)) > len(raw) / 2
    assert np.array_equal(result.outputs, expected)
    assert (result.accelerator_cycles == result.accelerator_cycles[0]).all()
    assert info.model_id == model.id[:8]
    if cpu == "vexriscv":
        assert (result.end_to_end_cycles - result.accelerator_cycles).max() <= 300


@pytest.mark.parametrize("shape", [{"window": 24, "patch": 12, "stride": 1, "features": 3}], ids=str)
def test_patches(shape):
    """A running series: one row pushed, next forecast, more of them than a window has."""
    model = model_of(**shape)
    raw = samples(model, 40)
    with Simulation(compile_model(model)) as simulation:
        result, info = simulation.infer(raw), simulation.client.info()
    expected = golden.infer(model, raw)
    assert info.window == model.config.window and len(np.unique(expected)) > len(raw) / 2
    assert np.array_equal(result.outputs, expected) and (result.outputs[1:] != expected[:-1]).any()


def test_one_wrong_weight_is_seen(model):
    tensors = {name: tensor.copy() for name, tensor in model.tensors.items()}
    weight = tensors["layers.0.value.weight"]
    weight[0, 0] += 1 if weight[0, 0] <= 0 else -1
    raw = samples(model, 64)
    with Simulation(compile_model(replace(model, tensors=tensors))) as simulation:
        outputs = simulation.infer(raw).outputs
    assert (outputs != golden.infer(model, raw)).any()


ABSENT = """#include "liteformer.h"
int main(void)
{
	uart_rxtx_write('a');
	uart_rxtx_write((uint8_t)*(volatile uint32_t *)0x50000000);
	uart_rxtx_write('z');
	return 0;
}
"""


@pytest.mark.parametrize("bus_timeout, sent", [(None, b"a"), (500, b"a\xffz")])
def test_an_access_that_nothing_answers(simulate, tmp_path, bus_timeout, sent):
    """The CPU waits for ever, or LiteX answers with ones, also through the registered reply."""
    (tmp_path / "absent.c").write_text(ABSENT)
    simulation = simulate(applications=(tmp_path / "absent.c",), bus_timeout=bus_timeout)
    assert simulation.run(20_000, 3) == sent


def test_a_rom_is_read_from_one_side_where_block_rams_have_one_port():
    small = model_of(d_model=8, heads=1, outputs=1, readout="last")
    for device, separate in (("xc7s15", True), ("ice40up5k", False)):
        core = LiteFormerCore(compile_model(small, HardwareOptions(device=device)))
        soc = LiteFormerSoC(simulation_platform("sim"), 100e6, core, cpu_type="serv")
        assert hasattr(soc, "rom_fetch") is separate
