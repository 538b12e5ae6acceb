# SPDX-License-Identifier: BSD-2-Clause
"""A file as a Table: every column with its kind, the times, and what was guessed or mended."""

import csv
import io
import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader import columns as kinds
from liteformer.train.data.reader.cells import EMPTY
from liteformer.train.data.reader.clock import find_times
from liteformer.train.data.reader.dialect import NAMES, find_dialect
from liteformer.train.data.reader.encoding import find_encoding, read_bytes
from liteformer.train.data.reader.header import find_header
from liteformer.train.data.reader.numbers import check_marks
from liteformer.train.data.reader.rules import Notes, Rules, rows_text
from liteformer.train.data.reader.sentinels import find_sentinels
from liteformer.train.data.reader.shape import check_shape, tell_unread_times, without_sums
from liteformer.train.data.reader.workbook import as_text

# From 3.1 on pandas reads every number exactly; before, it must be told.
PRECISION = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
HEAD = 1 << 18  # Bytes of a file from which separator, decimal mark and names are found.


@dataclass
class Table:
    """What a file holds.

    Args:
        path: of the file; columns: dict name -> Column, in the order of the file, without those of the time.
        times: ``(rows,)``, datetime64[ns] (UTC where a zone is known) or float64, or None; time: name of their column, or names
            with blanks between.
        first_row: lines before the first row; rows: number of rows; notes: Notes; found: dict of what the reader found out.
        lines: int64 ``(rows,)``, row of the file that each comes from, from 0; names: of all columns in the file.
    """

    path: object
    columns: dict
    times: np.ndarray | None
    time: str | None
    first_row: int
    rows: int
    notes: Notes
    found: dict
    lines: np.ndarray = field(default=None)
    names: list = field(default_factory=list)

    def __post_init__(self):
        if self.lines is None:
            self.lines = np.arange(self.rows)

    def column(self, name):
        """Column of a name.

        Raises:
            LiteFormerError: there is none.
        """
        if name not in self.columns:
            listed = self.names or list(self.columns)
            raise LiteFormerError(f"{self.path} has no column {name!r}; it has: {', '.join(listed)}")
        return self.columns[name]

    def numbers(self, name):
        """Numbers of a column, float64 ``(rows,)``, NaN where missing.

        Raises:
            LiteFormerError: there is none, or it holds text.
        """
        column = self.column(name)
        kinds.check_numbers(column, self.path, self.first_row)
        return column.values

    def cells(self, name):
        """Cells of a column as pandas Series: numbers, or text."""
        column = self.column(name)
        if column.cells is None:
            return pd.Series(column.values)
        return column.cells

    def take(self, rows):
        """The same Table of some rows, in their order."""
        return replace(
            self,
            columns={name: column.take(rows) for name, column in self.columns.items()},
            times=None if self.times is None else self.times[rows],
            rows=len(rows),
            lines=self.lines[rows],
        )

    def inputs(self, besides=(), rows=None):
        """Names of the columns that are features unless the user names some; the others are said.

        Args:
            besides: names that are not considered; rows: slice in which a column must not be constant, or None.
        """
        chosen = []
        for name, column in self.columns.items():
            if name in besides:
                continue
            why = kinds.why_left_out(column)
            if column.kind == "spoiled":
                kinds.check_numbers(column, self.path, self.first_row)
            if not why and rows is not None:
                known = column.values[rows]
                known = known[np.isfinite(known)]
                why = "has the same value in all training rows" if len(known) and known.min() == known.max() else ""
            if not why:
                chosen.append(name)
                if column.words:
                    listed = ", ".join(f"{word!r} is {value}" for word, value in column.words.items())
                    self.notes.add(f"column {name!r}: {listed}")
            elif column.kind != "empty" or not re.fullmatch(r"column \d+", name):
                self.notes.add(f"column {name!r} {why} and is no feature")
        return chosen

    def learned(self, names):
        """What a model must know to read the same columns again: dict "words" and "missing" by name of the column."""
        chosen = [self.columns[name] for name in names if name in self.columns]
        return {
            "words": {column.name: column.words for column in chosen if column.words},
            "missing": {column.name: column.sentinels for column in chosen if column.sentinels},
        }


