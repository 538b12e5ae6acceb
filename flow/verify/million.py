# SPDX-License-Identifier: BSD-2-Clause
"""A million windows: random shapes in Verilator against the golden model, `make verify`; an interrupted run resumes."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.workers import Processes
from liteformer.flow.verify.case import run_case

SHAPES, WINDOWS, SOC_EVERY, SOC_SHARE = 200, 1_000_000, 10, 0.01
ROOT    = Path(__file__).resolve().parents[2]
RESULT  = ROOT / "docs" / "results" / "verify.json"
SOURCES = ("accel", "soc", "sw", "flow/verify/shapes.py", "flow/verify/windows.py", "flow/verify/case.py")
TOTALS  = ("windows", "mismatches", "wrong_cycles", "clocks", "aborts", "refused", "clears", "ties", "saturated_inputs",
           "saturated_results")


def sources_digest():
    """Hash of all files that a result depends on: results of other sources are not mixed."""
    digest = hashlib.sha256()
    for source in map(ROOT.joinpath, SOURCES):
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.suffix in (".py", ".c", ".h", ".cpp"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def plan(shapes, windows):
    """List of ``(number, windows, windows through the SoC)``."""
    through_soc = [number for number in range(shapes) if number % SOC_EVERY == 0]
    share = -(-int(SOC_SHARE * windows) // len(through_soc))
    return [(number, windows // shapes + (number < windows % shapes), share if number in through_soc else 0)
            for number in range(shapes)]


def _case(task, point):
    """For a worker: the result of one case, or the sentence of its failure."""
    number, windows, soc_windows = point
    try:
        return run_case(task, number, windows, soc_windows)
    except (LiteFormerError, ValueError, IndexError) as error:
        return {"number": number, "failure": f"{type(error).__name__}: {error}"}


def summary(seed, sources, results):
    """Totals over the results of all cases; ``sources``: digest of what they were made with."""
    done = [result for result in results if "failure" not in result]
    total = {name: sum(result["counts"][name] for result in done) for name in TOTALS}
    soc = [result["soc"] for result in done if "soc" in result]
    patterns = {}
    for result in done:
        for name, count in result["counts"]["patterns"].items():
            patterns[name] = patterns.get(name, 0) + count
    return {"seed": seed, "sources": sources, "shapes": len(done), **total,
            "soc_shapes": len(soc), "soc_windows": sum(one["windows"] for one in soc),
            "soc_mismatches": sum(one["mismatches"] for one in soc),
            "controls_seen": sum(result["control"] > 0 for result in done),
            "controls_first": sum(result["control"] == 1 for result in done),
            "failures": [result for result in results if "failure" in result],
            "seconds_of_cases": round(sum(result["seconds"] for result in done)),
            "rows_by_pattern": dict(sorted(patterns.items())),
            "cases": [{name: result[name] for name in ("number", "shape", "options", "unusual", "array", "cycles", "control")}
                      | {"windows": result["counts"]["windows"], "mismatches": result["counts"]["mismatches"]}
                      for result in done]}


def run(seed, shapes, windows, jobs, out):
    """Run what is missing; returns the summary."""
    sources = sources_digest()
    folder  = ROOT / "build" / "verify" / f"{sources}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    points = plan(shapes, windows)
    files  = {number: folder / f"{number}-{count}.json" for number, count, _ in points}
    todo   = [point for point in points if not files[point[0]].exists()]
    print(f"seed {seed}: {len(points) - len(todo)} of {len(points)} shapes are done, in {folder}", flush=True)
    workers, waiting, running, begin = Processes(jobs, _case), list(todo), 0, time.perf_counter()
    try:
        while waiting or running:
            while waiting and running < jobs:
                point = waiting.pop(0)
                workers.submit(point[0], seed, point)
                running += 1
            for number, result in workers.finished(1.0):
                running -= 1
                if "failure" not in result:
                    write_atomically(files[number], json.dumps(result))
                else:
                    files[number].with_suffix(".failed").write_text(json.dumps(result))
                counts = result.get("counts", {})
                print(f"{len(todo) - len(waiting) - running:4}/{len(todo)}  shape {number}: "
                      f"{result.get('failure') or str(counts['mismatches']) + ' mismatches'}, "
                      f"{time.perf_counter() - begin:.0f} s", flush=True)
    except KeyboardInterrupt:
        workers.stop()
        print("stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    workers.close()
    results = []
    for number, path in files.items():
        failed = path.with_suffix(".failed")
        results.append(json.loads((path if path.exists() else failed).read_text()) | {"number": number})
    found = summary(seed, sources, results)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(found, indent=1) + "\n")
    return found


def main(seed: Annotated[int, typer.Option(help="Of shapes, models and windows.")] = 1,
         shapes: Annotated[int, typer.Option(min=1)] = SHAPES, windows: Annotated[int, typer.Option(min=1)] = WINDOWS,
         jobs: Annotated[int, typer.Option(min=1)] = 2,
         out: Annotated[Path, typer.Option(help="Where the summary goes.")] = RESULT):
    """Compare windows of random shapes with the golden model."""
    found = run(seed, shapes, windows, jobs, out)
    print(f"windows {found['windows']}, shapes {found['shapes']}, mismatches {found['mismatches']}, wrong cycle counts "
          f"{found['wrong_cycles']}, aborts {found['aborts']}; through the SoC: windows {found['soc_windows']}, mismatches "
          f"{found['soc_mismatches']}; corrupted weights seen {found['controls_seen']} of {found['shapes']}; "
          f"failures {len(found['failures'])}; seed {seed}")
    wrong = found["mismatches"] or found["wrong_cycles"] or found["soc_mismatches"] or found["failures"]
    raise typer.Exit(bool(wrong))


if __name__ == "__main__":
    typer.run(main)
