"""VexRiscv with its register file in LUTs: twelve RAM32M and no block RAM instead of one, which holds 36 Kb of weights."""

import hashlib
import os
from pathlib import Path

from litex.soc.cores.cpu.vexriscv.core import CPU_VARIANTS, VexRiscv
from pythondata_cpu_vexriscv import data_location

from liteformer.soc.verilate import default_cache

IN_BLOCK_RAM = '(* ram_style = "block" *) reg [31:0] RegFilePlugin_regFile'


def registers_in_luts(cpu):
    """Give a VexRiscv a copy of its Verilog that asks for distributed RAM; any other CPU stays as it is."""
    if not isinstance(cpu, VexRiscv):
        return
    name = f"{CPU_VARIANTS[cpu.variant]}.v"
    text = (Path(data_location) / name).read_text()
    if IN_BLOCK_RAM not in text:
        return
    text = text.replace(IN_BLOCK_RAM, IN_BLOCK_RAM.replace("block", "distributed"))
    # The file has to stay for as long as a project refers to it.
    path = default_cache() / "cpu" / hashlib.sha256(text.encode()).hexdigest()[:16] / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(text)
        temporary.replace(path)
    cpu.use_external_variant(str(path))
