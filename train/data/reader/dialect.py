# SPDX-License-Identifier: BSD-2-Clause
"""Separator and decimal mark of a text, by how many of its cells then have a meaning."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from liteformer.accel.errors import LiteFormerError
from liteformer.train.data.reader import marks
from liteformer.train.data.reader.cells import NUMBER, kind

CANDIDATES = (",", ";", "\t", "|", " ")
# A number with a comma: a decimal one without a point, or groups of thousands.
PLAUSIBLE = re.compile(
    r"[+\-−]?(?:(?:0|[1-9]\d*)?,\d*(?:[eE][+-]?\d+)?|[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?"
    r"|[1-9]\d{0,2}(?:[. '’\u00a0\u202f]\d{3})+,\d*)"
)
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


@dataclass(frozen=True)
class Dialect:
    """``separator``; ``decimal``: "." or ","; ``sure``: False where the decimal mark is not decided; ``width``: cells of the
    usual line; ``records``: lists of cells of the first lines; ``lines``: line of the text in which each begins, from 0."""

    separator: str
    decimal: str
    sure: bool
    width: int
    records: list
    lines: list


def find_dialect(head, path, rules):
    """Dialect of a text.

    Args:
        head: its beginning, whole lines; path: its file, for errors; rules: Rules.
    Raises:
        LiteFormerError: nothing is a table; quotes are not closed.
    """
    skip = rules.skip_rows or 0
    rules.check()
    found = {}
    for separator in [rules.separator] if rules.separator else CANDIDATES:
        records, lines = split(head, separator, skip)
        if records:
            found[separator] = (_score(records, separator, rules.decimal), records, lines)
    if not found:
        raise LiteFormerError(f"{path} is empty; check --path")
    # Of equal ones the first counts.
    separator = max(found, key=lambda one: found[one][0])
    _, records, lines = found[separator]
    width = usual_width(records)
    body = [record for record in records[1:] if len(record) == width]
    columns = [[cell for cell in column if NUMBER.fullmatch(cell)] for column in zip(*body)] if body else []
    # A column of times between 00.00 and 23.59 is no column of numbers.
    columns = [cells for cells, column in zip(columns, zip(*body)) if not any(kind(cell) == "time" for cell in column)]
    if rules.decimal:
        return Dialect(separator, rules.decimal, True, width, records, lines)
    decimal, sure = marks.decimal_of(columns, separator)
    return Dialect(separator, decimal, sure, width, records, lines)


def split(text, separator, skip=0):
    """Cells of the lines of a text, stripped, empty lines left out.

    Returns:
        ``(records, lines)``: lists of cells, and the number of the line in which each begins, from 0.
    """
    if separator == " ":
        plain = [(line.split(), number) for number, line in enumerate(_plain_lines(text)) if line.strip() and number >= skip]
        return [cells for cells, _ in plain], [number for _, number in plain]
    records, lines, before = [], [], 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=separator != "\t")
    try:
        for cells in reader:
            begin, before = before, reader.line_num
            if begin >= skip and any(cell.strip() for cell in cells) or (begin >= skip and len(cells) > 1):
                records.append([cell.strip() for cell in cells])
                lines.append(begin)
    except csv.Error:
        pass
    return records, lines


def _plain_lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def usual_width(records):
    """Cells of most lines; of several numbers that are as frequent the largest."""
    counts = Counter(len(record) for record in records[-max(len(records) * 3 // 4, 1) :])
    most = max(counts.values())
    return max(width for width, count in counts.items() if count == most)


def _score(records, separator, decimal):
    """How well a separator explains the lines: share of lines of the same width x share of cells that have a meaning."""
    width = usual_width(records)
    body = records[len(records) // 4 :] if len(records) > 3 else records[-1:]
    same = [record for record in body if len(record) == width]
    consistent = len(same) / len(body)
    cells = [cell for record in same for cell in record]
    if not cells:
        return 0.0
    typed = sum(_meaning(cell, separator, decimal) for cell in cells) / len(cells)
    columns = 1 if width > 1 else 0.9 if typed else 0.1
    # The line of the names: what comes before the first one of the usual width, if that holds no names itself.
    at = next(number for number, record in enumerate(records) if len(record) == width)
    named = all(kind(cell) in ("word", "missing") for cell in records[at])
    first = records[at] if named or not at else records[at - 1]
    if separator == "," and width > 1 and len(first) * 2 == width:
        # Every name has two cells: decimal commas without another separator of columns.
        columns = 0.5 if width == 2 else 1
    # Blanks are in times and numbers too; names that are fewer than cells may be those of another separator.
    doubt = (0.9 if separator == " " else 1.0) * (0.9 if len(first) == width - 1 else 1.0)
    return doubt * consistent * (typed + 0.02) * columns


def _meaning(cell, separator, decimal):
    what = kind(cell)
    if what == "word":
        return 0.3 if len(cell) < 40 and not any(mark in cell for mark in ";\t|,") else 0.0
    if what == "number" and separator != "," and "," in cell and not decimal and not PLAUSIBLE.fullmatch(cell):
        # A list of numbers between commas looks like one with separators of thousands.
        return 0.0
    if separator == " " and what in ("time", "missing"):
        return 0.5
    return 1.0
