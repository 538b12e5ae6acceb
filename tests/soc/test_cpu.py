"""The CPU's register file in LUTs, and the registers on the way from the CPU to the core's."""

from pathlib import Path

import pytest
from litex.soc.cores.cpu.serv.core import SERV
from litex.soc.cores.cpu.vexriscv.core import VexRiscv

from liteformer.soc.cpu import registers_in_luts
from liteformer.soc.platform import simulation_platform


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
