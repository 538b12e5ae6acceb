# SPDX-License-Identifier: BSD-2-Clause
"""docs/testplan.md: every test that it names exists, every module of the gateware has a row, figures are those stored."""

import re

from liteformer.flow.publish.testplan import PAGE, document, mutants, windows

from .imports import ROOT

STATUS = ("kept", "long", "open")


def named(text):
    """Pairs (file, test or "") of the tests that a row names; ``::test`` alone is of the file before it."""
    found, file = [], None
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", text):
        file = path or file
        if path or test:
            found.append((file, test))
    return found


def missing(text):
    """Those that do not exist."""
    return [(file, test) for file, test in named(text)
            if not (ROOT / file).exists() or (test and f"def {test}(" not in (ROOT / file).read_text())]


def rows(text):
    """Cells of the rows of all tables with a status."""
    tables = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in tables if row[-1].strip() in STATUS]


def modules(text):
    """Modules that have a row."""
    return {name for row in rows(text) if not row[0].startswith("`tests/") for name in re.findall(r"`(\w+)`", row[0])}


def test_every_named_test_exists():
    text = PAGE.read_text()
    assert len(named(text)) > 40 and not missing(text)


def gateware_modules():
    """Names of the gateware's modules: softmax/softmax.py is `softmax`, softmax/divide.py `softmax_divide`."""
    room = ROOT / "accel" / "gateware"
    paths = [path.relative_to(room).with_suffix("") for path in room.rglob("*.py") if path.stem != "__init__"]
    return {"_".join(dict.fromkeys(path.parts)) for path in paths}


def test_every_module_of_the_gateware_has_a_row():
    assert gateware_modules() <= modules(PAGE.read_text())


def test_every_row_names_a_test_or_is_open():
    for row in rows(PAGE.read_text()):
        assert (row[-1] == "open") == (not named(" ".join(row))), row


def test_the_figures_are_those_stored():
    text = PAGE.read_text()
    assert document(text) == text


def test_what_is_missing_is_seen():
    """Negative control."""
    wrong = "| a | `tests/accel/test_engine.py::test_shapes`, `::test_no_such` | kept |\n| `nowhere` | `tests/none.py` | kept |"
    assert missing(wrong) == [("tests/accel/test_engine.py", "test_no_such"), ("tests/none.py", "")]
    assert modules(wrong) == {"nowhere"} and "No result" in windows(None) and "No result" in mutants(None)
