# SPDX-License-Identifier: BSD-2-Clause
"""A CSV, or several, as rows in time: read, sorted, bridged or averaged, with their recordings."""

import glob
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader import columns as kinds
from liteformer.train.data.reader.order import in_order
from liteformer.train.data.reader.read import read
from liteformer.train.data.reader.regular import averaged, bridged
from liteformer.train.data.reader.rules import Rules
from liteformer.train.data.recordings import starts_of
from liteformer.train.data.steps import Steps, find_steps

LARGEST = 1e30  # A float32 network cannot square more.


@dataclass(frozen=True)
class Prepared:
    """Args:
    table: Table; groups: ``(rows,)``, recording of every row, or None; follows: bool ``(rows,)``, one step after the row
        before; steps: Steps, or None without times; filled: bool ``(rows,)``, rows with a filled number, or None;
        guessed: dict name -> bool ``(rows,)`` of those numbers.
    """

    table: object
    groups: np.ndarray | None
    follows: np.ndarray
    steps: Steps | None
    filled: np.ndarray | None
    guessed: dict

    def numbers(self, names):
        """Several columns, float64 ``(rows, len(names))``.

        Raises:
            LiteFormerError: no such column, no numbers, or too large ones.
        """
        columns = [self.table.numbers(name) for name in names]
        for name, values in zip(names, columns):
            top = np.nanmax(np.abs(values), initial=0)
            if top > LARGEST:
                raise LiteFormerError(
                    f"{self.table.path}, column {name!r} holds numbers up to {top:.3g}, beyond {LARGEST:g}; divide "
                    "the column by a constant or leave it out"
                )
        return np.stack(columns, axis=1)

    def truths(self, names):
        """The same, NaN where a number was filled."""
        values = self.numbers(names)
        for index, name in enumerate(names):
            if name in self.guessed:
                values[self.guessed[name], index] = np.nan
        return values

    @property
    def notes(self):
        """Sentences for the user."""
        return [*self.table.notes.texts, *(self.steps.notes if self.steps else ())]


def prepare(options, path=None, learned=None, group=None, optional=False):
    """Read what ``--path`` names.

    Args:
        options: TrainOptions; path: instead of theirs; learned: of ``Table.learned``; group: column of recordings;
            optional: the file may lack ``options.timestamp``.
    Returns:
        Prepared.
    Raises:
        LiteFormerError: bad input, one sentence.
    """
    path = path or options.path
    paths = paths_of(path)
    rules, tables = Rules.of(options), []
    for one in paths:
        before = learned or (tables[0].learned(tables[0].columns) | {"missing": {}} if tables else None)
        # Words are those of the first file; values that stand for missing may be in any.
        tables.append(
            read(one, rules, options.timestamp, before if learned or before is None else None, options.features or (), optional)
        )
    table, files = (tables[0], None) if len(tables) == 1 else joined(tables, path)
    groups = files
    if group is not None:
        groups = table.cells(group).astype(str).str.strip().to_numpy()
        if files is not None:
            groups = np.array([f"{file}/{name}" for file, name in zip(files, groups)])
    table, groups = in_order(table, groups)
    if options.every:
        table, groups = averaged(table, groups, options.every)
    filled, guessed = None, {}
    if options.fill:
        table, groups, filled, guessed = bridged(table, groups, options.fill)
    breaks = None if groups is None else starts_of(groups)
    follows, steps = np.ones(table.rows, bool), None
    if table.times is not None:
        follows, steps = find_steps(pd.Series(table.times), table.time, breaks)
        if table.notes.strict:
            for text in steps.notes:
                table.notes.add(text)
    elif breaks is not None:
        follows &= ~breaks
    return Prepared(table, groups, follows, steps, filled, guessed)


def paths_of(path):
    """Files that a path or a pattern names, sorted.

    Raises:
        LiteFormerError: none matches the pattern.
    """
    if Path(path).is_dir():
        raise LiteFormerError(f"{path} is a directory; name a file, or several with a pattern such as --path '{path}/*.csv'")
    if Path(path).is_file() or not glob.has_magic(str(path)):
        return [path]
    paths = sorted(glob.glob(str(path), recursive=True))
    if not paths:
        raise LiteFormerError(f"no file matches {path}; check --path")
    return paths


def joined(tables, pattern):
    """One Table of several files with the same columns, and the file of every row.

    Raises:
        LiteFormerError: their columns differ.
    """
    first = tables[0]
    for table in tables[1:]:
        if list(table.columns) != list(first.columns):
            odd = sorted(set(table.columns) ^ set(first.columns))
            raise LiteFormerError(
                f"{table.path} has other columns than {first.path}"
                f"{f' ({odd[0]!r} is not in both)' if odd else ' (in another order)'}; keep files of one kind"
            )
        if table.time != first.time:
            raise LiteFormerError(f"{table.path} has another column of times than {first.path}; name it with --timestamp")
    columns = {name: _merged([table.columns[name] for table in tables], first, pattern) for name in first.columns}
    for column in columns.values():
        column.kind = kinds.refine(column)
    for table in tables:
        for text in table.notes.texts:
            if f"{Path(first.path).name}: {text}" not in first.notes.texts or table is not first:
                first.notes.texts = [*first.notes.texts]
    texts = [f"{Path(table.path).name}: {text}" for table in tables for text in table.notes.texts]
    first.notes.texts = texts
    whole = replace(
        first,
        path=pattern,
        columns=columns,
        rows=sum(table.rows for table in tables),
        times=None if first.times is None else np.concatenate([table.times for table in tables]),
        lines=np.concatenate([table.lines for table in tables]),
    )
    names = [str(Path(table.path)) for table in tables]
    return whole, np.repeat(names, [table.rows for table in tables])


def _merged(parts, table, path):
    if all(part.values is not None and not part.words for part in parts):
        kind = (
            "id"
            if any(part.kind == "id" for part in parts)
            else ("spoiled" if any(part.kind == "spoiled" for part in parts) else "number")
        )
        bad = next((part.bad for part in parts if part.bad), None)
        return kinds.Column(
            parts[0].name,
            kind,
            np.concatenate([part.values for part in parts]),
            sentinels=sorted({value for part in parts for value in part.sentinels}),
            bad=bad,
        )
    cells = pd.concat([part.cells if part.cells is not None else pd.Series(part.values) for part in parts], ignore_index=True)
    return kinds.column_of(cells.astype(object), parts[0].name, path, None, Rules(), table.first_row, table.notes)
