# SPDX-License-Identifier: BSD-2-Clause
"""`make performance`: measures the README's shapes; fills tables of README.md and docs/performance.md, draws their pictures."""

import csv
import math
import re
import shutil
from pathlib import Path

import numpy as np

from liteformer.accel.devices import DEVICES, SERIES_7
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.random_model import random_model
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import fill, markdown
from liteformer.flow.measure import hardware
from liteformer.flow.measure.timeline import SOFTMAX, STATES, measure
from liteformer.flow.measure.timeline_plot import KINDS, draw
from liteformer.flow.publish.repository import ROOT
from liteformer.flow.runs.bench import run_bench

PAGE, README, PICTURES = ROOT / "docs" / "performance.md", ROOT / "README.md", ROOT / "docs" / "performance"
GRID = ROOT / "build" / "grid"
# window, d_model, bits, readout, milliseconds of the paper.
SHAPES = ((12, 32, 4, "mean", 1.33), (6, 64, 8, "mean", 2.82), (12, 64, 6, "mean", 4.61), (12, 32, 4, "last", 1.33))
SEED = 1
# Shape that is also built for the other devices.
ON_DEVICES = {"window": 12, "d_model": 32, "bits": 4, "readout": "mean"}


# Cycle budget -------------------------------------------------------------------------------------

def budget(compiled):
    """Cycles that each kind of step should take by the compiler's schedule, in the order of execution.

    Returns:
        dict kind -> dict: ``macs``; ``issue``: cycles with operands (k x digits x column tiles); ``cycles``: from the last
        issue of the previous step to its own; ``tail``: from its last issue until its last sums leave.
    """
    from liteformer.accel.compiler.schedule import START_CYCLES
    kinds, end = {}, 0
    for step in compiled.steps:
        last = step.timing["last_issue"] + START_CYCLES
        until = compiled.cycles if step is compiled.steps[-1] else last
        row = kinds.setdefault(step.kind, {"macs": 0, "issue": 0, "cycles": 0, "tail": 0})
        row["macs"] += step.macs
        row["issue"] += step.k * step.passes * step.tiles(compiled.hw)
        row["cycles"] += until - end
        row["tail"] = max(row["tail"], step.timing["last_select"] + START_CYCLES - last)
        end = last
    return kinds


def measured(timeline):
    """The same from the recorded engine; dict kind -> dict ``issue``, ``cycles``, ``tail``."""
    kinds = {}
    for step in timeline.steps:
        row = kinds.setdefault(step.kind, {"issue": 0, "cycles": 0, "tail": 0})
        row["issue"] += step.issued
        row["cycles"] += step.span
        row["tail"] = max(row["tail"], step.last_select - step.last_issue)
    return kinds


def softmax_budget(compiled):
    """Cycles in which the softmax looks weights up and divides, all heads and row tiles of an inference."""
    from liteformer.accel.gateware.softmax.softmax import SCORE_TO_FIRST_WEIGHT, Softmax
    hw, cycles = compiled.hw, 0
    for step in compiled.steps:
        if step.score_end:
            groups = hw.groups if step.mode == "narrow" else 1
            # The first weight is written two cycles before it is visible.
            cycles += hw.tokens * groups + SCORE_TO_FIRST_WEIGHT - 2 + groups * Softmax.divide_cycles(hw)
    return cycles


def budget_table(compiled, timeline):
    """Budget and measurement side by side."""
    lanes, found, rows = compiled.hw.lanes, measured(timeline), []
    planned = budget(compiled)
    for kind, plan in planned.items():
        real = found[kind]
        rows.append([KINDS[kind], f"{plan['macs']:,}", f"{plan['macs'] / lanes:,.1f}", f"{plan['issue']:,}",
                     f"{plan['cycles']:,}", f"{real['cycles']:,}", f"{real['cycles'] - real['issue']:,}", plan["tail"],
                     real["tail"], f"{100 * plan['macs'] / (lanes * real['cycles']):.0f} %"])
        if kind == "score":
            busy = sum(int(np.count_nonzero(timeline.signals[name])) for name in ("weigh", "divide"))
            waits = int(np.count_nonzero(timeline.state[1:] == SOFTMAX))
            rows.append(["softmax, parallel to the array", "-", "-", "-", f"({softmax_budget(compiled):,})", f"({busy:,})",
                         f"{waits:,}", "-", "-", "-"])
    total = {key: sum(plan[key] for plan in planned.values()) for key in ("macs", "issue", "cycles")}
    waiting = timeline.cycles - sum(real["issue"] for real in found.values())
    rows.append(["sum", f"{total['macs']:,}", f"{total['macs'] / lanes:,.1f}", f"{total['issue']:,}", f"{total['cycles']:,}",
                 f"{timeline.cycles:,}", f"{waiting:,}", "-", "-",
                 f"{100 * total['macs'] / (lanes * timeline.cycles):.1f} %"])
    return markdown(["step", "MACs", "MACs / lanes", "issue", "cycles, budget", "cycles, measured", "of these waiting",
                     "drain, budget", "drain, measured", "MAC utilization"], rows)


