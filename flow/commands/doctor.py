# SPDX-License-Identifier: BSD-2-Clause
"""`liteformer doctor`: which tools are installed, which are missing and how to install them."""

from dataclasses import asdict

import typer
from rich.markup import escape
from rich.table import Table

from liteformer.flow.commands import options
from liteformer.flow.common import console
from liteformer.flow.common.tools import inspect


def _render(result):
    table = Table(title="Tools")
    for column in ("", "name", "version", "for", "how to get it"):
        table.add_column(column, no_wrap=column == "name")
    for check in result["checks"]:
        found = check["version"] is not None
        mark = "[green]✓[/]" if found else "[red]✗[/]" if check["needed"] else "[yellow]–[/]"
        table.add_row(mark, check["name"], check["version"] or ("missing" if check["needed"] else "not installed (optional)"),
                      check["purpose"], "" if found else escape(check["advice"]))
    return table


def doctor(as_json: options.Json = False):
    """Check that all tools are installed.

    Exit code 1 if something needed is missing; the table says how to install it.

    Example: liteformer doctor
    """
    checks = inspect()
    result = {"ok": all(check.version is not None for check in checks if check.needed),
              "checks": [asdict(check) for check in checks]}
    console.emit(result, as_json, _render)
    if not result["ok"]:
        raise typer.Exit(1)
