# SPDX-License-Identifier: BSD-2-Clause
"""Decimal mark or separator of thousands: what the cells of a column say about a comma or a point."""

import re
from collections import Counter

GROUPED = {
    mark: re.compile(rf"[+\-−]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+(?:{re.escape(other)}\d*)?")
    for mark, other in ((",", "."), (".", ","))
}
OTHER = {",": ".", ".": ","}


def reading(cells, mark):
    """How a column of numbers uses a mark.

    Args:
        cells: numbers as text; mark: "," or ".".
    Returns:
        "decimal", "thousands", "either" (all have three digits after it), "none", or "both": the cells contradict each other.

    >>> [reading(cells, ",") for cells in (["1,5", "2"], ["1,000", "1,000,000"], ["1,000", "999"], ["1,000"], ["1"])]
    ['decimal', 'thousands', 'thousands', 'either', 'none']
    """
    other, decimal, thousands, either, small, large = OTHER[mark], 0, 0, 0, 0, 0
    for cell in cells:
        count = cell.count(mark)
        if not count:
            digits = cell.lstrip("+-−").split(other)[0]
            small += 1 <= len(digits) <= 3 and digits.isdigit()
            large += len(digits) > 3
            continue
        grouped = GROUPED[mark].fullmatch(cell)
        if count > 1 or other in cell:
            # 1.234,5: the last of the two marks is the decimal one.
            thousands += grouped is not None
            decimal += grouped is None
        elif grouped is None:
            decimal += 1
        else:
            either += 1
    if decimal and thousands:
        return "both"
    if decimal or thousands:
        return "decimal" if decimal else "thousands"
    if either:
        # Numbers below a thousand have no separator, those above all have one; a fixed number of decimals has it everywhere.
        return "thousands" if small and not large else "decimal" if large else "either"
    return "none"


def decimal_of(columns, separator):
    """Decimal mark of a table.

    Args:
        columns: lists of numbers as text; separator: of the cells.
    Returns:
        ``(mark, sure)``: "." or ","; False where its numbers could be thousands as well.
    """
    said = Counter()
    for cells in columns:
        comma, point = reading(cells, ","), reading(cells, ".")
        if comma in ("decimal", "both") and point != "decimal":
            said[","] += 1
        elif point == "decimal" or comma == "thousands":
            said["."] += 1
        elif point == "thousands" and any(cell.count(".") > 1 or "," in cell for cell in cells):
            said[","] += 1
        elif comma == "either":
            said["either"] += 1
        elif point == "thousands":
            said["grouped"] += 1
    if said[","] or said["."]:
        return ("," if said[","] > said["."] else "."), True
    if said["grouped"]:
        return ".", False
    if said["either"]:
        # Between semicolons the comma is free for decimals; between commas quotes are needed, as for thousands.
        return (",", True) if separator == ";" else (".", False)
    return ".", True
