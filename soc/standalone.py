# SPDX-License-Identifier: BSD-2-Clause
"""The core for a system without LiteX: one Verilog module with a Wishbone port and an interrupt, and its test bench.

The port is 8 KiB: the window at 0x0000, the registers at 0x1000.
"""

import contextlib
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from litex.build.generic_platform import GenericPlatform, Pins
from litex.soc.integration import export
from litex.soc.integration.soc import SoCCSRRegion, SoCRegion
from litex.soc.interconnect import csr_bus, wishbone
from migen import *

from litex.gen import *

import liteformer.sw
from liteformer.accel.core import IDENTIFIER, WINDOW_BYTES, LiteFormerCore
from liteformer.soc.integration import WAIT_LOOPS, is_pumped
from liteformer.soc.model_header import model_header
from liteformer.soc.quiet import quiet
from liteformer.soc.registers import CORE_HEADER, WINDOW, register_table

NAME         = "liteformer_core"
CSR_ORIGIN   = WINDOW_BYTES
PORT_BYTES   = 2*WINDOW_BYTES
BENCH        = Path(__file__).with_name("standalone_tb.v")
MAKEFILE     = Path(__file__).with_name("standalone.mk")
DRIVER       = Path(liteformer.sw.__file__).parent
DRIVER_FILES = ("liteformer.c", "liteformer.h", "decision.c", "decision.h", "loading.c", "loading.h")

# The file that LiteX's csr.h includes, for use without LiteX's software.
ACCESSORS = """#ifndef HW_COMMON_H
#define HW_COMMON_H

#include <stdint.h>

static inline void csr_write_simple(unsigned long value, unsigned long address)
{
	*(volatile uint32_t *)address = value;
}

static inline unsigned long csr_read_simple(unsigned long address)
{
	return *(volatile uint32_t *)address;
}

#endif
"""

# StandaloneCore -----------------------------------------------------------------------------------

