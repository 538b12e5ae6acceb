# SPDX-License-Identifier: BSD-2-Clause
"""From a model to figures: compile it, run it on the simulated SoC, compare with the golden model, measure its area.

LiteX and the gateware are imported on first use, so that `liteformer --help` is fast.
"""

import tempfile
from pathlib import Path

import numpy as np

from liteformer.accel import golden
from liteformer.accel.decision import continues, decide
from liteformer.accel.devices import SERIES_7
from liteformer.accel.devices import device as find_device
from liteformer.flow.common import console
from liteformer.flow.common.cache import cache_directory
from liteformer.flow.measure import area
from liteformer.soc.verilate import level_for

CLOCK_MHZ = 100
# VexRiscv's cycles for a sample on the serial line, and for a request around an inference.
WORD_CYCLES, REQUEST_CYCLES = 950, 6_000


def compile_model(model, **overrides):
    """Compile a model for the core.

    Args:
        model: QuantizedModel. overrides: fields of HardwareOptions; those that are None keep their default.
    Returns:
        CompiledModel; one line on stderr says so if the array that the overrides name exceeds the device.
    """
    from liteformer.accel.compiler import compile_model as compile_for_core
    options = _options(overrides)
    compiled = compile_for_core(model, options)
    over = excess(compiled, options.device)
    if over:
        console.note(f"the array that was asked for does not fit the {options.device}: it needs {' and '.join(over)}")
    return compiled


def compile_fitting(model, cpu=None, **overrides):
    """The same for a build, which must fit its device.

    Args:
        cpu: name of the SoC's CPU or None. overrides: as in ``compile_model``.
    Raises:
        LiteFormerError: it does not fit; the message says by how much, and what would.
    """
    from liteformer.accel.compiler import compile_model as compile_for_core
    from liteformer.accel.compiler.capacity import crowded
    from liteformer.accel.compiler.estimate import estimate_area
    from liteformer.accel.compiler.fit import check_fits
    options = _options(overrides)
    compiled = compile_for_core(model, options)
    check_fits(compiled, options, cpu)
    target = find_device(options.device)
    text = crowded(estimate_area(compiled.hw, cpu, target.family), target)
    if text:
        console.note(f"the SoC {text}")
    return compiled


def excess(compiled, device, cpu=None):
    """What of a CompiledModel does not fit a device by estimate, see ``fit.excess``."""
    from liteformer.accel.compiler import fit
    return fit.excess(compiled.hw, device, cpu)


def _options(overrides):
    from liteformer.accel.compiler import HardwareOptions
    return HardwareOptions(**{key: value for key, value in overrides.items() if value is not None})


def check_cpu(cpu):
    """Raises LiteFormerError if the CPU cannot be built, see ``soc.cpu.check_cpu``."""
    from liteformer.soc.cpu import check_cpu as check
    check(cpu)


def expected_cycles(compiled, raw):
    """Approximate clock cycles of the SoC for windows, int ``(N, window, features)``: mostly bytes on the serial line."""
    windows, window, features = raw.shape
    follows = int(continues(raw).sum())
    return WORD_CYCLES * features * (follows + window * (windows - follows)) + (REQUEST_CYCLES + compiled.cycles) * windows


