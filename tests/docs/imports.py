# SPDX-License-Identifier: BSD-2-Clause
"""What a Python file of the project imports, for the tests of its structure."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = ("accel", "soc", "sw", "train", "boards", "flow", "api", "package")


def imports_of(text):
    """Names of all modules that a Python text imports, at any depth."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources():
    """All Python files of the packages, dict module name -> text."""
    files = {path.relative_to(ROOT): path for top in TOP for path in (ROOT / top).rglob("*.py")}
    return {".".join(("liteformer", *name.with_suffix("").parts)).removesuffix(".__init__"): path.read_text()
            for name, path in files.items()}
