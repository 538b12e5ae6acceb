# SPDX-License-Identifier: BSD-2-Clause
"""Core and driver in LiteX SoCs as people have them: other CPUs, and buses of other kinds in a plain SoCCore. The table of
docs/integration.md says what is here."""

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import hardware
from liteformer.soc.integration import add_liteformer

from ..plain_soc import PlainSoC, infer

SOCS = {
    "Wishbone": {},
    "VexRiscv full": {"cpu_variant": "full"},
    "SERV": {"cpu_type": "serv", "cpu_variant": "standard"},
    "registers, little order": {"csr_ordering": "little"},
    "registers of 8 bits": {"csr_data_width": 8},
    "registers of 8 bits, AXI-Lite": {"csr_data_width": 8, "bus_standard": "axi-lite"},
    "AXI-Lite": {"bus_standard": "axi-lite"},
    "AXI": {"bus_standard": "axi"},
    "bus of 64 bits": {"bus_data_width": 64},
    "crossbar": {"bus_interconnect": "crossbar"},
}


class SoC(PlainSoC):
    """With the core of a model file or QuantizedModel."""

    model = None

    def add_core(self):
        add_liteformer(self, self.model)


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
    monkeypatch.setattr(SoC, "options", SOCS[name])
    monkeypatch.setattr(SoC, "model", model)
    assert infer(monkeypatch, tmp_path, SoC, raw[0]) == expected


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["picorv32", "cv32e40p", "ibex", "minerva"])
def test_firmware_on_another_cpu(cpu):
    """Protocol, driver and core; the driver polls. Minerva needs a package that `make setup` does not install."""
    wanted = [f"pythondata_cpu_{cpu}", *(("amaranth", "amaranth_soc") if cpu == "minerva" else ())]
    missing = [package for package in wanted if find_spec(package) is None]
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    model, raw = small()
    figures, _ = hardware.run_soc(model, hardware.compile_model(model), raw, cpu)
    assert figures["mismatches"] == 0 and figures["windows"] == 4


def test_the_table_of_the_document():
    """Names every SoC that is tested here or where it says, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "integration.md").read_text()
    rows = re.findall(r"^\| ([^|]+?) \| passed", text, re.MULTILINE)
    elsewhere = {"two cores", "clock domain", "UARTbone", "Etherbone"}
    assert set(rows) == set(SOCS) | elsewhere | {"PicoRV32", "CV32E40P", "Ibex", "Minerva"}
