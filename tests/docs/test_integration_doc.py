"""The example of docs/integration.md, as printed there, in a LiteX SoC that knows nothing of LiteFormer."""

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

DOCUMENT = Path(__file__).parents[2] / "docs" / "integration.md"

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


def example():
    """Source of the document's Python example."""
    return re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL).group(1)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Callable(model, rows) -> result of an inference on a plain SoCCore with the example's lines applied to it."""
    def infer(model, rows):
        path, application = tmp_path / "model.safetensors", tmp_path / "application.c"
        model.save(path)
        application.write_text(APPLICATION % ", ".join(f"{{{a}, {b}}}" for a, b in rows))
        names = {}
        exec(example(), names)

        class ForeignSoC(SoCCore):
            def __init__(self, platform, clock, core, **_):
                self.crg = CRG(platform.request("sys_clk"))
                with quiet():
                    SoCCore.__init__(self, platform, clock, cpu_variant="lite", uart_name="sim", integrated_rom_size=8192,
                                     integrated_sram_size=4096)
                    names["add_liteformer"](self, path)

            def compile_firmware(self, include):
                image = build_firmware(include, self.cpu, 8192, (application,))
                self.init_rom("rom", [int.from_bytes(image[i:i + 4], "little") for i in range(0, len(image), 4)],
                              auto_size=False)

        monkeypatch.setattr(simulation, "LiteFormerSoC", ForeignSoC)
        monkeypatch.setattr(simulation, "LiteFormerCore", lambda compiled: None)
        with simulation.Simulation(None) as running:
            return int.from_bytes(running.run(200_000, 4), "little", signed=True)
    return infer


def test_ten_lines():
    body = example().split("def add_liteformer")[1].strip().splitlines()
    imports = [line for line in example().splitlines() if line.startswith("from ")]
    assert len(body) + len(imports) <= 10


def test_the_example_works(foreign):
    model = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
    raw = np.random.default_rng(6).integers(-30_000, 30_000, (1, 4, 2))
    expected = int(golden.infer(model, raw)[0, 0])
    assert expected not in (0, -1)
    assert foreign(model, raw[0]) == expected
