# SPDX-License-Identifier: BSD-2-Clause
"""Lines of text as rows of a model's features: one separator, quotes, decimal commas, empty cells."""

import csv
from itertools import islice

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.train.data.reader.cells import EMPTY, is_missing
from liteformer.train.data.reader.dialect import NAMES
from liteformer.train.data.reader.marks import GROUPED, OTHER
from liteformer.train.data.reader.rules import Notes, Rules, rows_text

# In this order: only a file whose numbers have decimal commas has commas besides another separator.
SEPARATORS = ";\t,"
BLANK = " "
SOURCE = "standard input"


class Rows:
    """Rows out of lines; lines without any character but blanks are passed over.

    The first line gives the separator: the first of semicolon, tab and comma that it has outside quotes, otherwise blanks. A
    first line with a cell that is neither a number nor empty is a header, which puts the columns into the model's order; the
    others are ignored. Without a header the cells are the model's features in its order.

    Args:
        config: ModelConfig. lines: iterable of text. reader: dict of what the reader found in the model's own data: words as
            numbers, and numbers that stand for missing, by feature. rules: Rules of the user: separator, decimal mark, lines
            before the first, cells that are missing (they replace the numbers that the model knows), and whether a note is a
            refusal; encoding, for the sentence on text in another one.
    Attributes:
        empty: rows so far with a missing value; unknown: dict feature -> number of words that the model does not know.
    """

    def __init__(self, config, lines, reader=None, rules=None):
        self.empty, self.unknown, self._rules = 0, {}, rules or Rules()
        self._words, self._codes = ((reader or {}).get(key, {}) for key in ("words", "missing"))
        if self._rules.missing is not None:
            self._codes = {}
        self._config, self._lines = config, lines
        self._separator = self._columns = self._count = None
        self._mark, self._notes = self._rules.decimal, Notes(self._rules.strict)

    def __iter__(self):
        """Yields a row as float64 ``(features,)``, NaN where its cell is empty.

        Raises:
            LiteFormerError: a line with another number of cells than the first, a cell that is not a number, a header without
                a feature, text that is not UTF-8.
        """
        skip = self._rules.skip_rows or 0
        for number, text in enumerate(islice(self._texts(), skip, None), skip + 1):
            if not text.strip():
                continue
            if self._separator is None:
                text = text.removeprefix("\ufeff")
                self._separator = self._rules.separator or separator_of(text)
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
            raise LiteFormerError(f"{SOURCE} is not text in {self._rules.encoding or 'UTF-8'}; name its encoding with "
                                  "--encoding") from None

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
            between = NAMES.get(self._separator, repr(self._separator))
            raise LiteFormerError(f"line {number} of {SOURCE} holds {len(cells)} values between {between}; "
                                  f"{self._count} are needed, as in the first line")
        row = np.array([self._number(number, index, cells[column]) for index, column in enumerate(self._columns)])
        missing = np.flatnonzero(np.isnan(row))
        if len(missing):
            self.empty += 1
            if self.empty == 1:
                self._note(f"line {number} of {SOURCE} has no value of {self._name(missing[0])}; rows with an empty cell are "
                           "in no window")
        return row

    def _note(self, text):
        """Says a sentence once, at once; refuses it if the user wants that."""
        self._notes.add(text)
        console.note(text)

    def _number(self, number, index, cell):
        name = self._config.feature_names[index] if self._config.feature_names else None
        known, value = self._words.get(name, {}), self._value(cell)
        if cell.casefold() in known:
            return float(known[cell.casefold()])
        if value is None and is_missing(cell) or value in self._codes.get(name, ()):
            return np.nan
        if value is None and known:
            if name not in self.unknown:
                listed = " and ".join(map(repr, known))
                self._note(f"line {number} of {SOURCE}, column {name!r} holds {cell!r}; the model knows {listed}, another word "
                           "is taken as missing")
            self.unknown[name] = self.unknown.get(name, 0) + 1
            return np.nan
        if value is None:
            raise LiteFormerError(f"line {number} of {SOURCE}, column {self._name(index)} holds {cell!r}, which is not a "
                                  "number; correct the cell, leave it empty or name it with --missing")
        mark = next((mark for mark in ".," if mark in cell), None)
        if mark and np.isfinite(value) and not self._rules.decimal:
            if self._mark is None and mark == ",":
                self._note(f"{SOURCE} has decimal commas: {cell} is read as {value:g}")
            self._mark = self._mark or mark
            if mark != self._mark:
                # Otherwise a separator of thousands would be read as a decimal mark.
                raise LiteFormerError(f"line {number} of {SOURCE}, column {self._name(index)} holds {cell!r}, but numbers "
                                      f"before had the decimal mark {self._mark!r}; send one decimal mark, or name it with "
                                      "--decimal")
        return value

    def _known_words(self):
        return {word for words in self._words.values() for word in words} - set(map(str.casefold, self._config.feature_names))

    def _value(self, cell):
        """float, NaN if the cell is empty or said to be missing, None if it is something else."""
        if cell in EMPTY or self._rules.is_missing(cell):
            return np.nan
        text, said = cell, self._rules.decimal
        if said and OTHER[said] in cell:
            text = cell.replace(OTHER[said], "") if GROUPED[OTHER[said]].fullmatch(cell) else "_"
        if said == "," or (not said and self._separator != ","):
            text = text.replace(",", ".")
        try:
            # Python takes underscores for separators of thousands, which a file's reader does not.
            value = float("_" if "_" in text else text)
        except ValueError:
            return None
        return np.nan if not np.isfinite(value) or self._rules.is_missing(value) else value

    @property
    def notes(self):
        """Sentences on words that the model does not know, with their number so far."""
        return [f"{rows_text(count, 'cell')} of column {name!r} hold{'s' * (count == 1)} a word that the model does not know; "
                f"{'it is' if count == 1 else 'they are'} taken as missing" for name, count in self.unknown.items()]

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
