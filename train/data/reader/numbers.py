# SPDX-License-Identifier: BSD-2-Clause
"""A column of text as numbers, whichever marks they have."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader import marks
from liteformer.train.data.reader.cells import EMPTY, NUMBER, is_missing

BLANKS = "'’ \u00a0\u202f"  # Between groups of thousands.


@dataclass(frozen=True)
class Numbers:
    """``values``: float64 ``(rows,)``, NaN where none; ``bad``: dict of cells that are no number to ``(count, first row)``;
    ``words``: cells that are neither numbers nor usual words for missing; ``grouped``: it has separators of thousands."""

    values: np.ndarray
    bad: dict
    words: int
    grouped: bool = False


def to_numbers(cells, name, path, dialect):
    """Numbers of a column that pandas left as text.

    Args:
        cells: pandas Series of str, NaN where empty; name: of the column; path: its file, for errors; dialect: Dialect.
    Returns:
        Numbers.
    Raises:
        LiteFormerError: its numbers can be read in two ways.
    """
    codes, unique = pd.factorize(cells)
    texts = [str(cell).strip() for cell in unique]
    is_number = [NUMBER.fullmatch(text) is not None and text.count("%") == 0 for text in texts]
    numbers = [text for text, number in zip(texts, is_number) if number]
    mark, grouped = _marks(numbers, name, path, dialect) if numbers else (".", False)
    values, bad, words = np.full(len(texts) + 1, np.nan), {}, 0
    count = np.bincount(codes[codes >= 0], minlength=len(texts))
    firsts = None
    for index, (text, number) in enumerate(zip(texts, is_number)):
        value = _value(text, mark, grouped) if number else None
        if value is not None:
            values[index] = value
        elif text not in EMPTY:
            if firsts is None:
                firsts = pd.Series(np.arange(len(codes))).groupby(codes).first().to_dict()
            bad[text] = (int(count[index]), int(firsts[index]))
            words += 0 if is_missing(text) else int(count[index])
    return Numbers(values[codes], bad, words, grouped)


def _marks(numbers, name, path, dialect):
    """``(decimal mark, whether the other one groups thousands)`` of a column."""
    said = {mark: marks.reading(numbers, mark) for mark in ",."}
    mark = dialect.decimal
    if (
        dialect.sure
        and said[mark] in ("none", "decimal", "either")
        and said[marks.OTHER[mark]] in ("none", "thousands", "either")
    ):
        if said[marks.OTHER[mark]] == "either" and dialect.decimal == "." and said["."] == "none" and dialect.separator != ",":
            raise _undecided(path, name, numbers, ",")
        return mark, said[marks.OTHER[mark]] != "none"
    for one in ",.":
        other = marks.OTHER[one]
        if said[one] == "decimal" and said[other] in ("none", "thousands", "either"):
            return one, said[other] != "none"
        if said[one] == "thousands" and said[other] == "none":
            return other, True
    raise _undecided(path, name, numbers, next((mark for mark in ",." if said[mark] != "none"), ","))


def _undecided(path, name, numbers, mark):
    cell = next(text for text in numbers if mark in text)
    return LiteFormerError(
        f"{path}, column {name!r} holds {cell!r}, in which the {'comma' if mark == ',' else 'point'} may be a "
        "decimal mark or separate thousands; say which with --decimal , or --decimal ."
    )


def _value(text, mark, grouped):
    for blank in BLANKS:
        text = text.replace(blank, "")
    text = text.replace("−", "-")
    if grouped or mark == ",":
        text = text.replace(marks.OTHER[mark], "") if grouped else text
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def check_marks(frame, numeric, path, dialect):
    """Refuses a table whose every number could be a thousand or a fraction.

    Args:
        frame: DataFrame; numeric: names of its columns that pandas read as numbers; path: their file; dialect: Dialect.
    Raises:
        LiteFormerError: it does not say what its marks are.
    """
    if dialect.sure:
        return
    body = dialect.records[1:]
    for name, cells in zip(frame.columns, zip(*[record for record in body if len(record) == dialect.width])):
        numbers = [cell for cell in cells if NUMBER.fullmatch(cell)]
        if name in numeric and numbers and marks.reading(numbers, ".") == "thousands":
            raise _undecided(path, name, numbers, ".")
