# SPDX-License-Identifier: BSD-2-Clause
"""`make benchmark`: the missing points of docs/benchmark.md, then the page and a table of README.md from the stored ones."""

import argparse
import json
import sys
import textwrap

from liteformer.flow.common import console
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.inputs import at_least
from liteformer.flow.common.markdown import fill, markdown
from liteformer.flow.publish.benchmark_points import BITS, STORED, TASKS, measure_missing, points
from liteformer.flow.publish.repository import ROOT
from liteformer.train.metrics.horizons import shown_steps
from liteformer.train.metrics.intervals import centre

PAGE, README = ROOT / "docs" / "benchmark.md", ROOT / "README.md"
HEADLINE = 4    # Bits of the points that README.md shows.
NEIGHBOURS = {"persistence": "persistence", "least_squares": "least squares", "nlinear": "NLinear", "lightgbm": "LightGBM",
              "mlp": "MLP", "gru": "GRU"}
OTHERS = {"accuracy": ("majority", "logistic_regression"), "f1": ("three_sigma",)}
WORDS = {"majority": "most frequent class", "logistic_regression": "logistic regression", "three_sigma": "three sigma"}


def load(folder=STORED):
    """Stored figures by point, in the page's order: by task, then by width."""
    names = [f"{task}-{bits}bit" for task in TASKS for bits in sorted(BITS, reverse=True)]
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names if (folder / f"{name}.json").exists()}


def _text(figure):
    """A figure with four digits, or empty."""
    if figure is None:
        return ""
    value = centre(figure)
    digits = 0 if value >= 1000 else 1 if value >= 100 else 2 if value >= 10 else 3
    return f"{value:,.{digits}f}" + (f" ± {figure['std']:,.{digits}f}" if isinstance(figure, dict) else "")


def _cost(stored):
    hardware = stored["hardware"]
    if "refused" in hardware:
        return [f"{stored['parameters']:,}", "does not fit", "", ""]
    return [f"{stored['parameters']:,}", f"{hardware['cycles']:,}", f"{hardware['latency_us']:.2f}",
            f"{hardware['energy_uj']:.3g}"]


def _head(name, stored):
    shape = stored["options"]
    patches = f" in {shape['patch']}/{shape['stride']}" if shape["patch"] > 1 else ""
    return [TASKS[name.rpartition("-")[0]][0], f"{shape['window']}{patches}", str(shape["bits"])]


def _errors(entry):
    """Cells of the integer model and of every baseline, the best one bold."""
    figures = [entry["rmse"].get(key) for key in ("integer", *NEIGHBOURS)]
    best = min(centre(figure) for figure in figures if figure is not None)
    return [f"**{_text(figure)}**" if centre(figure) == best else _text(figure) for figure in figures]


def forecasts(stored):
    """Table of the forecasts, a row a point."""
    rows = []
    for name, entry in stored.items():
        if entry["task"] == "forecast":
            own, (first, *rest) = entry["rmse"]["integer"], _errors(entry)
            interval = f"{_text(own.get('low'))} to {_text(own.get('high'))}" if isinstance(own, dict) else ""
            rows.append([*_head(name, entry), first, interval, *rest, *_cost(entry)])
    return markdown(["test RMSE", "window", "bits", "integer", "95 % interval", *NEIGHBOURS.values(), "parameters", "cycles",
                     "µs", "µJ, estimate"], rows) if rows else "No point is stored."


def headline(stored):
    """README.md's table: the forecasts at HEADLINE bits."""
    rows = []
    for name, entry in stored.items():
        if entry["task"] == "forecast" and entry["options"]["bits"] == HEADLINE:
            title, window, _ = _head(name, entry)
            rows.append([title, window, *_errors(entry), _cost(entry)[1]])
    return markdown(["test RMSE", "window", "LiteFormer", *NEIGHBOURS.values(), "cycles"], rows) if rows else \
        "No point is stored."


