# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer bench --grid paper`: every configuration of the paper, simulated, compared and synthesised.

Simulators and syntheses are kept by the content of the design, so an interrupted run resumes where it stopped, and a
repeated one only simulates again.
"""

import csv
import io
import itertools
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from liteformer.accel.devices import device as find_device
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import at_least
from liteformer.flow.common.workers import silence
from liteformer.flow.runs.bench import ARRAY, run_bench

WINDOWS, WIDTHS, BITS = (6, 12, 18, 24), (8, 16, 32, 64), (4, 6, 8)
CONFIGURATIONS = tuple(itertools.product(WINDOWS, WIDTHS, BITS))
CONFIGURATION = ("window", "d_model", "bits")
AREA = ("lut", "lut_sites", "slices", "control_sets", "lutram", "ff", "bram36", "dsp")
ESTIMATED = ("lut", "lut_sites", "bram36", "dsp")
COLUMNS = (*CONFIGURATION, *ARRAY, "lanes", "cycles", "end_to_end", "latency_us", "utilization", *AREA,
           *(f"estimated_{name}" for name in ESTIMATED), "fits", "mismatches", "levels", "ns", "error")


def flat(shape, result):
    """One row of the grid from the result of ``run_bench``.

    Returns:
        dict with the keys COLUMNS; ``levels`` and ``ns`` are those of the longest paths outside the CPU.
    """
    area, paths = result["area"] or {}, [path for path in result["paths"] or () if path["block"] != "CPU"]
    estimate = area.get("estimate") or {}
    row = dict.fromkeys(COLUMNS) | {name: shape[name] for name in CONFIGURATION} | result["array"]
    return row | {
        "lanes": result["lanes"], "cycles": result["cycles"]["accelerator"], "end_to_end": result["cycles"]["end_to_end"],
        "latency_us": result["latency_us"], "utilization": result["utilization"], "mismatches": result["mismatches"],
        **{name: area.get(name) for name in AREA}, **{f"estimated_{name}": estimate.get(name) for name in ESTIMATED},
        "fits": area.get("fits"), "levels": max((path["levels"] for path in paths), default=None),
        "ns": max((path["ns"] for path in paths), default=None)}


def _measure(shape, options):
    """One configuration in a worker; a configuration that cannot be built is a row too."""
    try:
        return flat(shape, run_bench(shape, **options))
    except LiteFormerError as error:
        return dict.fromkeys(COLUMNS) | {name: shape[name] for name in CONFIGURATION} | {
            "fits": False, "error": str(error)}


def run_grid(shape, out, *, jobs=2, configurations=CONFIGURATIONS, **options):
    """Measure all configurations and write ``grid.csv`` and ``grid.png``.

    Args:
        shape: the arguments of ``random_model`` that all share. out: directory. jobs: processes at a time.
        configurations: of (window, d_model, bits). options: of ``run_bench``.
    Returns:
        dict, the command's JSON.
    """
    at_least("jobs", jobs, 1)
    at_least("windows", options["windows"], 1)
    find_device(options["device"])
    begin = time.monotonic()
    shapes = [shape | dict(zip(CONFIGURATION, configuration)) for configuration in configurations]
    rows = [None] * len(shapes)
    # Large shapes take longest; started first, they do not leave one process working alone at the end.
    order = sorted(range(len(shapes)), key=lambda n: -shapes[n]["window"] * shapes[n]["d_model"] ** 2 * shapes[n]["bits"])
    with console.step(f"Measure {len(shapes)} shapes, {jobs} at a time") as step, ProcessPoolExecutor(
            jobs, multiprocessing.get_context("spawn"), initializer=silence) as pool:
        running = {pool.submit(_measure, shapes[n], options): n for n in order}
        try:
            for done, future in enumerate(as_completed(running), 1):
                rows[running[future]] = future.result()
                left = (time.monotonic() - begin) / done * (len(shapes) - done)
                step.update(done, len(shapes), f"about {left / 60:.0f} min left")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    result = {
        "grid": "paper", **shape, "device": options["device"], "cpu": options["cpu"], "rows": rows,
        "fits_all": all(row["fits"] for row in rows), "mismatches": sum(row["mismatches"] or 0 for row in rows),
        "failed": sum(row["error"] is not None for row in rows), "seconds": round(time.monotonic() - begin, 1),
        "csv": str(Path(out) / "grid.csv"), "plot": str(Path(out) / "grid.png")}
    write_atomically(result["csv"], as_csv(rows))
    from liteformer.flow.runs.grid_plot import draw
    draw(rows, options["device"], result["plot"])
    return result


def as_csv(rows):
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
