# SPDX-License-Identifier: BSD-2-Clause
"""The worked examples of docs/numerics.md and of the docstrings are what the code does."""

import doctest
from pathlib import Path

import pytest

from liteformer.accel import numerics

DOCUMENT = Path(__file__).parents[2] / "docs" / "numerics.md"


def run(text):
    """Run a text's examples; (attempted, failed)."""
    result = doctest.DocTestRunner(verbose=False).run(doctest.DocTestParser().get_doctest(text, {}, "numerics", None, 0))
    return result.attempted, result.failed


def test_document():
    """Every example holds, and there are as many as expected: a broken fence would hide them."""
    attempted, failed = run(DOCUMENT.read_text())
    assert (attempted >= 30, failed) == (True, 0)


def test_docstrings():
    result = doctest.testmod(numerics)
    assert (result.attempted >= 7, result.failed) == (True, 0)


@pytest.mark.parametrize("before, after", [("[2, -1, 7]", "[2, -2, 7]"), ("(621, [6278], [4])", "(621, [6278], [3])")])
def test_a_wrong_number_is_seen(before, after, capsys):
    """Negative control: one altered digit in the document fails."""
    text = DOCUMENT.read_text()
    assert before in text
    assert run(text.replace(before, after))[1] == 1
