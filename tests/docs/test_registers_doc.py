# SPDX-License-Identifier: BSD-2-Clause
"""docs/registers.md is what `make docs` writes today."""

from liteformer.flow.publish import registers


def test_it_is_current():
    assert registers.PAGE.read_text() == registers.document(), "run `make docs` and commit docs/registers.md"


def test_every_register_and_field_has_a_text():
    rows = [line.split("|")[1:-1] for line in registers.document().splitlines() if "`" in line and line.startswith("|")]
    assert len(rows) > 20 and all(row[-1].strip() for row in rows)


def test_interrupt_registers_have_texts_of_their_own():
    """LiteX describes all three by their last event."""
    lines = [line for line in registers.document().splitlines() if line.startswith("| 0x") and "`ev_" in line]
    assert len(lines) == 3 and len({line.split("|")[-2] for line in lines}) == 3
