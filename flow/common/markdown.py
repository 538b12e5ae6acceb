# SPDX-License-Identifier: BSD-2-Clause
"""Tables in Markdown, and pages that contain them.

A table stands between the comments ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; everything else is written by hand.
"""

import re


def fill(text, name, table):
    """``text`` with the block ``name`` replaced.

    Raises:
        ValueError: the text has no such block, or several.
    """
    pattern = rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)"
    filled, count = re.subn(pattern, lambda match: f"{match[1]}\n{table}\n\n{match[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"{count} blocks {name}")
    return filled


def markdown(header, rows):
    """A table; all columns except the first are right-aligned if they hold numbers."""
    cells = [[str(cell) for cell in row] for row in rows]
    right = [n > 0 and all(re.match(r"[-+(]*\d|-$", row[n]) for row in cells) for n in range(len(header))]
    lines = [header, ["---:" if side else "---" for side in right], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
