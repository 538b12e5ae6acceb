# SPDX-License-Identifier: BSD-2-Clause
"""Numbers with something around them: a unit, a percent sign, parentheses or a sign behind for negative ones."""

import re
from collections import Counter

from liteformer.train.data.reader.cells import is_missing, is_number

MOST = 0.95     # Share of the cells that must be numbers then.
SUFFIXED = re.compile(r"([+\-−]?[\d.,]*\d)\s?(%|[°µμΩ]?[^\W\d_][^\s\d,;]*\d?(?:/[^\s,;]+)?)")
NEGATIVE = re.compile(r"\(([\d.,]*\d)\)|([\d.,]*\d)[-−]")


def as_numbers(cells, texts, name, notes):
    """Cells of a column without what surrounds its numbers.

    Args:
        cells: pandas Series of str; texts: some of them, each once, stripped; name: of the column; notes: Notes.
    Returns:
        ``(cells, texts)``; as they were unless nearly all cells then are numbers.
    """
    known = [text for text in texts if not is_missing(text)]
    plain = [text for text in known if is_number(text) and not text.endswith("%")]
    # A number of its own, such as 3e5, has no unit.
    units = Counter(found[2] for found in map(SUFFIXED.fullmatch, set(known) - set(plain)) if found)
    unit, count = units.most_common(1)[0] if units else ("", 0)
    if count >= max(len(known) / 2, 1) and count + len(plain) >= MOST * len(known):
        notes.add(f"column {name!r}: the unit {unit!r} behind the numbers is left out")

        def bare(text):
            found = SUFFIXED.fullmatch(text.strip())
            return found[1] if found and found[2] == unit else text
        return _mapped(cells, texts, bare)
    negative = sum(NEGATIVE.fullmatch(text) is not None for text in known)
    if negative and negative + len(plain) >= MOST * len(known):
        notes.add(f"column {name!r}: numbers in parentheses or with the sign behind are negative")

        def signed(text):
            found = NEGATIVE.fullmatch(text.strip())
            return f"-{found[1] or found[2]}" if found else text
        return _mapped(cells, texts, signed)
    return cells, texts


def _mapped(cells, texts, change):
    table = {cell: change(str(cell)) for cell in cells.dropna().unique()}
    return cells.map(table, na_action="ignore"), [change(text) for text in texts]
