# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/integration.md and of the README, as printed there, in a LiteX SoC that knows nothing of LiteFormer."""

import re
from pathlib import Path

import numpy as np
import pytest
from litex.build.io import CRG
from litex.soc.integration.soc_core import SoCCore

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.soc import simulation
from liteformer.soc.quiet import quiet
from liteformer.sw.build import build_firmware

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"README.md": "build/plant", "docs/integration.md": "build/airu4"}

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


def example(document):
    """Source of the Python example in a document."""
    found, = (text for text in re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
              if "add_liteformer(soc, " in text)
    return found


class ForeignSoC(SoCCore):
    """A plain SoCCore with a document's lines applied to it, and an application that uses the driver."""

    lines, application = "", None

    def __init__(self, platform, clock, core, **_):
        self.crg = CRG(platform.request("sys_clk"))
        with quiet():
            SoCCore.__init__(self, platform, clock, cpu_variant="lite", uart_name="sim", integrated_rom_size=8192,
                             integrated_sram_size=4096)
            exec(self.lines, {"soc": self})

    def compile_firmware(self, include):
        """Called when the Verilog is written."""
        image = build_firmware(include, self.cpu, 8192, (self.application,))
        self.init_rom("rom", [int.from_bytes(image[i:i + 4], "little") for i in range(0, len(image), 4)], auto_size=False)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Callable(model, rows, document) -> result of an inference on a ForeignSoC."""
    def infer(model, rows, document):
        application = tmp_path / "application.c"
        application.write_text(APPLICATION % ", ".join(f"{{{a}, {b}}}" for a, b in rows))
        monkeypatch.chdir(tmp_path)
        Path("build").mkdir()
        model.save(DOCUMENTS[document])
        monkeypatch.setattr(ForeignSoC, "lines", example(document))
        monkeypatch.setattr(ForeignSoC, "application", application)
        monkeypatch.setattr(simulation, "LiteFormerSoC", ForeignSoC)
        monkeypatch.setattr(simulation, "LiteFormerCore", lambda compiled: None)
        with simulation.Simulation(None) as running:
            return int.from_bytes(running.run(200_000, 4), "little", signed=True)
    return infer


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_example_works(foreign, document):
    model = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
    raw = np.random.default_rng(6).integers(-30_000, 30_000, (1, 4, 2))
    expected = int(golden.infer(model, raw)[0, 0])
    assert expected not in (0, -1)
    assert foreign(model, raw[0], document) == expected
