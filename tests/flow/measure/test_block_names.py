# SPDX-License-Identifier: BSD-2-Clause
"""Registers of a complete SoC belong to their blocks by their names in its Verilog.

Migen leaves out of a name whatever a signal is unambiguous without, so that one signal more in a module may take the name of
another module out of its signals.
"""

import numpy as np
import pytest
from migen.fhdl.tools import list_targets

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import blocks, timing
from liteformer.soc.platform import simulation_platform
from liteformer.soc.quiet import quiet
from liteformer.soc.soc import LiteFormerSoC

REQUANTIZERS = (blocks.REQUANTIZERS, "requantizers")

# Named, because not every shape leaves room for an array that the compiler would choose.
ARRAY = HardwareOptions(rows=6, columns=8)


def registers(module, block, found, others):
    """Collect the registers of a module and its submodules, dict block -> list; ``others``: modules of other blocks."""
    block = others.get(module, block)
    found.setdefault(block, []).extend(list_targets(module._fragment.sync.get("sys", [])))
    for _, submodule in module._submodules:
        registers(submodule, block, found, others)


def named(compiled, tmp_path, monkeypatch):
    """Names of the engine's registers in the SoC's Verilog, dict (block of the area, block of the paths) -> list."""
    core   = LiteFormerCore(compiled)
    engine = core.engine
    parts  = {engine.array: (blocks.ARRAY, "array"), engine.drain: (blocks.DRAIN, "drain"),
              engine.softmax: (blocks.SOFTMAX, "softmax"), engine.window: (blocks.WINDOW, "window"),
              engine.compute: (blocks.SEQUENCERS, "compute sequencer"), engine.drains: (blocks.SEQUENCERS, "drain sequencer"),
              engine.key_memory: (blocks.MEMORIES, "core"),
              **dict.fromkeys((*engine.streams, *engine.value_banks), (blocks.MEMORIES, "core"))}
    others = {module: REQUANTIZERS for name, module in engine.drain._submodules if name.startswith("requantizer")}
    found  = {}
    for module, block in parts.items():
        registers(module, block, found, others)
    with quiet():
        soc = LiteFormerSoC(simulation_platform("serial"), 100_000_000, core, firmware=bytes(4), uart="serial")
        soc.finalize()
        fragment = soc.get_fragment()
        soc.platform.finalize(fragment)
        monkeypatch.chdir(tmp_path)
        namespace = soc.platform.get_verilog(fragment, name="soc").ns
    return {block: [namespace.get_name(signal) for signal in signals] for block, signals in found.items()}


@pytest.mark.parametrize("shape", [
    {"window": 12, "d_model": 32, "bits": 4, "readout": "mean"}, {"window": 6, "d_model": 64, "bits": 8, "readout": "mean"},
    {"window": 12, "d_model": 32, "bits": 4, "readout": "last"},
], ids=str)
def test_names_show_the_block(shape, tmp_path, monkeypatch):
    found = named(compile_model(random_model(np.random.default_rng(1), features=7, **shape), ARRAY), tmp_path, monkeypatch)
    assert len(found) == 8 and all(found.values())
    for (area, path), names in found.items():
        assert {(blocks.block_of(name), timing.block_of(name)) for name in names} == {(area, path)}
