# SPDX-License-Identifier: BSD-2-Clause
"""What a column is: numbers, two words, labels, text, a count of rows, a constant."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader.cells import EMPTY, is_missing, is_number
from liteformer.train.data.reader.numbers import to_numbers
from liteformer.train.data.reader.plain import as_numbers
from liteformer.train.data.reader.rules import rows_text

SPOILED = 0.05  # Share of words among the cells of a column of numbers, above which it is refused.
EXACT = 2.0**53  # Whole numbers from here on are not exact as a double: an identity, no measurement.
COUNTING = 0.95  # Share of equal steps that make a column a count of rows.
LABELS = 64  # Different words at most of a column of labels; more are text.
PAIRS = (
    ("off", "on"),
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("f", "t"),
    ("closed", "open"),
    ("down", "up"),
    ("low", "high"),
    ("stopped", "running"),
    ("idle", "active"),
    ("inactive", "active"),
    ("ok", "alarm"),
    ("normal", "anomaly"),
    ("normal", "abnormal"),
    ("absent", "present"),
    ("empty", "occupied"),
    ("disabled", "enabled"),
    ("out", "in"),
)
INPUTS = ("number", "words")


@dataclass
class Column:
    """One column.

    Args:
        name: of it; kind: "number", "words" (two of them, 0 and 1), "label", "text", "time", "constant", "count", "id",
            "empty", or "spoiled" (numbers among too many words).
        values: float64 ``(rows,)``, NaN where missing; None of text. cells: pandas Series, as in the file; None where
            ``values`` say it all.
        words: dict word without case -> 0 or 1. sentinels: numbers that are taken as missing. bad: ``(cell, row)`` of the first
            one that is no number, or None.
    """

    name: str
    kind: str
    values: np.ndarray | None = None
    cells: pd.Series | None = None
    words: dict = field(default_factory=dict)
    sentinels: list = field(default_factory=list)
    bad: tuple | None = None

    def take(self, rows):
        """The same of some rows, in their order."""
        return Column(
            self.name,
            self.kind,
            None if self.values is None else self.values[rows],
            None if self.cells is None else self.cells.iloc[rows].reset_index(drop=True),
            self.words,
            self.sentinels,
            self.bad,
        )


def column_of(cells, name, path, dialect, rules, first_row, notes, learned=None):
    """Column of what pandas read.

    Args:
        cells: pandas Series; name: of the column; path: its file; dialect: Dialect; rules: Rules; first_row: line of its first
            cell; notes: Notes; learned: dict word -> 0 or 1 of a trained model, or None.
    Raises:
        LiteFormerError: its numbers can be read in two ways.
    """
    if cells.isna().all():
        return Column(name, "empty", np.full(len(cells), np.nan))
    if pd.api.types.is_bool_dtype(cells):
        return _words(cells.map({False: "false", True: "true"}), name, notes, learned, first_row)
    if pd.api.types.is_numeric_dtype(cells):
        return _of_numbers(cells, name)
    cells = cells.astype(object)
    texts = [str(cell).strip() for cell in cells.dropna().iloc[:2000].unique()]
    if all(text.isdigit() and len(text) > 15 for text in texts):
        return Column(name, "id", pd.to_numeric(cells, errors="coerce").to_numpy(np.float64), cells)
    cells, texts = as_numbers(cells, texts, name, notes)
    if sum(is_number(text) for text in texts) >= 0.5 * len(texts):
        column = _mended(cells, name, path, dialect, first_row, notes, rules)
        if column is not None:
            return column
    return _words(cells, name, notes, learned, first_row)


def _of_numbers(cells, name):
    values = cells.to_numpy(np.float64, copy=True, na_value=np.nan)
    values[~np.isfinite(values)] = np.nan
    whole = cells.dtype.kind in "iu" and len(cells) and max(abs(int(cells.min())), abs(int(cells.max()))) >= EXACT
    return Column(name, "id" if whole else "number", values, cells if whole else None)


def _mended(cells, name, path, dialect, first_row, notes, rules):
    """A column of numbers with some other cells; None if it is not one."""
    numbers = to_numbers(cells, name, path, dialect)
    values = numbers.values
    values[~np.isfinite(values)] = np.nan
    known = int(np.isfinite(values).sum())
    if not known or numbers.words > known:
        return None
    said = {cell: found for cell, found in numbers.bad.items() if cell not in (rules.missing or ())}
    bad = min(((cell, row) for cell, (_, row) in said.items()), key=lambda entry: entry[1], default=None)
    if numbers.words > SPOILED * (known + numbers.words):
        return Column(name, "spoiled", values, cells, bad=bad)
    if said:
        count = sum(number for number, _ in said.values())
        notes.add(
            f"column {name!r}: {rows_text(count, 'cell')} that {'is' if count == 1 else 'are'} no number "
            f"({bad[0]!r} in row {bad[1] + first_row + 1}{' is the first' * (count > 1)}) "
            f"{'is' if count == 1 else 'are'} taken as missing"
        )
    return Column(name, "number", values, cells, bad=bad)


def _words(cells, name, notes, learned, first_row=0):
    """A column of words."""
    codes, unique = pd.factorize(cells)
    plain = [str(cell).strip().casefold() for cell in unique]
    kinds = [word for word in dict.fromkeys(plain) if word]
    known = [word for word in kinds if not is_missing(word)]
    # Two words and some for missing; of two words in all, one may be "none".
    kinds = known if len(known) == 2 else kinds
    if learned or len(kinds) == 2:
        words = learned or _pair(kinds)
        table = np.array([words.get(word, np.nan) for word in plain] + [np.nan])
        _tell_others(codes, unique, plain, words, name, notes, first_row, learned)
        return Column(name, "words", table[codes].astype(np.float64), cells, words)
    if len(kinds) == 1:
        return Column(name, "constant", None, cells)
    return Column(name, "label" if len(kinds) <= LABELS and len(kinds) < len(cells) / 2 else "text", None, cells)


def _tell_others(codes, unique, plain, words, name, notes, first_row, learned):
    """A note on cells that are none of the words and not empty."""
    other = np.array([bool(word) and word not in words for word in plain] + [False])[codes]
    if other.any():
        count, row = int(other.sum()), int(other.argmax())
        what = f"{'is' if count == 1 else 'are'} {'no word that the model knows' if learned else 'neither word'}"
        notes.add(f"column {name!r}: {rows_text(count, 'cell')} that {what} ({str(unique[codes[row]]).strip()!r} in row "
                  f"{row + first_row + 1}{' is the first' * (count > 1)}) {'is' if count == 1 else 'are'} taken as missing")


def _pair(kinds):
    """Two words as 0 and 1: known pairs in their order, others alphabetically."""
    pair = next((pair for pair in PAIRS if set(pair) == set(kinds)), tuple(sorted(kinds)))
    return dict(zip(pair, (0, 1)))


def refine(column, rows_in_order=True):
    """Kind of a column of numbers, seen as a whole: "constant", "count" or as it was."""
    if column.kind not in INPUTS:
        return column.kind
    known = column.values[np.isfinite(column.values)]
    if not len(known):
        return "empty"
    if known.min() == known.max():
        return "constant"
    if column.kind == "number" and len(known) > 20 and (known == np.floor(known)).all():
        steps = np.diff(known)
        usual = np.median(steps)
        if usual and (steps == usual).mean() >= COUNTING and ((steps > 0).all() if usual > 0 else (steps < 0).all()):
            return "count"
    return column.kind


def why_left_out(column):
    """Half a sentence on why a column is no feature unless it is named; empty if it is one."""
    if column.kind == "text":
        return "holds text"
    if column.kind == "constant" and column.cells is not None:
        written = list(map(str, column.cells.dropna().unique()))
        if len(written) > 1:
            return f"has the same word everywhere, without case and blanks ({', '.join(map(repr, written[:4]))}),"
    if column.kind == "label":
        words = [str(cell).strip() for cell in column.cells.dropna().unique()]
        return f"holds {len(set(map(str.casefold, words)))} different words"
    return {
        "constant": "has the same value everywhere",
        "count": "counts rows",
        "id": "holds identities, no measurements",
        "empty": "is empty",
        "time": "holds times",
    }.get(column.kind, "")


def check_numbers(column, path, first_row):
    """Refuses a column that is to be used and holds too many cells that are no numbers.

    Args:
        column: Column; path: its file; first_row: line of its first cell.
    Raises:
        LiteFormerError: it does.
    """
    if column.kind == "spoiled":
        cell, row = column.bad
    elif column.values is None:
        row = next(row for row, cell in enumerate(column.cells) if isinstance(cell, str) and cell.strip() not in EMPTY)
        cell = str(column.cells.iloc[row])
    else:
        return
    raise LiteFormerError(
        f"{path}, row {row + first_row + 1}, column {column.name!r} holds {cell!r}, which is not a number; "
        "correct the cell, leave it empty or name it with --missing"
    )
