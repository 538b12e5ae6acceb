# SPDX-License-Identifier: BSD-2-Clause
"""Which CPUs can be built; what of VexRiscv's Verilog is changed, and when."""

import re
from pathlib import Path

import pytest
from litex.soc.cores.cpu import CPUS
from litex.soc.cores.cpu.serv.core import SERV
from litex.soc.cores.cpu.vexriscv.core import CPU_VARIANTS, VexRiscv
from pythondata_cpu_vexriscv import data_location

from liteformer.soc import cpu as cpu_module
from liteformer.soc.cpu import SUPPORTED_CPUS, check_cpu, shorten_paths
from liteformer.soc.platform import simulation_platform
from liteformer.soc.vexriscv import CHANGES, SELECTED, shortened

from ..refusal import refusal


def sources(cpu_class, variant):
    """Verilog that a CPU brings along, after the change."""
    platform = simulation_platform()
    cpu = cpu_class(platform, variant)
    cpu.set_reset_address(0)
    shorten_paths(cpu)
    cpu.finalize()
    return [Path(source[0]) for source in platform.sources]


def original(variant):
    """Verilog of a VexRiscv as it comes."""
    return (Path(data_location) / f"{CPU_VARIANTS[variant]}.v").read_text()


def applied(text):
    """Names of the changes that apply to a Verilog."""
    return [change.__name__ for change in CHANGES if change(text) != text]


ALL = ["distributed", "read_in_decode", "operands_in_decode", "waits_alike", "mepc_chosen", "pending_chosen"]


@pytest.mark.parametrize("variant", CPU_VARIANTS)
def test_changes_that_apply(variant):
    """A Verilog whose text no longer matches would be slower without a word."""
    kind = variant.partition("+")[0]
    assert applied(original(variant)) == {"minimal": ALL, "lite": ["distributed", "waits_alike"]}.get(kind, ["distributed"])


def test_every_part_of_a_change_applies():
    """Both ports and both operands' registers, both counters; and what is selected in decode goes nowhere else."""
    before, after = original("minimal"), shortened(original("minimal"))
    there = set(before.splitlines())
    lines = [line for line in after.splitlines() if line not in there]
    assert sum("= RegFilePlugin_regFile[decode_INSTRUCTION[" in line for line in lines) == 2
    assert "HazardSimplePlugin_writeBackBuffer_valid)" not in after and after.count("if(1'b0) begin") == 2
    assert after.count("case(decode_SRC") == before.count("case(decode_SRC") + 2
    assert sum("(IBusSimplePlugin_pending_value - 3'd1)" in line for line in lines) == 2
    selected = rf"\b({SELECTED})\b"
    assert not [line for line in after.splitlines() if re.search(rf"^ *(assign )?({SELECTED}) = .*\bexecute_", line)]
    assert [line.split()[0] for line in after.splitlines() if "<=" in line and re.search(selected, line.split("<=")[1])] == [
        "decode_to_execute_SRC1", "decode_to_execute_SRC2"]
    assert "assign _zz_execute_SRC2 = execute_PC;" in after


@pytest.mark.parametrize("change, old, new", [
    ("read_in_decode", "assign decode_INSTRUCTION = ", "assign decode_INSTRUCTION =  "),
    ("operands_in_decode", "assign execute_SRC1 = ", "assign execute_SRC1 =  "),
    ("operands_in_decode", "= _zz_execute_SRC2;", "=  _zz_execute_SRC2;"),
    ("operands_in_decode", "case(execute_SRC1_CTRL)\n      `Src1Ctrl", "case(execute_SRC1_CTRL)\n `Src1Ctrl :"),
    ("mepc_chosen", "CsrPlugin_mepc <= writeBack_PC", "CsrPlugin_mepc <=  writeBack_PC"),
    ("mepc_chosen", "if(execute_CsrPlugin_csr_833) begin\n      if", "if(execute_CsrPlugin_csr_833) begin\n if"),
    ("waits_alike", "&& (! dBus_cmd_ready)) && (! exec", "&& (! dBus_cmd_ready)) && (!  exec"),
])
def test_a_text_that_is_not_as_expected_stays(change, old, new):
    """Negative control; a change that applies in part only would be another CPU."""
    text = original("minimal").replace(old, new)
    assert text != original("minimal") and applied(text) == [name for name in ALL if name != change]


@pytest.mark.parametrize("variant, name", [("minimal", "VexRiscv_Min.v"), ("lite", "VexRiscv_Lite.v")])
def test_a_changed_file_is_written_once(monkeypatch, tmp_path, variant, name):
    """A second SoC takes the same file; without a change it is that of the package."""
    monkeypatch.setenv("LITEFORMER_CACHE", str(tmp_path))
    changed, = sources(VexRiscv, variant)
    assert changed.name == name and changed.is_relative_to(tmp_path)
    assert changed.read_text() == shortened(original(variant))
    written = changed.stat().st_mtime_ns
    assert sources(VexRiscv, variant) == [changed] and changed.stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]
    monkeypatch.setattr(cpu_module, "shortened", lambda text: text)
    unchanged, = sources(VexRiscv, variant)
    assert unchanged == Path(data_location) / name


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
    ("ibex", "the CPU ibex needs the package pythondata-cpu-ibex; install it with `pip install "
             "pythondata-cpu-ibex==0.0.post2218`"),
    ("rocket", "the CPU rocket has a bus of 64 bits, on which the firmware has not run; choose another one, tested are "
               "vexriscv and serv"),
    ("picorv32", "the CPU picorv32 needs the package pythondata-cpu-picorv32; install it with `pip install "
                 "pythondata-cpu-picorv32`"),
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
    monkeypatch.setattr(cpu_module, "version", lambda package: "0.0.post2218")
    check_cpu("ibex")


def test_a_package_that_does_not_fit_litex(monkeypatch):
    monkeypatch.setattr(cpu_module, "find_spec", lambda package: package)
    monkeypatch.setattr(cpu_module, "version", lambda package: "0.0.post2937")
    assert refusal(check_cpu, "ibex") == (
        "pythondata-cpu-ibex 0.0.post2937 has other files and ports than LiteX expects; install the last one that fits with "
        "`pip install pythondata-cpu-ibex==0.0.post2218`")
    check_cpu("picorv32")


def test_minerva_needs_amaranth(monkeypatch):
    monkeypatch.setattr(cpu_module, "find_spec", lambda package: package if package != "amaranth_soc" else None)
    monkeypatch.setattr(cpu_module, "version", lambda package: "1")
    assert refusal(check_cpu, "minerva") == (
        "the CPU minerva is written in Amaranth and needs the package amaranth_soc; install amaranth 0.5 from the index and "
        "amaranth-soc from its repository, or choose another CPU")
