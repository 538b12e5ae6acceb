# SPDX-License-Identifier: BSD-2-Clause
"""The same model as portable C on the SoC's own CPU: what the core is compared with, cycle by cycle of the same clock."""

import re
import tempfile
from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.export.c_files import c_header, c_source, memory_bytes, table_text
from liteformer.soc.verilate import level_for

HERE = Path(__file__).parent
NAME = "liteformer_model"
FLAGS = ("-O3",)              # Instead of the firmware's -Os: speed counts here.
MULTIPLIER = "standard"       # VexRiscv with a multiplier of one cycle and caches.
STACK, CODE = 1024, 16384     # Bytes beside variables and tables.
# Cycles for a multiply-accumulate, to choose the simulator's optimizer and to give up.
USUAL, MOST, LEAST_LIMIT = 100, 20_000, 1_000_000


def run_software(model, compiled, raw, cpu="vexriscv"):
    """Run the exported C on the CPU beside the core, and on a VexRiscv with a multiplier.

    Args:
        model: QuantizedModel; compiled: its CompiledModel, whose core is in the SoC too; raw: int64 ``(N, window, features)``;
        cpu: of the SoC.
    Returns:
        list of dicts ``cpu``, ``variant``, ``multiplier``, ``cycles`` (of the slowest window), ``mismatches``, ``rom_bytes``,
        ``ram_bytes``.
    Raises:
        LiteFormerError: the compiler is missing, or the CPU does not answer.
    """
    from liteformer.soc.soc import DEFAULT_VARIANTS
    machines = [(cpu, DEFAULT_VARIANTS.get(cpu))]
    if cpu == "vexriscv":
        machines.append((cpu, MULTIPLIER))
    return [run_on(model, compiled, raw, *machine) for machine in machines]


def run_on(model, compiled, raw, cpu, variant=None):
    """The same on one CPU of LiteX; ``variant`` may be None for one that has no variants."""
    from liteformer.soc.simulation import Simulation
    config, name = model.config, f"{cpu} {variant}" if variant else cpu
    tables = sum(tensor.size * (1 if name.endswith(("weight", "position")) else 4) for name, tensor in model.tensors.items())
    sizes = {"rom_size": 1 << (tables + raw.size * 4 + CODE).bit_length(),
             "sram_size": 1 << (memory_bytes(config) + STACK).bit_length()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / f"{NAME}.c").write_text(c_source(model, NAME))
        (folder / f"{NAME}.h").write_text(c_header(model, NAME))
        (folder / "windows.h").write_text(f"#define WINDOWS {len(raw)}\n" + table_text(
            "int32_t", "samples", raw, f"{NAME.upper()}_WINDOW * {NAME.upper()}_FEATURES"))
        (folder / "software.c").write_text((HERE / "software.c").read_text())
        with console.step(f"Compile the model as C for {name}, build simulator"):
            simulation = Simulation(compiled, cpu=cpu, cpu_variant=variant, level=level_for(config.macs * USUAL * len(raw)),
                                    applications=(folder / "software.c", folder / f"{NAME}.c"), firmware_flags=FLAGS, **sizes)
    with simulation, console.step(f"Simulate {len(raw)} windows in software on {name}") as step:
        answers = []
        for done in range(len(raw)):
            answers.append(_answer(simulation, config, name))
            step.update(done + 1, len(raw))
    cycles, outputs = np.array(answers)[:, 0], np.array(answers)[:, 1:]
    extensions = re.search(r"-march=rv32i(\S*)", simulation.soc.cpu.gcc_flags)[1]
    return {"cpu": cpu, "variant": variant, "multiplier": "m" in extensions,
            "cycles": int(cycles.max()), "mismatches": int(np.count_nonzero(outputs != golden.infer(model, raw))),
            "rom_bytes": len(simulation.soc.firmware), "ram_bytes": memory_bytes(config)}


def _answer(simulation, config, name):
    """Cycles and outputs of one window, a list."""
    wanted, limit = 4 * (1 + config.outputs), config.macs * MOST + LEAST_LIMIT
    found = simulation.run(limit, wanted)
    if len(found) < wanted:
        raise LiteFormerError(f"{name} did not compute the model in {limit:,} clock cycles; leave --software out")
    words = np.frombuffer(found[:wanted], "<i4").astype(np.int64)
    return [int(words[0]) & 0xffffffff, *words[1:].tolist()]


def compare(software, cycles):
    """Add ``times_faster``, the core's speed-up from a sample in memory to its result.

    Args:
        software: of ``run_software``; cycles: end to end, of the core.
    Returns:
        list of dicts.
    """
    return [entry | {"times_faster": round(entry["cycles"] / cycles, 1)} for entry in software]


def windows_of_software(raw):
    """The windows that are run: two, since the cycles hardly depend on the samples."""
    return raw[:2]
