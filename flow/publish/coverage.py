# SPDX-License-Identifier: BSD-2-Clause
"""Which lines and branches of the packages the quick tests reach, docs/results/coverage.json; every file below the limit has a
reason here. The end of `make coverage`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import markdown
from liteformer.flow.publish.repository import ROOT

RESULT = ROOT / "docs" / "results" / "coverage.json"
LEAST  = 90.0            # Per cent of a file's lines and branches, together.

SLOW     = "run by slow tests: "
PEOPLE   = "rows of tables for people that need a routed, netlisted or failing design"
REFUSALS = "refusals and mends of unusual files, a line each"
LONG     = "the command of a long measurement; the page is checked against what is stored"
REASONS = {
    **dict.fromkeys([f"flow/prove/{name}.py" for name in ("program", "registers", "arithmetic", "control", "drain", "run")],
                    SLOW + "`test_proofs.py::test_long_proofs`, and `make prove`"),
    **dict.fromkeys([f"flow/verify/{name}.py" for name in ("mutants", "mutated_core")], SLOW + "`test_mutants.py`"),
    **dict.fromkeys([f"flow/verify/{name}.py" for name in ("million", "case", "shapes")], SLOW + "`test_million.py`"),
    "flow/verify/faults.py": SLOW + "`test_faults.py::test_flips_are_noticed`",
    "flow/explore/sensitivity.py": SLOW + "`test_explore.py::test_sensitivity`",
    "train/loop/lowering.py": SLOW + "`test_explore.py::test_sensitivity`",
    "flow/explore/pick.py": SLOW + "`test_explore.py::test_the_device_is_handed_over`",
    "flow/explore/show.py": "the table that is drawn on a terminal while a search runs",
    "flow/common/workers.py": "what runs in worker processes, or when one is killed",
    "flow/stream/terminal.py": SLOW + "`test_run_links.py::test_the_terminal_of_the_command_line`, in a process of its own",
    "flow/commands/simulate.py": SLOW + "`test_run_links.py::test_the_terminal_of_the_command_line`, in a process of its own",
    **dict.fromkeys(["flow/commands/demo.py", "flow/runs/demo.py"], SLOW + "`tests/docs/test_wheel.py` runs the demo"),
    "flow/measure/bitstream_ice40.py": SLOW + "`test_bitstream_ice40.py::test_the_bitstream_computes_the_same`",
    "flow/measure/hardware.py": SLOW + "`test_end_to_end.py::test_area_of_the_soc`",
    "flow/measure/lut4.py": SLOW + "syntheses for other families than the 7 series",
    "flow/measure/routing.py": "messages of a router that fails",
    "flow/runs/simulate.py": SLOW + "`test_simulate.py`, netlists of SoCs",
    "flow/runs/bench.py": SLOW + "`test_end_to_end.py::test_bench_of_random_weights`",
    "flow/runs/software.py": SLOW + "`test_software.py::test_bench_with_multiplier_and_without`",
    "flow/publish/benchmark_points.py": SLOW + "`test_benchmark.py::test_a_point_is_trained_measured_and_stored`",
    "flow/publish/site.py": SLOW + "`test_site.py`, in a browser",
    **dict.fromkeys([f"flow/publish/{name}.py" for name in ("fit_area", "benchmark", "performance")], LONG),
    **dict.fromkeys([f"flow/commands/{name}.py" for name in ("load_model", "train", "tables", "evaluate", "bench")], PEOPLE),
    **dict.fromkeys([f"flow/report/{name}.py" for name in ("text", "collect")], PEOPLE),
    "boards/target.py": "the command line of a board's own file, called in a process of its own",
    "soc/cpu.py": SLOW + "`tests/soc/test_matrix.py`, CPUs whose packages write Verilog",
    "accel/gateware/simulate.py": "statements that Migen has and the gateware does not use",
    "train/data/picture.py": "parts of a picture that only long or clipped series have",
    "train/loop/neighbours.py": "a comparison whose package fails",
    **dict.fromkeys([f"train/data/{name}.py" for name in ("inspect", "table", "prepare", "sets/airu")], REFUSALS),
    **dict.fromkeys([f"train/data/reader/{name}.py" for name in ("workbook", "encoding", "regular", "numbers", "order")],
                    REFUSALS),
}


def summary(report):
    """Of a report of ``coverage json``.

    Returns:
        dict: ``total`` in per cent; ``files``; ``below``: path -> per cent, of those below LEAST.
    """
    files = {name.replace("\\", "/"): one["summary"]["percent_covered"] for name, one in report["files"].items()}
    return {"total": round(report["totals"]["percent_covered"], 1), "files": len(files),
            "below": {name: round(share, 1) for name, share in sorted(files.items(), key=lambda item: item[1])
                      if share < LEAST}}


def unexplained(found):
    """Files below LEAST that have no reason."""
    return [name for name in found["below"] if name not in REASONS]


def page(found):
    """Text and table of the test plan; ``found``: of ``summary``."""
    text = (f"`make coverage`: the quick tests reach {found['total']} % of the lines and branches of the {found['files']} "
            f"files of the packages. Below {LEAST:.0f} %:")
    rows = [(f"`{name}`", f"{share:.1f}", REASONS.get(name, "")) for name, share in found["below"].items()]
    return f"{text}\n\n{markdown(['file', '%', 'why'], rows)}"


def main(report: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Of `coverage json`.")]):
    """Keep the figures, and end with an error where a file below the limit has no reason."""
    found = summary(json.loads(report.read_text()))
    write_atomically(RESULT, json.dumps(found, indent=1) + "\n")
    print(f"{found['total']} % of {found['files']} files; {len(found['below'])} below {LEAST:.0f} %")
    for name in unexplained(found):
        print(f"{name}: {found['below'][name]} %, tested too little and without a reason in flow/publish/coverage.py")
    raise typer.Exit(bool(unexplained(found)))


if __name__ == "__main__":
    typer.run(main)
