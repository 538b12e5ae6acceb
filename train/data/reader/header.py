# SPDX-License-Identifier: BSD-2-Clause
"""Where the names of the columns are: comments before them, a row of units below, one name fewer than cells, none at all."""

from dataclasses import dataclass, field

from liteformer.train.data.reader.cells import kind
from liteformer.train.data.reader.rules import rows_text

COMMENTS = ("#", "//", "%", "!", "@", "sep=", "Sep=", "SEP=")
ROW_NAMES = "row"
TIME = "time"
MATTERS = 100  # Rows that are compared with the first one.


@dataclass(frozen=True)
class Header:
    """``names``: of the columns; ``first``: line of the first row of data, from 0; ``named``: False if the file has no names;
    ``units``: by column, where a row of them is; ``skipped``: lines before the names; ``row_names``: the first column has no
    name because it holds those of the rows."""

    names: list
    first: int
    named: bool = True
    units: dict = field(default_factory=dict)
    skipped: int = 0
    row_names: bool = False


def find_header(dialect, rules, notes):
    """Header of a table.

    Args:
        dialect: Dialect; rules: Rules; notes: Notes.
    """
    records, lines, width = dialect.records, dialect.lines, dialect.width
    at = _first_of_table(records, width, rules)
    if rules.skip_rows is None:
        at = _after_prose(records, width, at)
    skipped = at - sum(lines[number] < (rules.skip_rows or 0) for number in range(at))
    if skipped and rules.skip_rows is None:
        notes.add(
            f"{rows_text(skipped, 'line')} before the table {'is' if skipped == 1 else 'are'} left out, the first is "
            f"{_short(dialect.separator.join(records[0]))!r}; --skip-rows N says how many there are"
        )
    body = [record for record in records[at + 1 :] if len(record) == width][:MATTERS]
    kinds = [_kind_of([record[column] for record in body]) for column in range(width)]
    first = records[at]
    # Without a name and without a cell: a separator at the end of every row.
    row_names = len(first) == width - 1 and width > 1 and not (kinds[-1] == "missing" and kinds[0] != "missing")
    if row_names:
        first = ["", *first]
    first = first + [""] * (width - len(first))
    if not row_names and not _is_header(first, kinds, body):
        notes.add(f"the file has no names of columns; they are numbered from 0 to {width - 1}")
        return Header([str(number) for number in range(width)], lines[at], named=False, skipped=at)
    units, next_row = {}, at + 1
    joined = _two_lines(first, records[at + 1 : at + 3], kinds)
    if joined:
        first, next_row = joined, at + 2
        notes.add(f"the names of the columns are in two lines and are joined, such as {joined[-1]!r}")
    names = _names(first, kinds, row_names, notes)
    if next_row < len(records) and len(records[next_row]) == width and len(body) > 2:
        rest = [_kind_of([record[column] for record in body[next_row - at :]]) for column in range(width)]
        if _is_units(records[next_row], rest):
            units = {name: cell for name, cell in zip(names, records[next_row]) if cell}
            listed = ", ".join(f"{name} {unit}" for name, unit in units.items())
            notes.add(f"line {lines[next_row] + 1} holds units and is left out ({_short(listed)})")
            next_row += 1
    last = lines[next_row] if next_row < len(lines) else lines[at] + 1
    return Header(names, last, units=units, skipped=at, row_names=row_names)


def _first_of_table(records, width, rules):
    """Number of the record with which the table begins."""
    if rules.skip_rows is not None:
        return 0
    for number, record in enumerate(records):
        cells = len(record) - (record[-1] == "" and len(record) == width + 1)
        comment = record[0].startswith(COMMENTS) and number + 1 != len(records)
        if cells in (width, width - 1) and not comment and (cells > 1 or width == 1):
            return number
        # A header whose names begin with the mark of a comment: "# time, power".
        if (
            cells == width
            and comment
            and width > 1
            and kind(record[0]) == "word"
            and all(kind(cell) == "word" for cell in record)
        ):
            return number
    return 0


def _after_prose(records, width, at):
    """The same where lines of prose before the table have as many cells by chance."""
    body = [record for record in records[len(records) // 4 :] if len(record) == width]
    kinds = [_kind_of([record[column] for record in body]) for column in range(width)]
    valued = [column for column, what in enumerate(kinds) if what in ("number", "time")]

    def is_row(record):
        return len(record) == width and all(kind(record[column]) in (kinds[column], "missing") for column in valued)

    first = next((number for number in range(at, len(records) - 2) if all(map(is_row, records[number : number + 3]))), at)
    if not valued or first - at < 2:
        return at
    odd = [number for number in range(at, first) if len(records[number]) not in (width, width - 1)]
    if odd and odd[-1] + 1 < first:
        at = odd[-1] + 1
    # A line with numbers above one of different words: the words are the names.
    while at + 1 < first and _are_names(records[at + 1], width) and {"number", "time"} & set(map(kind, records[at])):
        at += 1
    return at


def _are_names(record, width):
    return len(record) == width and len(set(record)) == width and all(kind(cell) == "word" for cell in record)


def _two_lines(upper, below, kinds):
    """Names from two lines, of which the upper names groups of columns; None if there is one line of names."""
    if len(below) < 2 or len(below[0]) != len(upper) or not _is_units(below[0], kinds):
        return None
    groups, before = [], ""
    for cell, what in zip(upper, kinds):
        before = cell or before
        groups.append(before if what in ("number", "time") else cell)
    joined = [f"{one} {other}".strip() for one, other in zip(groups, below[0])]
    valued = [number for number, what in enumerate(kinds) if what == "number"]
    repeated = len({groups[number] for number in valued}) < len(valued)
    return joined if repeated and len(set(joined)) == len(joined) else None


def _kind_of(cells):
    """What most cells of a column are: "number", "time", "word", or "missing" where all are."""
    kinds = [kind(cell) for cell in cells]
    known = [one for one in kinds if one != "missing"]
    return max(("number", "time", "word"), key=known.count) if known else "missing"


def _is_header(first, kinds, body):
    words = [kind(cell) == "word" or (kind(cell) == "missing" and cell not in ("", "-")) for cell in first]
    if not body:
        return any(words)
    if any(word and what in ("number", "time") for word, what in zip(words, kinds)):
        return True
    # All columns hold words: the first line names them, unless it repeats what is below.
    return (
        all(kind(cell) != "time" for cell in first)
        and not any(cell and kind(cell) == "number" for cell in first)
        and any(words)
        and not any(cell and cell in {record[column] for record in body} for column, cell in enumerate(first))
    )


def _is_units(cells, kinds):
    """True if no cell is a value where the column below has values, and some are words."""
    valued = [cell for cell, what in zip(cells, kinds) if what in ("number", "time")]
    return any(kind(cell) == "word" for cell in valued) and all(kind(cell) in ("word", "missing") for cell in valued)


def _names(first, kinds, row_names, notes):
    names, renamed = [], []
    for number, cell in enumerate(first):
        name = cell.lstrip("#").strip() if number == 0 else cell
        if not name:
            name = (
                ROW_NAMES
                if row_names and number == 0
                else TIME
                if kinds[number] == "time" and TIME not in first
                else f"column {number + 1}"
            )
        base, count = name, 1
        while name in names:
            name, count = f"{base}.{count}", count + 1
        if name != base:
            renamed.append(name)
        names.append(name)
    if renamed:
        notes.add(f"names that occur twice get a number: {', '.join(renamed)}")
    return names


def _short(text, length=60):
    return text if len(text) <= length else text[: length - 1] + "…"
