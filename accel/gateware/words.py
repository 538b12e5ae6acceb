# SPDX-License-Identifier: BSD-2-Clause
"""Groups of rows, one per cycle, joined into a word of all rows."""

from migen import *

from litex.gen import *


class WordCollector(LiteXModule):
    """Joins the ``groups`` groups of a column, first group lowest, into the word of all its rows.

        fields, P x F bits --+--------------------------------> [ this group | group before | ... | first group ] --> word
                             +--> held, all but this group ---------------------^                  P x groups x F bits

    ``word`` is complete in the cycle of the last group.

    Args:
        fields: list of P Signals or slices of F bits, one per row of the group.
        groups: cycles of a column.
        spread: None, or a signal: the first field alone counts and stands for all rows.
    Attributes:
        valid: the fields are those of the next group.
        word: unsigned, ``P * groups * F`` bits.
    """

    def __init__(self, fields, groups, spread=None):
        step       = sum(len(field) for field in fields)
        self.valid = Signal()
        self.word  = Signal(step * groups)

        # # #

        merged = Signal(len(self.word))
        if groups > 1:
            held = Signal(len(merged) - step, reset_less=True)
            self.comb += merged.eq(Cat(held, *fields))
            self.sync += If(self.valid, held.eq(merged[step:]))
        else:
            self.comb += merged.eq(Cat(*fields))
        rows = len(fields) * groups
        self.comb += self.word.eq(merged if spread is None else Mux(spread, Replicate(fields[0], rows), merged))