def decisions(stored):
    """Table of classes and alarms, a row a point."""
    rows = []
    for name, entry in stored.items():
        figure = "accuracy" if "accuracy" in entry else "f1"
        if entry["task"] != "forecast":
            beside = ", ".join(f"{WORDS[key]} {_text(entry[figure][key])}" for key in OTHERS[figure] if key in entry[figure])
            rows.append([*_head(name, entry), {"f1": "F1"}.get(figure, figure), _text(entry[figure]["integer"]),
                         _text(entry[figure]["float"]), beside, *_cost(entry)])
    return markdown(["task", "window", "bits", "metric", "integer", "float", "beside", "parameters", "cycles", "µs",
                     "µJ, estimate"], rows) if rows else "No point is stored."


def steps(stored):
    """Table of some steps of the forecasts of several."""
    rows = []
    for name, entry in stored.items():
        by_step = entry.get("rmse_by_step")
        for step in shown_steps(len(by_step["integer"])) if by_step else ():
            own, *rest = [by_step[key][step - 1] if by_step.get(key) else None for key in ("integer", *NEIGHBOURS)]
            rows.append([*_head(name, entry), str(step), _text(own), *map(_text, rest)])
    return markdown(["test RMSE", "window", "bits", "step", "integer", *NEIGHBOURS.values()], rows) if rows else \
        "No point with several steps is stored."


def losses(stored):
    """Where a baseline is better than the integer model: a sentence a point."""
    lines = []
    for name, entry in stored.items():
        figure = next(key for key in ("accuracy", "f1", "rmse") if key in entry)
        own, sign = entry[figure]["integer"], 1 if figure == "rmse" else -1
        known = {key: centre(entry[figure].get(key)) for key in (NEIGHBOURS if figure == "rmse" else OTHERS[figure])}
        better = sorted((sign * value, key) for key, value in known.items()
                        if value is not None and sign * value < sign * centre(own))
        listed = [f"{(NEIGHBOURS | WORDS)[key]} {_text(known[key])}{' (inside the interval)' * _inside(own, known[key])}"
                  for _, key in better]
        if listed:
            title, _, bits = _head(name, entry)
            lines.append(f"- {title}, {bits} bits ({_text(own)}): {', '.join(listed)}.")
    return "\n".join(lines) or "No stored point has a baseline that is better."


def _inside(figure, value):
    """Whether a value lies in the interval of a figure that has one."""
    return isinstance(figure, dict) and "low" in figure and figure["low"] <= value <= figure["high"]


def absent(stored):
    """What the page lacks, a sentence."""
    lacking = [name for name in points() if name not in stored]
    if not lacking:
        return f"All {len(stored)} points are stored."
    return textwrap.fill(f"{len(stored)} of {len(points())} points are stored. Missing: {', '.join(lacking)}. `make benchmark` "
                         "trains and measures them.", 128, break_on_hyphens=False)


def page(text, stored):
    """The page with its blocks filled from the stored figures."""
    for name, block in (("points", absent(stored)), ("forecasts", forecasts(stored)), ("decisions", decisions(stored)),
                        ("steps", steps(stored)), ("losses", losses(stored))):
        text = fill(text, name, block)
    return text


def main():
    """Points to measure from the arguments, all if there are none; bad input ends in one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__,
                                     usage='make benchmark [JOBS=N] [ONLY="NAME ..."] [PAGE=1]')
    parser.add_argument("names", nargs="*", metavar="NAME", help="point or task to measure; all if left out")
    parser.add_argument("--jobs", type=int, default=1, help="tasks at a time, one if left out")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the tables")
    arguments = parser.parse_args()
    with console.sentences():
        at_least("jobs", arguments.jobs, 1)
        try:
            if not arguments.page:
                measure_missing(arguments.names, jobs=arguments.jobs)
        except KeyboardInterrupt:
            console.note("stopped; finished points are kept, and the same command resumes from there")
            sys.exit(130)
        finally:
            stored = load()
            write_atomically(PAGE, page(PAGE.read_text(), stored))
            write_atomically(README, fill(README.read_text(), "benchmark", headline(stored)))
            console.note(f"{PAGE} and the table of {README.name} written from {len(stored)} stored points")


if __name__ == "__main__":
    main()
