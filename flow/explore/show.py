# SPDX-License-Identifier: BSD-2-Clause
"""Display of an exploration: a bar with the front below it while it runs, the front as a table at its end."""

import sys
import time
from contextlib import contextmanager

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from liteformer.flow.explore import objectives as known
from liteformer.flow.explore.space import label

MOST_ROWS = 12  # Of the front under the bar.
HEADS = {"rmse": "RMSE", "rmse_proxy": "RMSE, proxy", "error": "error", "error_proxy": "error, proxy",
         "latency_us": "µs, core", "end_to_end_us": "µs, all", "energy_uj": "µJ", "luts": "LUT"}
FORMATS = {"rmse": "{:.3f}", "rmse_proxy": "{:.3f}", "error": "{:.4f}", "error_proxy": "{:.4f}",
           "latency_us": "{:.2f}", "end_to_end_us": "{:.2f}", "energy_uj": "{:.3g}", "luts": "{:,.0f}"}
QUIET_SECONDS, SAME_SECONDS = 5, 60  # Between two lines where there is no terminal; if nothing has changed.


def counts(rows):
    """dict ``evaluated``, ``feasible``, ``infeasible``, ``failed`` of rows."""
    states = [row["state"] for row in rows]
    return {"evaluated": len(rows), "feasible": states.count("ok"), "infeasible": states.count("infeasible"),
            "failed": states.count("failed")}


def front_table(front, columns, most=None, **style):
    """Rows of a front as a table.

    Args:
        columns: of the objectives; most: rows at most; style: of the Table.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), **style)
    # A column with the same value in every row is omitted.
    varied = [name for name in ("stride", "heads", "layers", "ffn_ratio", "readout", "cpu")
              if len({row["point"].get(name) for row in front}) > 1]
    for name in ("trial", "window, d, bits", *(HEADS[name] for name in columns), *varied, "array"):
        table.add_column(name.removesuffix("_ratio"), justify="right" if name != "window, d, bits" else "left")
    for row in front[:most]:
        point, figures = row["point"], row["figures"]
        table.add_row(str(row["number"]), label(point), *(FORMATS[name].format(figures[name]) for name in columns),
                      *(f"{point[name]} x d" if name == "ffn_ratio" else str(point[name]) for name in varied),
                      figures.get("array", "-"))
    if most and len(front) > most:
        table.add_row("", f"and {len(front) - most} more")
    return table


def render(result):
    """The command's result as a table."""
    done, columns = result["trials"], result["columns"]
    meaning = [f"{column}: {result['meaning'][name]}" for name, column in zip(result["objectives"], columns)
               if name in result["meaning"]]
    text = [f"{done['evaluated']} points evaluated, {done['infeasible']} of them do not fit {result['device']}"
            + (f", {done['failed']} failed" if done["failed"] else ""), *meaning,
            f"hardware: {result['meaning']['hardware']}", ", ".join(result["files"].values())]
    return Group(front_table(result["front"], columns, title=f"Pareto front: {_points(result['front'])}"),
                 *(escape(line) for line in text))


@contextmanager
def watching(total, columns):
    """Shows an exploration on stderr: live on a terminal, elsewhere a line every few seconds.

    Yields:
        callable ``(rows, front)``.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        printed = {"time": -SAME_SECONDS, "text": None}

        def line(rows, front):
            text, passed = summary(rows, front, columns, total), time.monotonic() - printed["time"]
            if passed > (QUIET_SECONDS if text != printed["text"] else SAME_SECONDS) or len(rows) == total:
                printed.update(time=time.monotonic(), text=text)
                print(f"  {text}", file=sys.stderr, flush=True)
        yield line
        return
    bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), MofNCompleteColumn(),
                   TimeElapsedColumn(), console=console)
    task = bar.add_task("Explore", total=total)
    with Live(bar, console=console, transient=True, refresh_per_second=4) as live:
        def draw(rows, front):
            done = counts(rows)
            bar.update(task, completed=len(rows), description=f"Explore; {done['infeasible']} do not fit")
            live.update(Group(bar, front_table(front, columns, MOST_ROWS, title=f"front so far: {_points(front)}")))
        yield draw


def _points(front):
    return f"{len(front)} point{'' if len(front) == 1 else 's'}"


def summary(rows, front, columns, total):
    """One line: the progress, and the range of the front."""
    text = f"{len(rows)}/{total} points, {counts(rows)['infeasible']} do not fit; front of {len(front)}"
    for name in columns if front else ():
        values = [row["figures"][name] for row in front]
        text += f", {name} {FORMATS[name].format(min(values))} to {FORMATS[name].format(max(values))}"
    return text


def titles(result):
    """Axis title of each objective's column."""
    return {column: known.title(name, result["fidelity"], result["task"])
            for name, column in zip(result["objectives"], result["columns"])}
