# SPDX-License-Identifier: BSD-2-Clause
"""A SoC of LiteX's own making, its application that uses the driver, and one inference of it in simulation."""

from litex.build.io import CRG
from litex.soc.integration.soc_core import SoCCore

from liteformer.soc import simulation
from liteformer.soc.quiet import quiet
from liteformer.sw.build import build_firmware

ROM, SRAM = 16384, 8192

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


class PlainSoC(SoCCore):
    """Subclasses add the core in ``add_core()``; ``options``: of SoCCore; ``application``: C file; ``division``: cycles of the
    pin's clock in one of ``sys``."""

    options, application, division = {}, None, 1

    def __init__(self, platform, clock, core, **_):
        self.crg = self.clocks(platform.request("sys_clk"))
        with quiet():
            SoCCore.__init__(self, platform, clock, uart_name="sim", integrated_rom_size=ROM, integrated_sram_size=SRAM,
                             **{"cpu_variant": "lite"} | self.options)
            self.add_core()

    def clocks(self, pin):
        """Clock and reset generator."""
        return CRG(pin)

    def compile_firmware(self, include):
        """Called when the Verilog is written."""
        image = build_firmware(include, self.cpu, ROM, (self.application,))
        size = self.rom.mem.width // 8
        image += bytes(-len(image) % size)
        self.init_rom("rom", [int.from_bytes(image[i:i + size], "little") for i in range(0, len(image), size)], auto_size=False)


def infer(monkeypatch, folder, soc, rows):
    """Result of an inference of a window of two features, by a class like PlainSoC."""
    return run(monkeypatch, folder, soc, APPLICATION % c_rows(rows), 1)[0]


def c_rows(rows):
    """Rows of two features as an initializer in C."""
    return ", ".join(f"{{{a}, {b}}}" for a, b in rows)


def run(monkeypatch, folder, soc, text, words, cycles=400_000):
    """Signed words that the application ``text`` sends, by a class like PlainSoC."""
    application = folder / "application.c"
    application.write_text(text)
    monkeypatch.setattr(soc, "application", application)
    monkeypatch.setattr(simulation, "LiteFormerSoC", soc)
    monkeypatch.setattr(simulation, "LiteFormerCore", lambda compiled: None)
    with simulation.Simulation(None) as running:
        # The line is looked at in every cycle of the pin.
        sent = running.run(cycles * soc.division, 4 * words * soc.division)[::soc.division]
    return [int.from_bytes(sent[4 * i:4 * i + 4], "little", signed=True) for i in range(words)]
