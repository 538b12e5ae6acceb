# SPDX-License-Identifier: BSD-2-Clause
"""What a file holds, for a person who is about to train on it."""

import re
import shlex

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.csv_file import BESIDE_LABELS, TARGETS, inputs
from liteformer.train.data.labels import ANOMALOUS, NORMAL, class_key
from liteformer.train.data.prepare import prepare
from liteformer.train.data.reader.columns import why_left_out
from liteformer.train.data.steps import duration

OPTIONS = ("separator", "decimal", "encoding", "skip_rows", "dayfirst", "missing", "timezone", "fill", "every", "timestamp")


def inspect(options, given):
    """Read a file and describe it.

    Args:
        options: TrainOptions with data csv; given: dict of the reading options that the user gave, for the line to train with.
    Returns:
        ``(result, prepared)``: JSON-able dict, Prepared.
    Raises:
        LiteFormerError: it cannot be read.
    """
    data = prepare(options)
    table = data.table
    features = inputs(data)
    rows = [_column(table.columns[name], data, name in features) for name in table.columns]
    times = None
    if table.times is not None:
        dated = table.times.dtype.kind == "M"
        ends = [str(table.times[at].astype("datetime64[ms]")) if dated else float(table.times[at]) for at in (0, -1)]
        gaps = np.flatnonzero(~data.follows[1:]) + 1
        times = {"column": table.time, "first": ends[0], "last": ends[1], "step": data.steps.usual, "gaps": data.steps.gaps,
                 "longest_gap": _longest(table.times, gaps, dated), "longest_stretch": _stretch(data.follows)}
    result = {"path": str(options.path), "rows": table.rows, **{name: table.found[name] for name in (
        "separator", "decimal", "encoding", "skipped_lines", "named", "units")}, "times": times, "columns": rows,
        "missing": {name: column.sentinels for name, column in table.columns.items() if column.sentinels},
        "words": {name: column.words for name, column in table.columns.items() if column.words},
        "notes": data.notes, "train": train_line(options.path, table, features, given)}
    return result, data


def _column(column, data, feature):
    result = {"name": column.name, "kind": column.kind, "feature": feature,
              "why": "" if feature else why_left_out(column) or "has too many gaps"}
    if column.values is None:
        cells = column.cells
        kinds = cells.dropna().map(class_key).value_counts()
        return result | {"low": None, "high": None, "mean": None, "missing": int(cells.isna().sum()), "sentinels": [],
                         "values": {str(key): int(count) for key, count in kinds.iloc[:8].items()}}
    known = column.values[np.isfinite(column.values)]
    return result | {"low": float(known.min()) if len(known) else None, "high": float(known.max()) if len(known) else None,
                     "mean": float(known.mean()) if len(known) else None, "missing": int(len(column.values) - len(known)),
                     "sentinels": list(column.sentinels), "values": {}}


def _longest(times, gaps, dated):
    if not len(gaps):
        return None
    steps = (times[gaps] - times[gaps - 1]).astype(np.float64)
    return duration(steps.max() / 1e9) if dated else float(steps.max())


def _stretch(follows):
    """Rows of the longest stretch without gap."""
    starts = np.flatnonzero(np.r_[True, ~follows[1:]])
    return int(np.diff(np.r_[starts, len(follows)]).max())


def train_line(path, table, features, given):
    """The command that trains on a file, ready to copy.

    Args:
        path: of the file; table: Table; features: names of its inputs; given: dict of reading options to repeat.
    """
    words = ["liteformer", "train", "--path", str(path)]
    label = next((name for name, column in table.columns.items() if name.casefold() in BESIDE_LABELS and _binary(column)), None)
    classes = next((name for name, column in table.columns.items() if column.kind == "label"), None) if not features else None
    if label:
        words += ["--task", "anomaly", "--label", label]
    elif classes:
        words += ["--task", "classification", "--label", classes]
    else:
        full = features
        if not full:
            raise LiteFormerError(f"{path} has no column of numbers; check --separator and --decimal")
        named = [name for name in full if name.casefold() in TARGETS]
        measured = [name for name in full if table.columns[name].kind == "number"] or full
        words += ["--target", (named or measured)[0]]
    for name in OPTIONS:
        value = given.get(name)
        if value is None or value in (0, []):
            continue
        option = f"--{name.replace('_', '-')}"
        text = ",".join(value) if isinstance(value, list) else str(value)
        if isinstance(value, bool):
            words.append(option if value else "--no-dayfirst")
        else:
            words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    out = re.sub(r"\W+", "_", str(path).rsplit("/", 1)[-1].rsplit(".", 1)[0]).strip("_") or "model"
    return shlex.join([*words, "--out", f"build/{out}"])


def _binary(column):
    if column.values is not None:
        known = column.values[np.isfinite(column.values)]
        return set(np.unique(known[:100000])) == {0.0, 1.0}
    kinds = set(column.cells.dropna().map(class_key))
    return len(kinds) == 2 and bool(kinds & (NORMAL | ANOMALOUS))
