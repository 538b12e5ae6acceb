# SPDX-License-Identifier: BSD-2-Clause
"""Which lines and branches of the packages the quick tests reach, docs/results/coverage.json; every file below the limit has a
reason here. The end of `make coverage`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from liteformer.flow.common.cache import write_atomically
from liteformer.flow.common.markdown import markdown
from liteformer.flow.publish.repository import ROOT

RESULT = ROOT / "docs" / "results" / "coverage.json"
LEAST  = 90.0            # Per cent of a file's lines and branches, together.
REASONS = {}


def summary(report):
    """Of a report of ``coverage json``.

    Returns:
        dict: ``total`` in per cent; ``files``; ``below``: path -> per cent, of those below LEAST.
    """
    files = {name.replace("\\", "/"): one["summary"]["percent_covered"] for name, one in report["files"].items()}
    return {"total": round(report["totals"]["percent_covered"], 1), "files": len(files),
            "below": {name: round(share, 1) for name, share in sorted(files.items(), key=lambda item: item[1])
                      if share < LEAST}}


def unexplained(found):
    """Files below LEAST that have no reason."""
    return [name for name in found["below"] if name not in REASONS]


def page(found):
    """Text and table of the test plan; ``found``: of ``summary``."""
    text = (f"`make coverage`: the quick tests reach {found['total']} % of the lines and branches of the {found['files']} "
            f"files of the packages. Below {LEAST:.0f} %:")
    rows = [(f"`{name}`", f"{share:.1f}", REASONS.get(name, "")) for name, share in found["below"].items()]
    return f"{text}\n\n{markdown(['file', '%', 'why'], rows)}"


def main(report: Annotated[Path, typer.Argument(help="Of `coverage json`.")]):
    """Keep the figures, and end with an error where a file below the limit has no reason."""
    found = summary(json.loads(report.read_text()))
    write_atomically(RESULT, json.dumps(found, indent=1) + "\n")
    print(f"{found['total']} % of {found['files']} files; {len(found['below'])} below {LEAST:.0f} %")
    for name in unexplained(found):
        print(f"{name}: {found['below'][name]} %, tested too little and without a reason in flow/publish/coverage.py")
    raise typer.Exit(bool(unexplained(found)))


if __name__ == "__main__":
    typer.run(main)
