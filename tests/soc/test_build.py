# SPDX-License-Identifier: BSD-2-Clause
"""Applications that need libgcc, and what is shown of the linker's words."""

import re
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.soc import LiteFormerSoC
from liteformer.sw.build import find_libgcc

from ..refusal import refusal
from .stand_in import StandInCore

TRIPLE = "riscv64-unknown-elf"
ARITHMETIC = Path(__file__).with_name("arithmetic.c")


def soc(**options):
    return LiteFormerSoC(simulation_platform(), 1e8, StandInCore(), **options)


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
def test_an_application_multiplies_and_divides(simulate, cpu):
    product = -30011 * 7001
    remainder = -(-product // 13 % 1009)  # C rounds towards zero.
    expected = struct.pack("<iI", remainder, 0xFEDCBA9876543210 // 1009 & 0xFFFFFFFF)
    assert simulate(cpu=cpu, applications=(ARITHMETIC,)).run(200_000, 8) == expected


@pytest.mark.parametrize(("march", "folder"), [
    ("rv32i2p0", "rv32i"), ("rv32i", "rv32i"), ("rv32i2p0_m", "rv32im"), ("rv32i2p0_mac", "rv32imac"), ("rv32imac", "rv32imac"),
    ("rv32i2p0_ma", "rv32i[am]"), ("rv32im2p0_zicsr2p0_zifencei2p0", "rv32im")])
def test_libgcc_is_that_of_the_architecture(march, folder):
    """LiteX's names of architectures, and GCC's own; rv32ima has no libgcc of its own."""
    path = find_libgcc(TRIPLE, SimpleNamespace(gcc_flags=f"-march={march}   -mabi=ilp32 -D__cpu__"))
    assert re.search(f"/{folder}/ilp32/libgcc.a$", path)


def test_the_compiler_alone_takes_another_libgcc():
    """Negative control: what LiteX's name of the architecture leads to."""
    flags = ["-march=rv32i2p0", "-mabi=ilp32", "-print-libgcc-file-name"]
    plain = subprocess.run([f"{TRIPLE}-gcc", *flags], capture_output=True, text=True, check=True).stdout.strip()
    assert not re.search("/rv32i.*/libgcc.a$", plain)


def test_the_linkers_own_words_are_shown(tmp_path):
    (tmp_path / "open.c").write_text("int here(void), there(void); int main(void) { return here() + there() + here(); }")
    assert refusal(write_verilog, soc(applications=(tmp_path / "open.c",)), tmp_path) == (
        "the firmware does not link: undefined reference to `here'; undefined reference to `there'")
    for name in ("one.c", "two.c"):
        (tmp_path / name).write_text("int main(void) { return 0; }")
    assert "multiple definition of `main'" in refusal(
        write_verilog, soc(applications=(tmp_path / "one.c", tmp_path / "two.c")), tmp_path)


def test_a_missing_file_is_named(tmp_path):
    assert refusal(write_verilog, soc(applications=(tmp_path / "absent.c",)), tmp_path).endswith(
        f"{tmp_path / 'absent.c'}: No such file or directory")
