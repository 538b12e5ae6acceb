# SPDX-License-Identifier: BSD-2-Clause
"""Switching activity of the SoC: toggle rates by block, from simulated windows with the real firmware."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import cache_directory
from liteformer.flow.measure.blocks import BUS, block_of
from liteformer.flow.measure.waveform import Waveform, read_vcd

STEPS = 2  # Time steps of the file in a clock cycle: each half, so that both values of a pumped register count.
WAITING_CYCLES = 512  # Of the CPU waiting for a request, with the core at rest.


@dataclass(frozen=True)
class Activity:
    """Toggle rates, mean changes of a signal bit in a clock cycle.

    Attributes:
        busy: dict block -> rate while the core computes; waiting: the same between two requests. windows: that were simulated;
        cycles: clock cycles that ``busy`` covers. waveforms: Waveforms of the first window while the core computes;
        duration: of them in time steps.
    """

    busy: dict
    waiting: dict
    windows: int
    cycles: int
    waveforms: list
    duration: int


def measure_activity(compiled, raw, cpu="vexriscv"):
    """Run windows through firmware and core and count the changes of all signals.

    Args:
        compiled: CompiledModel; raw: int ``(windows, window, features)``; cpu: LiteX CPU.
    Returns:
        Activity.
    Raises:
        LiteFormerError: Verilator is missing, or the SoC does not answer.
    """
    from liteformer.soc.simulation import Simulation
    with console.step("Build a simulator that records every signal"):
        simulation = Simulation(compiled, cpu=cpu, recordable=True, level=0)
    rates, cycles, first = [], 0, None
    with simulation, tempfile.TemporaryDirectory(dir=cache_directory("activity")) as folder:
        path = Path(folder) / "window.vcd"
        with console.step(f"Count the signal changes of {len(raw)} windows") as step:
            for window in raw:
                simulation.client.reset()
                simulation.client.push(window)
                with simulation.record(path):
                    simulation.client.infer(window[:0])
                waveforms, end = read_vcd(path)
                begin, end = busy_time(waveforms, end)
                seen = [waveform.between(begin, end) for waveform in waveforms]
                rates.append(block_rates(seen, (end - begin) // STEPS))
                cycles += (end - begin) // STEPS
                first = first or ([Waveform(w.names, w.width, w.times - begin, w.bits) for w in seen], end - begin)
                step.update(len(rates), len(raw))
            with simulation.record(path):
                simulation.run(WAITING_CYCLES)
            waiting = block_rates(read_vcd(path)[0], WAITING_CYCLES)
    busy = {block: float(np.mean([one[block] for one in rates])) for block in rates[0]}
    return Activity(busy, waiting, len(raw), cycles, *first)


def busy_time(waveforms, end):
    """First and last time step in which the core is busy.

    Raises:
        LiteFormerError: it never is.
    """
    for waveform in waveforms:
        if any(name[-1].endswith("core_busy") for name in waveform.names):
            edges = waveform.times[np.flatnonzero(waveform.bits[:, 0])]
            if len(edges):
                begin = int(edges[0])
                return begin, int(min(waveform.times[waveform.times > begin], default=end))
    raise LiteFormerError("the simulated core was never busy; look at a trace with `liteformer simulate --trace FILE.fst`")


def signal_block(waveform):
    """Block of a signal by its names, None for a clock, the words of a memory and signals without a meaningful name."""
    blocks = set()
    for name in waveform.names:
        if "[" in name[-1] or name[-1] in ("sys_clk", "sys2x_clk"):
            return None
        blocks.add(block_of(".".join(name[2:])))
    blocks.discard(None)
    # A signal of both the bus and a block of the core is a port of that block.
    return min(blocks, key=lambda block: (block == BUS, block), default=None)


def block_rates(waveforms, cycles):
    """Mean changes of a bit in a cycle, dict block -> rate, over all signals of a block except the contents of memories."""
    counts = {}
    for waveform in waveforms:
        block = signal_block(waveform)
        if block is not None:
            changes, bits = counts.get(block, (0, 0))
            counts[block] = changes + int(waveform.transitions.sum()), bits + waveform.width
    return {block: changes / bits / cycles for block, (changes, bits) in counts.items()}
