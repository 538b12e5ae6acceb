# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/integration.md and of the README, as printed there, in a LiteX SoC that knows nothing of LiteFormer."""

import re
from pathlib import Path

import numpy as np
import pytest
from litex.soc.integration import builder

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.boards.target import ProjectBuilder
from liteformer.soc.quiet import quiet

from ..plain_soc import PlainSoC, infer

ROOT = Path(__file__).parents[2]
DOCUMENTS = {"README.md": "build/plant", "docs/integration.md": "build/airu4"}


def example(document):
    """Source of the Python example in a document."""
    found, = (text for text in re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
              if "import add_liteformer\n\nadd_liteformer(soc, " in text)
    return found


class ForeignSoC(PlainSoC):
    """A plain SoC with a document's lines applied to it."""

    lines = ""

    def add_core(self):
        exec(self.lines, {"soc": self})


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Callable(model, rows, document) -> result of an inference on a ForeignSoC."""
    def run(model, rows, document):
        monkeypatch.chdir(tmp_path)
        Path("build").mkdir()
        model.save(DOCUMENTS[document])
        monkeypatch.setattr(ForeignSoC, "lines", example(document))
        return infer(monkeypatch, tmp_path, ForeignSoC, rows)
    return run


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_example_works(foreign, document):
    model = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
    raw = np.random.default_rng(6).integers(-30_000, 30_000, (1, 4, 2))
    expected = int(golden.infer(model, raw)[0, 0])
    assert expected not in (0, -1)
    assert foreign(model, raw[0], document) == expected


def test_a_target_of_litex_boards(tmp_path, monkeypatch):
    """The example as printed, except that no BIOS is compiled: its C library is not on the index."""
    monkeypatch.chdir(tmp_path)
    Path("build").mkdir()
    random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4).save("build/airu4")
    monkeypatch.setattr(builder, "Builder", ProjectBuilder)
    lines, = (text for text in re.findall(r"```python\n(.*?)```", (ROOT / "docs/integration.md").read_text(), re.DOTALL)
              if "litex_boards.targets" in text)
    with quiet():
        exec(lines, {"__name__": "example"})  # Migen asks for it.
    gateware = Path("build/basys3/gateware/liteformer_soc.v").read_text()
    assert "liteformer" in gateware and Path("build/basys3/gateware/liteformer_soc.tcl").is_file()
    assert "LITEFORMER_BASE" in Path("build/basys3/software/include/generated/mem.h").read_text()