def budget_section(shape, compiled, timeline, picture):
    """Heading, array, table and picture of one shape."""
    window, d, bits, readout, _ = shape
    hw, states = compiled.hw, timeline.summary()["states"]
    waits = ", ".join(f"{states[name]:,} {name}" for name in STATES[1:] if states[name])
    return (f"### ({window}, {d}, {bits}), readout {readout}: {timeline.cycles:,} cycles\n\n"
            f"{hw.rows} x {hw.columns} lanes, {hw.dsp_lanes} of them in DSP48E1s, {hw.requantizers} requantizers. "
            f"The array {STATES[0]} in {states[STATES[0]]:,} cycles; the rest: {waits}.\n\n"
            f"{budget_table(compiled, timeline)}\n\n![timeline](performance/{picture.name})")


# Figures, area, paths -----------------------------------------------------------------------------

def speed_table(results):
    """The README's table, from (shape, result of run_bench)."""
    rows = []
    for (window, d, bits, readout, paper), result in results:
        area, cycles = result["area"], result["cycles"]["accelerator"]
        rows.append([f"{window}, {d}, {bits}", readout, f"{cycles:,}", f"{result['latency_us']:.2f} µs",
                     f"{paper:.2f} ms, {1000 * paper / result['latency_us']:.0f}x slower",
                     f"{100 * result['utilization']:.0f} %",
                     *(f"{area[key]:,}" for key in ("lut", "lut_sites", "ff", "bram36", "dsp"))])
    return markdown(["window, d, bits", "readout", "cycles", "time", "paper", "MAC utilization", "LUT", "LUT sites", "FF",
                     "BRAM36", "DSP"], rows)


def devices_table(results):
    """One shape on every device, from results of run_bench."""
    rows = []
    for result in results:
        area, array, device = result["area"], result["array"], DEVICES[result["device"]]
        rows.append([device.name, f"{array['rows']} x {array['columns']}", array["dsp_lanes"], array["requantizers"],
                     f"{result['cycles']['accelerator']:,}", f"{100 * result['utilization']:.0f} %",
                     f"{area['lut']:,}", f"{area['lut_sites']:,} of {device.lut:,}",
                     *(f"{area[key]:,} of {getattr(device, key):,}" for key in ("bram36", "dsp")), result["mismatches"]])
    return markdown(["device", "lanes", "of these in DSP48E1s", "requantizers", "cycles", "MAC utilization", "LUT",
                     "LUT sites", "BRAM36", "DSP", "outputs that differ"], rows)


def end_to_end_table(results):
    """Core and firmware cycles with the bound of core + max(10 %, 300)."""
    rows = []
    for (window, d, bits, readout, _), result in results:
        core, whole = (result["cycles"][key] for key in ("accelerator", "end_to_end"))
        rows.append([f"{window}, {d}, {bits}", readout, f"{core:,}", f"{whole:,}", f"{core + max(math.ceil(core / 10), 300):,}",
                     result["mismatches"], result["windows"]])
    return markdown(["window, d, bits", "readout", "core", "firmware, sample to result", "at most", "outputs that differ",
                     "windows"], rows)


def paths_table(results):
    """The longest paths into each block over all shapes: the slowest, and the one with the most LUT levels."""
    rows, blocks = [], {}
    for _, result in results:
        for path in result["paths"]:
            blocks.setdefault(path["block"], []).append(path)
    for block, paths in blocks.items():
        slowest = max(paths, key=lambda path: path["ns"])
        deepest = max(paths, key=lambda path: (path["levels"], path["carries"]))
        rows.append((slowest["ns"], [block, f"{slowest['ns']:.1f}", slowest["levels"], slowest["carries"], deepest["levels"],
                                     deepest["carries"], f"`{_short(slowest['start'])}` to `{_short(slowest['end'])}`"]))
    return markdown(["block", "ns, slowest", "its LUT levels", "its CARRY4", "most LUT levels", "with CARRY4", "slowest path"],
                    [row for _, row in sorted(rows, key=lambda entry: -entry[0])])


def _short(name):
    return re.sub(r"^(\w*?liteformercore_(engine_)?|soc_synthesis_)", "", name)


