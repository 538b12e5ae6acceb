# SPDX-License-Identifier: BSD-2-Clause
"""The core in a LiteX SoC that knows nothing else of LiteFormer: one call, then the Verilog and the map of its bus."""

import argparse
from pathlib import Path

import numpy as np
from litex.build.io import CRG
from litex.soc.integration.soc_core import SoCCore

from liteformer.accel.random_model import random_model
from liteformer.soc.generate import write_verilog
from liteformer.soc.integration import add_liteformer
from liteformer.soc.platform import simulation_platform

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", help="directory of a trained model; random weights if left out")
parser.add_argument("--out", default="build/litex_soc")
arguments = parser.parse_args()

platform = simulation_platform("serial")
soc = SoCCore(platform, 100e6, cpu_type="vexriscv", cpu_variant="lite", uart_name="serial", integrated_rom_size=32768,
              integrated_sram_size=4096)
soc.crg = CRG(platform.request("sys_clk"))
model = arguments.model or random_model(np.random.default_rng(1), window=12, features=3, d_model=16, bits=4)
core = add_liteformer(soc, model)
design = write_verilog(soc, Path(arguments.out))
region = soc.bus.regions["liteformer"]
print(f"{design.top}: window of the core at 0x{region.origin:08x}, registers at 0x{soc.csr.regions['liteformer'].origin:08x}, "
      f"{core.compiled.cycles} cycles an inference")