class StandaloneCore(LiteXModule):
    """LiteFormerCore with window and registers behind one Wishbone port.

    Args:
        compiled: CompiledModel.
    Attributes:
        bus: Wishbone slave, 32 bits, word addressed, ``PORT_BYTES`` long. irq: high while an enabled event is pending.
        registers: list of the core's CSRs in address order.
    """

    def __init__(self, compiled):
        self.liteformer = core = LiteFormerCore(compiled)
        self.bus        = wishbone.Interface(data_width=32, adr_width=log2_int(PORT_BYTES//4), addressing="word")
        self.irq        = core.ev.irq

        # # #

        self.bridge   = bridge = wishbone.Wishbone2CSR(
            bus_wishbone = wishbone.Interface(data_width=32, adr_width=log2_int(WINDOW_BYTES//4), addressing="word"),
            bus_csr      = csr_bus.Interface(data_width=32, address_width=14))
        self.decoder  = wishbone.Decoder(self.bus, [
            (lambda address: ~address[-1], core.bus),
            (lambda address:  address[-1], bridge.wishbone)])
        bank          = csr_bus.CSRBankArray(self, lambda name, memory: 0 if name == "liteformer" else None,
            data_width=32, address_width=14)
        self.bank     = bank
        self.csr      = csr_bus.InterconnectShared([bridge.csr], bank.get_buses())
        self.registers = bank.banks[0][1]

    def connect(self, platform):
        """Connect clock, reset, interrupt and bus to the pins of a platform."""
        self.cd_sys = ClockDomain()
        self.comb += [
            self.cd_sys.clk.eq(platform.request("clk")),
            self.cd_sys.rst.eq(platform.request("rst")),
            platform.request("irq").eq(self.irq),
            *self.bus.connect_to_pads(platform.request("wb"), mode="slave"),
        ]
        if is_pumped(self.liteformer):
            self.cd_sys2x = ClockDomain(reset_less=True)
            self.comb += self.cd_sys2x.clk.eq(platform.request("clk2x"))

# Files --------------------------------------------------------------------------------------------

def core_verilog(core, directory):
    """Write the module of a StandaloneCore and its memory images; returns the names of the files."""
    clock = [("clk", 0, Pins(1)), ("rst", 0, Pins(1)), ("irq", 0, Pins(1)), *core.bus.get_ios("wb")]
    if is_pumped(core.liteformer):
        clock.append(("clk2x", 0, Pins(1)))
    platform = GenericPlatform("", clock, name=NAME)
    core.connect(platform)
    with quiet(), contextlib.chdir(directory):
        fragment = core.get_fragment()
        platform.finalize(fragment)
        output = platform.get_verilog(fragment, name=NAME)
        output.write(f"{NAME}.v")
    return [f"{NAME}.v", *output.data_files]


def _register_maps(core, directory):
    """JSON, SVD and Markdown of the registers, C headers and the driver."""
    registers = {"liteformer": SoCCSRRegion(CSR_ORIGIN, 32, core.registers)}
    memories  = {"liteformer": SoCRegion(origin=0, size=WINDOW_BYTES, cached=False),
                 "csr": SoCRegion(origin=CSR_ORIGIN, size=WINDOW_BYTES, cached=False)}
    constants = {"CONFIG_CSR_DATA_WIDTH": 32, "CONFIG_CSR_ALIGNMENT": 32, "LITEFORMER_WAIT_LOOPS": WAIT_LOOPS}
    described = SimpleNamespace(csr=SimpleNamespace(regions=registers, data_width=32, ordering="big"),
                                irq=SimpleNamespace(locs={}), mem_regions=memories, constants=constants)
    (directory/"csr.json").write_text(export.get_csr_json(csr_regions=registers, constants=constants, mem_regions=memories))
    (directory/f"{NAME}.svd").write_text(export.get_csr_svd(described, vendor="LiteFormer", name=NAME,
                                                            description="LiteFormer core, stand-alone"))
    (directory/"registers.md").write_text(CORE_HEADER + WINDOW + register_table(core.registers, CSR_ORIGIN))
    software = directory/"software"
    for name, text in {
            "generated/csr.h": export.get_csr_header(registers, constants, csr_base=CSR_ORIGIN),
            "generated/mem.h": export.get_mem_header(memories),
            "generated/soc.h": export.get_soc_header(constants),
            "generated/model.h": model_header(core.liteformer.compiled),
            "system.h": "/* LiteX's csr.h includes this file; nothing is needed from it here. */\n",
            "hw/common.h": ACCESSORS}.items():
        (software/name).parent.mkdir(parents=True, exist_ok=True)
        (software/name).write_text(text)
    for source in DRIVER_FILES:
        shutil.copyfile(DRIVER/source, software/source)


def _hex(path, values):
    path.write_text("".join(f"{int(value) & 0xFFFFFFFF:08x}\n" for value in np.ravel(values)))


def _bench(core, directory, raw, expected):
    """Test bench, its stimuli and the Makefile that runs it."""
    config, address = core.liteformer.compiled.model.config, CSR_ORIGIN
    defines = {"WINDOWS": len(raw), "ROWS": config.window, "FEATURES": config.features, "OUTPUTS": config.outputs,
               "IDENTIFIER": f"32'h{IDENTIFIER:08x}", "MODEL_ID": f"32'h{core.liteformer.compiled.model.id[:8]}",
               "CYCLE_LIMIT": 4*core.liteformer.compiled.cycles + 1000}
    for csr in core.registers:
        defines[f"ADR_{csr.name.upper()}"] = f"11'h{address//4:03x}"
        address += 4*((csr.size + 31)//32)
    if is_pumped(core.liteformer):
        defines["PUMPED"] = 1
    (directory/f"{NAME}_tb.vh").write_text("".join(f"`define {name} {value}\n" for name, value in defines.items()))
    _hex(directory/"samples.hex", raw)
    _hex(directory/"expected.hex", expected)
    shutil.copyfile(BENCH, directory/f"{NAME}_tb.v")
    shutil.copyfile(MAKEFILE, directory/"Makefile")


def write_core(compiled, directory, raw, expected):
    """Write the stand-alone core with memory images, register map, driver and self-checking test bench.

    Args:
        compiled: CompiledModel. directory: an existing folder.
        raw: integers ``(N, window, features)`` that the test bench pushes; expected: integers ``(N, outputs)``.
    Returns:
        list of the names of the Verilog file and the memory images.
    """
    directory = Path(directory)
    core  = StandaloneCore(compiled)
    files = core_verilog(core, directory)
    _register_maps(core, directory)
    _bench(core, directory, raw, expected)
    return files
