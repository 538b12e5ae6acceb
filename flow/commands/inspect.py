# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer inspect`: what the reader finds in a file, before a training."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.cache import whole_file

WORDS = {"number": "numbers", "words": "two words", "label": "words", "text": "text", "constant": "constant",
         "count": "row numbers", "id": "identities", "empty": "empty", "spoiled": "numbers and words"}


def _number(value):
    return "" if value is None else f"{value:.6g}"


def _folded(command):
    """A command over several lines, as a shell takes it."""
    lines = [""]
    for word in map(shlex.quote, shlex.split(command)):
        if lines[-1] and len(lines[-1]) + len(word) > 74:
            lines.append(" ")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\n".join(lines)


def _render(result):
    table = Table(title=escape(f"{result['path']}: {result['rows']:,} rows"))
    for name in ("column", "kind", "lowest", "highest", "missing", "feature"):
        table.add_column(name, justify="right" if name in ("lowest", "highest", "missing") else "left")
    for column in result["columns"]:
        codes = ", ".join(f"{value:g}" for value in column["sentinels"])
        words = ", ".join(f"{word} = {value}" for word, value in result["words"].get(column["name"], {}).items())
        kind = f"{WORDS[column['kind']]}{f' ({words})' if words else ''}"
        table.add_row(escape(column["name"]), escape(kind), _number(column["low"]),
                      _number(column["high"]), f"{column['missing']:,}{f' ({codes})' if codes else ''}",
                      "yes" if column["feature"] else escape(column["why"] or "no"))
    lines = [f"separator {result['separator']!r}, decimal mark {result['decimal']!r}, encoding {result['encoding']}"]
    if result["times"]:
        times = result["times"]
        lines.append(f"times in {times['column']}: {times['first']} to {times['last']}, every {times['step']}, "
                     f"{times['gaps']:,} gaps" + (f" (the longest {times['longest_gap']})" if times["longest_gap"] else "")
                     + f", longest stretch without {times['longest_stretch']:,} rows")
    else:
        lines.append("no column of times: every row follows the one before")
    lines += [f"- {text}" for text in result["notes"]]
    lines += [f"picture: {result['picture']}"] if result["picture"] else []
    return Group(table, Text("\n".join([*lines, "", "To train:", _folded(result["train"])])))


def inspect(
    path: Annotated[str, typer.Argument(metavar="FILE", help="A CSV, or a pattern such as 'data/*.csv'.")],
    timestamp: Annotated[str | None, typer.Option(help="Column with the time; found if left out.",
                                                  rich_help_panel=options.READING)] = None,
    separator: options.Separator = None,
    decimal: options.Decimal = None,
    encoding: options.Encoding = None,
    skip_rows: options.SkipRows = None,
    dayfirst: options.DayFirst = None,
    missing: options.Missing = None,
    timezone: options.Timezone = None,
    strict: options.Strict = False,
    fill: options.Fill = 0,
    every: options.Every = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE.png",
                                             help="Draw every column over time, with gaps and outliers.")] = None,
    as_json: options.Json = False,
):
    """What the reader finds in a CSV: columns, kinds, ranges, missing values, times, gaps; and the line to train with.

    Examples:

    liteformer inspect plant.csv

    liteformer inspect plant.csv --plot build/plant.png

    liteformer inspect meters.csv --missing -999 --json
    """
    if plot and not plot.endswith(".png"):
        raise LiteFormerError(f"--plot {plot} does not end in .png; name a file such as build/plant.png")
    given = {"timestamp": timestamp, "separator": separator, "decimal": decimal, "encoding": encoding, "skip_rows": skip_rows,
             "dayfirst": dayfirst, "missing": options.names(missing), "timezone": timezone, "fill": fill, "every": every}
    from liteformer.train.data.inspect import inspect as examine
    from liteformer.train.loop.options import TrainOptions
    with console.work():
        result, data = examine(TrainOptions(data="csv", path=path, strict=strict, **given), given)
        if plot:
            from liteformer.train.data.picture import draw
            Path(plot).parent.mkdir(parents=True, exist_ok=True)
            with whole_file(Path(plot)) as temporary:
                draw(temporary, data)
    console.emit(result | {"picture": plot}, as_json, _render)
