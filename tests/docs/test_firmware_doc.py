# SPDX-License-Identifier: BSD-2-Clause
"""The memory budget of docs/firmware.md is what the compiler makes today."""

import re
from pathlib import Path

import numpy as np
import pytest

from liteformer.accel.compiler import compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.soc.generate import write_verilog
from liteformer.soc.platform import simulation_platform
from liteformer.soc.soc import LiteFormerSoC

DOCUMENT = Path(__file__).parents[2] / "docs" / "firmware.md"


def documented():
    """Dict of (first application, CPU) -> bytes of ROM."""
    rows = re.findall(r"^\|[^|]*?`(\w+\.c)`[^|]*\| ([\d,]+) \| ([\d,]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {(name, cpu): int(size.replace(",", "")) for name, *sizes in rows for cpu, size in zip(("vexriscv", "serv"), sizes)}


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
@pytest.mark.parametrize("applications", [("main.c", "protocol.c"), ("alarm.c",)], ids=["protocol", "alarm"])
def test_sizes(tmp_path, cpu, applications):
    """Within 2 %: the compiler's release may differ."""
    core = LiteFormerCore(compile_model(random_model(np.random.default_rng(1), window=12, features=7, d_model=4, bits=4)))
    soc = LiteFormerSoC(simulation_platform(), 1e8, core, cpu_type=cpu, applications=applications)
    write_verilog(soc, tmp_path)
    assert len(soc.firmware) == pytest.approx(documented()[applications[0], cpu], rel=0.02)


def test_the_table_is_found():
    assert len(documented()) == 4
