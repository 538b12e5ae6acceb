# SPDX-License-Identifier: BSD-2-Clause
"""Tables in Markdown, and the pages that they fill."""

import pytest

from liteformer.flow.common.markdown import fill, markdown


def test_fill():
    text = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n<!-- begin y -->\n<!-- end y -->\n"
    assert fill(text, "x", "new \\1") == text.replace("old", "\nnew \\1\n")
    assert fill(fill(text, "y", "1"), "y", "2") == fill(text, "y", "2")
    for wrong, name, count in ((text, "z", 0), (2 * text, "x", 2)):
        with pytest.raises(ValueError, match=f"^{count} blocks {name}$"):
            fill(wrong, name, "new")


def test_markdown():
    assert markdown(["a", "b", "c"], [[1, "-2.5 %", "x"], [2, "-", 3]]) == (
        "| a | b | c |\n| --- | ---: | --- |\n| 1 | -2.5 % | x |\n| 2 | - | 3 |")
