# SPDX-License-Identifier: BSD-2-Clause
"""Which CPUs can be built; the register file in LUTs."""

from pathlib import Path

import pytest
from litex.soc.cores.cpu import CPUS
from litex.soc.cores.cpu.serv.core import SERV
from litex.soc.cores.cpu.vexriscv.core import VexRiscv

from liteformer.soc import cpu as cpu_module
from liteformer.soc.cpu import SUPPORTED_CPUS, check_cpu, registers_in_luts
from liteformer.soc.platform import simulation_platform

from ..refusal import refusal


def sources(cpu_class, variant):
    """Verilog that a CPU brings along, after the change."""
    platform = simulation_platform()
    cpu = cpu_class(platform, variant)
    cpu.set_reset_address(0)
    registers_in_luts(cpu)
    cpu.finalize()
    return [Path(source[0]) for source in platform.sources]


@pytest.mark.parametrize("variant, name", [("minimal", "VexRiscv_Min.v"), ("lite", "VexRiscv_Lite.v")])
def test_register_file_is_distributed(monkeypatch, tmp_path, variant, name):
    """One attribute differs from the original, nothing else; a second SoC takes the same file."""
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path))
    changed, = sources(VexRiscv, variant)
    assert changed.name == name and changed.is_relative_to(tmp_path)
    monkeypatch.setattr("liteformer.soc.cpu.IN_BLOCK_RAM", "never there")
    original, = sources(VexRiscv, variant)
    assert not original.is_relative_to(tmp_path)
    pairs = list(zip(original.read_text().splitlines(), changed.read_text().splitlines(), strict=True))
    different = [(old, new) for old, new in pairs if old != new]
    assert len(different) == 1
    assert different[0][0].replace('"block"', '"distributed"') == different[0][1] and "RegFilePlugin_regFile" in different[0][0]
    monkeypatch.undo()
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path))
    assert sources(VexRiscv, variant) == [changed]
    assert len(list((tmp_path / "cpu").iterdir())) == 1


def test_other_cpus_stay(monkeypatch, tmp_path):
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path))
    assert sources(SERV, "standard")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SUPPORTED_CPUS)
def test_supported_cpus_are_there(name):
    check_cpu(name)


@pytest.mark.parametrize("name, sentence", [
    ("femtorv", "LiteX downloads the CPU femtorv from the network while it builds, which LiteFormer does not do; choose "
                "another one, tested are vexriscv and serv"),
    ("ibex", "the CPU ibex needs the package pythondata-cpu-ibex; install it with `pip install pythondata-cpu-ibex`"),
    ("zynq7000", "the CPU zynq7000 is a block of certain chips, not gateware; choose another one, tested are vexriscv and "
                 "serv"),
    ("lm32", "the CPU lm32 is big-endian, but the firmware takes the serial protocol's little-endian words as they are; choose "
             "another one, tested are vexriscv and serv"),
    ("nonesuch", "no CPU nonesuch; tested are vexriscv and serv, any other little-endian CPU of LiteX with a 32-bit Wishbone "
                 "bus may serve"),
])
def test_cpus_that_cannot_be_built(name, sentence, monkeypatch):
    monkeypatch.setattr(cpu_module, "find_spec", lambda package: None)
    assert refusal(check_cpu, name) == sentence


def test_every_big_endian_cpu_is_refused(monkeypatch):
    """The ones of LiteX, installed or not; the same CPU is not refused for that where it is little-endian."""
    monkeypatch.setattr(cpu_module, "find_spec", lambda package: package)
    big = [name for name, cpu in CPUS.items() if getattr(cpu, "endianness", "little") == "big" and cpu.category == "softcore"]
    assert {"lm32", "mor1kx"} <= set(big)
    for name in big:
        assert "is big-endian" in refusal(check_cpu, name)
    monkeypatch.setattr(CPUS["lm32"], "endianness", "little")
    check_cpu("lm32")


def test_a_package_that_is_there_is_seen(monkeypatch):
    """Negative control."""
    monkeypatch.setattr(cpu_module, "find_spec", lambda package: package == "pythondata_cpu_ibex" or None)
    check_cpu("ibex")