def run_soc(model, compiled, raw, cpu="vexriscv", trace=None, recordable=False, remake=None):
    """Push windows through firmware and core on the simulated SoC and compare outputs and decisions with the golden model.

    Args:
        model: QuantizedModel, for the golden model. compiled: its CompiledModel.
        raw: integers ``(N, window, features)``. cpu: LiteX CPU. trace: Path of an FST file or None.
        recordable: build the simulator that ``measure_activity`` needs too. remake: callable(Design, progress) -> Design that
        is simulated in its place, such as its netlist; None for none.
    Returns:
        ``(figures, result)``: dict with ``windows``, ``mismatches`` (numbers that differ: outputs, class, score, alarm),
        ``cycles`` (``accelerator`` and ``end_to_end``: the slowest window; ``total``: SoC cycles simulated) and
        ``cycles_per_second`` of the simulator; the SimulationResult.
    Raises:
        LiteFormerError: Verilator or the compiler is missing, or the SoC does not answer within its cycle limit.
    """
    from liteformer.soc.simulation import Simulation
    check_cpu(cpu)
    with console.step(f"Generate SoC with {cpu}, compile firmware, build simulator") as step:
        simulation = Simulation(compiled, cpu=cpu, trace=trace, level=level_for(expected_cycles(compiled, raw)),
                                recordable=recordable, remake=remake and (lambda design: remake(design, step.update)))
    with simulation, console.step(f"Simulate {len(raw)} windows on the SoC") as step:
        result = simulation.infer(raw, progress=lambda done: step.update(done, len(raw)))
    expected = golden.infer(model, raw)
    decisions = decide(model.config, expected, raw)
    return {
        "windows": len(raw),
        "mismatches": int(np.count_nonzero(result.outputs != expected) + np.count_nonzero(result.decisions != decisions)),
        "cycles": {"accelerator": int(result.accelerator_cycles.max()), "end_to_end": int(result.end_to_end_cycles.max()),
                   "total": int(result.cycles)},
        "cycles_per_second": round(result.cycles / max(result.seconds, 1e-9)),
    }, result


def soc_synthesis(compiled, cpu="vexriscv", device="xc7s15", route=False):
    """Area and longest paths of the complete SoC: CPU, firmware in ROM, RAM, UART, timer and core.

    Args:
        compiled: CompiledModel. cpu, device: names. route: place and route it as well, for a device with an open router.
    Returns:
        dict ``area`` (of ``area.count`` and ``sites.count``, or of ``lut4.count``; ``fits`` for the device, ``exceeds``: list
        of texts, what does not fit; ``limits``: dict of what would; ``crowded``: text where little room is left; ``estimate``:
        the compiler's own account, None for another CPU than it knows), ``paths``, ``blocks`` (of ``area.synthesise``; empty
        for another family than the 7 series), and if asked for ``route`` (of ``routing.read_report``).
    Raises:
        LiteFormerError: Yosys or the router is missing, or gives up.
    """
    from liteformer.accel.compiler.capacity import crowded, exceeded, room
    from liteformer.accel.compiler.estimate import CPU_LUTS, estimate_area
    from liteformer.accel.core import LiteFormerCore
    from liteformer.flow.measure import lut4
    from liteformer.soc.generate import write_verilog
    from liteformer.soc.platform import simulation_platform
    from liteformer.soc.soc import LiteFormerSoC
    target = find_device(device)
    check_cpu(cpu)
    if route:
        lut4.check_routable(device)
    with console.step("Measure area with Yosys") as step, tempfile.TemporaryDirectory(dir=cache_directory("area")) as temporary:
        soc = LiteFormerSoC(simulation_platform("serial"), CLOCK_MHZ * 1_000_000, LiteFormerCore(compiled), cpu_type=cpu,
                            uart="serial")
        design = write_verilog(soc, temporary)
        arguments = (Path(design.top).parent, design.sources, design.name, design.include_dirs)
        if target.family is SERIES_7:
            result = area.synthesise(*arguments, step.update)
        else:
            cells, netlist = lut4.synthesise(*arguments, device, step.update)
            result = {"area": lut4.count(cells, target.family), "paths": [], "blocks": {}}
    if route:
        with console.step(f"Place and route for the {device}, minutes") as step:
            result["route"], _ = lut4.route(netlist, design.name, device, lut4.FLOWS[target.family.name].aim_mhz, step.update)
    estimate = estimate_area(compiled.hw, cpu, target.family) if cpu in CPU_LUTS else None
    limits = room(target)
    over = exceeded(result["area"], limits, family=target.family)
    return result | {"area": result["area"] | {"fits": not over, "exceeds": over, "limits": limits, "estimate": estimate,
                                               "crowded": crowded(result["area"], target)}}


def soc_area(compiled, cpu="vexriscv", device="xc7s15"):
    """``area`` of ``soc_synthesis``."""
    return soc_synthesis(compiled, cpu, device)["area"]


def utilization(model, compiled, accelerator_cycles):
    """Share of the array's multiply-accumulate slots that did useful work, 0 to 1."""
    return model.config.macs / (compiled.hw.lanes * accelerator_cycles)


def microseconds(cycles):
    """Time of a number of cycles at CLOCK_MHZ."""
    return cycles / CLOCK_MHZ