def estimate_table(rows):
    """Estimated and synthesised area.

    Args:
        rows: dicts with ``name``, ``area`` with ``estimate``.
    """
    table = []
    for row in rows:
        area, estimate = row["area"], row["area"]["estimate"]
        luts = [text for key in ("lut", "lut_sites") for text in (
            f"{estimate[key]:,}", f"{area[key]:,}", f"{100 * (estimate[key] / area[key] - 1):+.1f} %")]
        table.append([row["name"], *luts,
                      *(figures[key] for key in ("bram36", "dsp") for figures in (estimate, area))])
    return markdown(["window, d, bits", "LUT, estimate", "LUT, Yosys", "error", "sites, estimate", "sites, counted", "error",
                     "BRAM36, estimate", "BRAM36, Yosys", "DSP, estimate", "DSP, Yosys"], table)


# Grid ---------------------------------------------------------------------------------------------

def grid_section(path):
    """Table and summary of a grid's CSV, of `liteformer bench --grid paper`."""
    with Path(path).open() as file:
        rows = list(csv.DictReader(file))
    built = [row for row in rows if row["lut"]]
    if "lut_sites" not in rows[0]:
        raise LiteFormerError(f"{path} was measured before LUT sites were counted; measure it again with `make grid`")
    errors = np.array([int(row["estimated_lut_sites"]) / int(row["lut_sites"]) - 1 for row in built
                       if row["estimated_lut_sites"]])
    table = [[row["window"], row["d_model"], row["bits"], f"{row['rows']} x {row['columns']}", f"{int(row['cycles']):,}",
              f"{100 * float(row['utilization']):.0f} %", *(row[name] for name in ("lut", "lut_sites", "ff", "bram36", "dsp")),
              "yes" if row["fits"] == "True" else "**no**", row["mismatches"], row["levels"]] for row in built]
    text = (f"{sum(row['fits'] == 'True' for row in rows)} of {len(rows)} fit; "
            f"{sum(int(row['mismatches'] or 0) for row in rows)} outputs differ from the golden model.")
    if len(errors):
        text += (f" The estimated LUT sites are off by {100 * np.mean(np.abs(errors)):.1f} % in the mean of magnitudes, "
                 f"between {100 * errors.min():+.1f} % and {100 * errors.max():+.1f} %.")
    header = ["window", "d", "bits", "lanes", "cycles", "MAC utilization", "LUT", "LUT sites", "FF", "BRAM36", "DSP", "fits",
              "differ", "most LUT levels outside the CPU"]
    return f"{text}\n\n![grid](performance/grid.png)\n\n{markdown(header, table)}"


def write(pages):
    """Fill blocks: dict of page -> dict of block -> table."""
    for page, blocks in pages.items():
        text = page.read_text()
        for name, table in blocks.items():
            text = fill(text, name, table)
        write_atomically(page, text)


def main():
    """Measure everything and fill both pages."""
    results, sections = [], []
    for shape in SHAPES:
        window, d, bits, readout, _ = shape
        arguments = {"window": window, "features": 7, "d_model": d, "bits": bits, "readout": readout}
        compiled = hardware.compile_model(random_model(np.random.default_rng(SEED), **arguments), device="xc7s15")
        results.append((shape, run_bench(arguments, seed=SEED)))
        timeline = measure(compiled, SEED)
        picture = PICTURES / f"timeline-{window}-{d}-{bits}-{readout}.png"
        draw(timeline, f"({window}, {d}, {bits}), readout {readout}: {timeline.cycles:,} cycles", picture)
        sections.append(budget_section(shape, compiled, timeline, picture))
    devices = [run_bench(ON_DEVICES | {"features": 7}, device=name, seed=SEED) for name, one in DEVICES.items()
               if one.family is SERIES_7]
    figures = speed_table(results)
    estimates = estimate_table([{"name": f"{window}, {d}, {bits}, {readout}", "area": result["area"]}
                                for (window, d, bits, readout, _), result in results])
    blocks = {"figures": figures, "end-to-end": end_to_end_table(results), "budget": "\n\n".join(sections),
              "devices": devices_table(devices), "estimate": estimates, "paths": paths_table(results)}
    if (GRID / "grid.csv").is_file():
        blocks["grid"] = grid_section(GRID / "grid.csv")
        shutil.copyfile(GRID / "grid.png", PICTURES / "grid.png")
    else:
        console.note(f"no {GRID / 'grid.csv'}: the grid's table stays as it is; `make grid` measures it")
    write({PAGE: blocks, README: {"figures": figures}})


if __name__ == "__main__":
    main()
