# SPDX-License-Identifier: BSD-2-Clause
"""A report on the terminal."""

from rich.console import Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from liteformer.flow.report.text import headline, sections


def render(report):
    """What Rich prints of a report."""
    parts = [_headline(report)]
    for section in sections(report):
        table = Table(title=escape(section.title), title_justify="left", show_header=any(section.header))
        for number, name in enumerate(section.header):
            table.add_column(name, justify="right" if number and not section.words else "left", overflow="fold")
        for row in section.rows:
            table.add_row(*(escape(cell) for cell in row))
        parts += [table, *(Padding(f"[dim]{escape(note)}[/]", (0, 0, 0, 1)) for note in section.notes)]
    return Group(*parts)


def _headline(report):
    table = Table(title=f"Report on {escape(report['model']['path'])}", show_header=False)
    for name, value, remark in headline(report):
        table.add_row(escape(name), f"[bold]{escape(value)}[/]", escape(remark))
    for name in ("html", "json"):
        if report.get("files", {}).get(name):
            table.add_row(name, escape(report["files"][name]), "")
    return table
