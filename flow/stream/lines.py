# SPDX-License-Identifier: BSD-2-Clause
"""Lines of text as rows of a model's features: one separator, quotes, decimal commas, empty cells."""

import csv

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.train.data.reader.cells import EMPTY, is_missing

# In this order: only a file whose numbers have decimal commas has commas besides another separator.
SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas"}
BLANK = " "
SOURCE = "standard input"


class Rows:
    """Rows out of lines; lines without any character but blanks are passed over.

    The first line gives the separator: the first of semicolon, tab and comma that it has outside quotes, otherwise blanks. A
    first line with a cell that is neither a number nor empty is a header, which puts the columns into the model's order; the
    others are ignored. Without a header the cells are the model's features in its order.

    Args:
        config: ModelConfig. lines: iterable of text. reader: dict of what the reader found in the model's own data: words as
            numbers, and numbers that stand for missing, by feature.
    Attributes:
        empty: rows so far with a missing value.
    """

    def __init__(self, config, lines, reader=None):
        self.empty = 0
        self._words, self._codes = ((reader or {}).get(key, {}) for key in ("words", "missing"))
        self._config, self._lines = config, lines
        self._separator = self._columns = self._count = self._mark = None

    def __iter__(self):
        """Yields a row as float64 ``(features,)``, NaN where its cell is empty.

        Raises:
            LiteFormerError: a line with another number of cells than the first, a cell that is not a number, a header without
                a feature, text that is not UTF-8.
        """
        for number, text in enumerate(self._texts(), 1):
            if not text.strip():
                continue
            if self._separator is None:
                text = text.removeprefix("\ufeff")
                self._separator = separator_of(text)
                cells = self._cells(number, text)
                if self._first(number, cells):
                    continue
            else:
                cells = self._cells(number, text)
            yield self._row(number, cells)

    def _texts(self):
        try:
            yield from self._lines
        except UnicodeDecodeError:
            raise LiteFormerError(f"{SOURCE} is not text in UTF-8; convert it, such as with iconv") from None

    def _cells(self, number, text):
        try:
            cells = next(csv.reader([text.strip(" \r\n")], delimiter=self._separator, strict=True,
                                    skipinitialspace=self._separator != BLANK))
        except csv.Error as error:
            raise LiteFormerError(f"line {number} of {SOURCE} is not a row of cells ({error}); correct its quotes") from None
        cells = [cell.strip() for cell in cells]
        return [cell for cell in cells if cell] if self._separator == BLANK else cells

    def _first(self, number, cells):
        """Takes in the first line; True if it is a header.

        A row of data is told from a header without the model's names by its numbers."""
        names, features = self._config.feature_names, self._config.features
        self._columns, self._count = list(range(features)), len(cells)
        values = [self._value(cell) if cell.casefold() not in self._known_words() else 0.0 for cell in cells]
        words = [cell for cell, value in zip(cells, values) if value is None]
        if words and names:
            found = [name for name in names if name in cells]
            if not found and len(words) < len(cells):
                raise LiteFormerError(f"line {number} of {SOURCE} is neither a header with the columns {', '.join(names)} nor "
                                      f"a row of {features} numbers, because of {words[0]!r}; send the header first, such as "
                                      "with tail -n +1 -f FILE")
            for name in names:
                if name not in found:
                    raise LiteFormerError(f"{SOURCE} has no column {name!r}; it has: {', '.join(cells)}")
                if cells.count(name) > 1:
                    raise LiteFormerError(f"{SOURCE} has {cells.count(name)} columns {name!r}; keep one")
            self._columns = [cells.index(name) for name in names]
        elif len(cells) != features:
            listed = f" ({', '.join(names)})" if names else ""
            raise LiteFormerError(f"line {number} of {SOURCE} holds {len(cells)} values; {features} are needed{listed}, or a "
                                  "header first, such as with tail -n +1 -f FILE")
        return bool(words)

    def _row(self, number, cells):
        if len(cells) != self._count:
            between = "blanks" if self._separator == BLANK else SEPARATORS[self._separator]
            raise LiteFormerError(f"line {number} of {SOURCE} holds {len(cells)} values between {between}; "
                                  f"{self._count} are needed, as in the first line")
        row = np.array([self._number(number, index, cells[column]) for index, column in enumerate(self._columns)])
        missing = np.flatnonzero(np.isnan(row))
        if len(missing):
            self.empty += 1
            if self.empty == 1:
                console.note(f"line {number} of {SOURCE} has no value of {self._name(missing[0])}; rows with an empty cell are "
                             "in no window")
        return row

    def _number(self, number, index, cell):
        name = self._config.feature_names[index] if self._config.feature_names else None
        known = self._words.get(name, {})
        if known:
            word = cell.casefold()
            if word in known:
                return float(known[word])
            if cell in EMPTY:
                return np.nan
        value = self._value(cell)
        if value is None and is_missing(cell):
            return np.nan
        if value in self._codes.get(name, ()):
            return np.nan
        if value is None:
            raise LiteFormerError(f"line {number} of {SOURCE}, column {self._name(index)} holds {cell!r}, which is not a "
                                  "number; correct the cell or leave it empty")
        mark = next((mark for mark in ".," if mark in cell), None)
        if mark and np.isfinite(value):
            if self._mark is None and mark == ",":
                console.note(f"{SOURCE} has decimal commas: {cell} is read as {value:g}")
            self._mark = self._mark or mark
            if mark != self._mark:
                # Otherwise a separator of thousands would be read as a decimal mark.
                raise LiteFormerError(f"line {number} of {SOURCE}, column {self._name(index)} holds {cell!r}, but numbers "
                                      f"before had the decimal mark {self._mark!r}; send one decimal mark and no other "
                                      "separator in numbers")
        return value

    def _known_words(self):
        return {word for words in self._words.values() for word in words} - set(map(str.casefold, self._config.feature_names))

    def _value(self, cell):
        """float, NaN if the cell is empty, None if it is something else."""
        if cell in EMPTY:
            return np.nan
        try:
            # Python takes underscores for separators of thousands, which a file's reader does not.
            value = float("_" if "_" in cell else cell.replace(",", ".") if self._separator != "," else cell)
        except ValueError:
            return None
        return value if np.isfinite(value) else np.nan

    def _name(self, index):
        names = self._config.feature_names
        return repr(names[index]) if names else str(index + 1)


def separator_of(text):
    """The separator of a line's cells.

    >>> [separator_of(text) for text in ('a,b', '"a;b",c', '1,5;2,5', '1 2', '"a""b;",c')]
    [',', ',', ';', ' ', ',']
    """
    bare = "".join(text.split('"')[::2])
    return next((separator for separator in SEPARATORS if separator in bare.strip(" \r\n")), BLANK)