def read(path, rules=None, timestamp=None, learned=None, features=(), optional=False):
    """Read a file.

    Args:
        path: of a text table; rules: Rules; timestamp: name of the column of times, None to find it; learned: what
            ``Table.learned`` gave when a model was trained, whose words and missing values are then the only ones; features:
            names that are no times, unless ``timestamp`` is one; optional: the file may lack ``timestamp``.
    Returns:
        Table.
    Raises:
        LiteFormerError: it cannot be read, or could be read in two ways; one sentence.
    """
    rules = rules or Rules()
    notes = Notes(rules.strict)
    data = read_bytes(path)
    text = as_text(data, path, notes)
    if text is not None:
        data, rules = text, replace(rules, separator=",", decimal=".", encoding="utf-8")
    encoding = find_encoding(data, path, rules, notes)
    dialect = find_dialect(_head(data, encoding), path, rules)
    header = find_header(dialect, rules, notes)
    frame = _parse(data, path, encoding, dialect, header, rules)
    frame, dropped = _without_empty_end(frame)
    if dropped > 1:
        notes.add(f"{rows_text(dropped, 'empty row')} at the end are left out")
    if not len(frame):
        raise LiteFormerError(f"{path} is empty; check --path")
    frame.columns = header.names
    check_marks(frame, [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])], path, dialect)
    empty = [name for name in frame if frame[name].isna().all() and (re.fullmatch(r"column \d+", name))]
    if empty:
        frame = frame.drop(columns=empty)
        notes.add(f"{rows_text(len(empty), 'empty column')} without a name {'is' if len(empty) == 1 else 'are'} left out")
    if optional and (timestamp not in frame.columns or timestamp in features):
        timestamp = None
    times, time, used, frame = find_times(frame, path, rules, header.first, notes, timestamp, features)
    words = (learned or {}).get("words", {})
    columns = {
        name: kinds.column_of(frame[name], name, path, dialect, rules, header.first, notes, words.get(name))
        for name in frame.columns
        if name not in used
    }
    if header.row_names:
        name = header.names[0]
        if name in columns and columns[name].kind in ("number", "text", "label"):
            columns[name].kind = "id" if columns[name].kind != "number" else "count"
    _sentinels(columns, rules, learned, notes)
    for column in columns.values():
        column.kind = kinds.refine(column)
    found = {
        "separator": dialect.separator,
        "separator_name": NAMES.get(dialect.separator, repr(dialect.separator)),
        "decimal": dialect.decimal,
        "encoding": encoding,
        "skipped_lines": header.skipped,
        "header": header.named,
        "units": header.units,
        "named": header.named,
    }
    table = Table(path, columns, times, time, header.first, len(frame), notes, found, names=list(frame.columns))
    check_shape(table, timestamp, features)
    tell_unread_times(table)
    return without_sums(table)


def _head(data, encoding):
    """The first whole lines of a text."""
    text = data[:HEAD].decode(encoding, errors="ignore")
    if len(data) > HEAD:
        cut = max(text.rfind("\n"), text.rfind("\r"))
        text = text[: cut + 1] if cut > 0 else text
    lines = text.splitlines(keepends=True)
    return "".join(lines[:500]) if len(lines) > 500 else text


def _parse(data, path, encoding, dialect, header, rules):
    """DataFrame of the rows, columns numbered.

    Raises:
        LiteFormerError: a row has more cells than the others, or quotes are not closed.
    """
    width, between = len(header.names), NAMES.get(dialect.separator, repr(dialect.separator))
    missing = [cell for cell in rules.missing or () if cell.casefold() != "none"]
    blanks = dialect.separator == " "
    options = {"sep": r"\s+"} if blanks else {"sep": dialect.separator, "skipinitialspace": dialect.separator != "\t"}
    try:
        # One column more than there are: pandas drops what is beyond the last without a word.
        frame = pd.read_csv(io.BytesIO(data), encoding=encoding, header=None, names=range(width + 1), skiprows=header.first,
                            decimal=dialect.decimal, skip_blank_lines=False, low_memory=False, keep_default_na=False,
                            na_values=[*EMPTY, *missing], index_col=False, on_bad_lines="error", **PRECISION, **options)
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(width))
    except (pd.errors.ParserError, csv.Error, ValueError, UnicodeError) as error:
        wrong = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", str(error))
        if wrong:
            raise _too_wide(path, int(wrong[1]), wrong[2], between, width) from None
        raise LiteFormerError(f"{path} is not a readable CSV ({str(error).strip()}); check --path") from None
    beyond = np.flatnonzero(frame[width].notna())
    if len(beyond):
        raise _too_wide(path, int(beyond[0]) + header.first + 1, width + 1, between, width)
    return frame.drop(columns=width)


def _too_wide(path, row, count, between, usual):
    return LiteFormerError(f"{path}, row {row} has {count} cells between {between} instead of {usual}; correct the row, or "
                           "name the separator with --separator")


def _without_empty_end(frame):
    """``(frame, rows)``: without the rows at the end that hold nothing, and their number."""
    full = frame.notna().any(axis=1).to_numpy()
    last = int(np.flatnonzero(full)[-1]) + 1 if full.any() else 0
    return frame.iloc[:last], len(frame) - last


def _sentinels(columns, rules, learned, notes):
    """Makes numbers that stand for missing missing."""
    if learned is not None:
        found = {name: dict.fromkeys(values, (0, "")) for name, values in learned.get("missing", {}).items()}
    elif rules.missing is not None:
        # As numbers too: -200 is also -200,00.
        found = {name: {value: (0, "") for value in rules.codes if (column.values == value).any()}
                 for name, column in columns.items() if column.values is not None}
    else:
        found = find_sentinels({name: column.values for name, column in columns.items() if column.kind == "number"})
    for name, values in found.items():
        if name not in columns or columns[name].values is None:
            continue
        column = columns[name]
        column.values = column.values.copy()
        for value, (count, why) in values.items():
            column.values[column.values == value] = np.nan
            column.sentinels.append(value)
            if count:
                notes.add(
                    f"column {name!r}: {rows_text(count, 'cell')} with {value:g} "
                    f"{'is' if count == 1 else 'are'} taken as missing, because {why}; --missing none keeps them"
                )
