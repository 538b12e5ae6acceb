# SPDX-License-Identifier: BSD-2-Clause
"""Core and driver in LiteX SoCs as people have them: other CPUs, and buses of other kinds in a plain SoCCore. The table of
docs/integration.md says what is here."""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from litex.build.io import CRG
from litex.soc.integration.soc_core import SoCCore

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware
from liteformer.soc import simulation
from liteformer.soc.integration import add_liteformer
from liteformer.soc.quiet import quiet
from liteformer.sw.build import build_firmware

APPLICATION = """
#include "liteformer.h"
static const int32_t rows[][2] = {%s};
int main(void)
{
	liteformer_init();
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(rows[step]);
	uint32_t word = liteformer_infer() == LITEFORMER_OK ? (uint32_t)liteformer_result(0) : 0xffffffff;
	for (int byte = 0; byte < 4; byte++)
		uart_rxtx_write((word >> 8 * byte) & 0xff);
	return 0;
}
"""
ROM = 16384
SOCS = {
    "Wishbone": {},
    "VexRiscv full": {"cpu_variant": "full"},
    "SERV": {"cpu_type": "serv", "cpu_variant": "standard"},
    "registers, little order": {"csr_ordering": "little"},
    "AXI-Lite": {"bus_standard": "axi-lite"},
    "AXI": {"bus_standard": "axi"},
    "bus of 64 bits": {"bus_data_width": 64},
    "crossbar": {"bus_interconnect": "crossbar"},
}


class PlainSoC(SoCCore):
    """A SoC of LiteX's own making with the core in it; ``options``: of SoCCore."""

    options, application, model = {}, None, None

    def __init__(self, platform, clock, core, **_):
        self.crg = CRG(platform.request("sys_clk"))
        with quiet():
            SoCCore.__init__(self, platform, clock, uart_name="sim", integrated_rom_size=ROM, integrated_sram_size=8192,
                             **{"cpu_variant": "lite"} | self.options)
            add_liteformer(self, self.model)

    def compile_firmware(self, include):
        """Called when the Verilog is written."""
        image = build_firmware(include, self.cpu, ROM, (self.application,))
        size = self.rom.mem.width // 8
        image += bytes(-len(image) % size)
        self.init_rom("rom", [int.from_bytes(image[i:i + size], "little") for i in range(0, len(image), size)], auto_size=False)


def small():
    """A model and a window."""
    model = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
    return model, np.random.default_rng(6).integers(-30_000, 30_000, (4, 4, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", SOCS)
def test_one_inference(name, tmp_path, monkeypatch):
    model, raw = small()
    expected = int(golden.infer(model, raw)[0, 0])
    assert expected not in (0, -1)
    application = tmp_path / "application.c"
    application.write_text(APPLICATION % ", ".join(f"{{{a}, {b}}}" for a, b in raw[0]))
    for attribute, value in (("options", SOCS[name]), ("application", application), ("model", model)):
        monkeypatch.setattr(PlainSoC, attribute, value)
    monkeypatch.setattr(simulation, "LiteFormerSoC", PlainSoC)
    monkeypatch.setattr(simulation, "LiteFormerCore", lambda compiled: None)
    with simulation.Simulation(None) as running:
        assert int.from_bytes(running.run(400_000, 4), "little", signed=True) == expected


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["picorv32", "cv32e40p", "ibex", "minerva"])
def test_firmware_on_another_cpu(cpu):
    """Protocol, driver and core; the driver polls. Packages that are not installed by `make setup`."""
    wanted = [f"pythondata_cpu_{cpu}", *(("amaranth", "amaranth_soc") if cpu == "minerva" else ())]
    missing = [package for package in wanted if find_spec(package) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    model, raw = small()
    figures, _ = hardware.run_soc(model, hardware.compile_model(model), raw, cpu)
    assert figures["mismatches"] == 0 and figures["windows"] == 4


def test_the_table_of_the_document():
    """Names every SoC that is tested here, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "integration.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \| passed", text, re.MULTILINE)
    assert set(rows) == set(SOCS) | {"PicoRV32", "CV32E40P", "Ibex", "Minerva"}
