# SPDX-License-Identifier: BSD-2-Clause
"""Groups of rows joined into words, the first group lowest."""

import numpy as np
import pytest
from migen import *

from liteformer.accel.gateware.words import WordCollector

from .common import cycle_by_cycle

P, BITS = 2, 5


def words(groups, spread=None):
    """Random fields, int ``(10, groups, P)``, a pause after each column, and the word in the cycle of its last group."""
    fields = [Signal(BITS) for _ in range(P)]
    flag   = None if spread is None else Signal(reset=spread)
    dut    = WordCollector(fields, groups, flag)
    values = np.random.default_rng(groups).integers(0, 1 << BITS, (10, groups, P))
    inputs = []
    for column in values:
        inputs += [dict(zip(fields, group)) | {dut.valid: 1} for group in column] + [{dut.valid: 0, fields[0]: 0}]
    seen = cycle_by_cycle(dut, inputs, [dut.word])
    return values, [word for word, in seen[groups - 1::groups + 1]]


def joined(fields):
    """Word of integers, the first lowest."""
    return sum(int(field) << BITS * index for index, field in enumerate(np.ravel(fields)))


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_words(groups):
    values, seen = words(groups)
    assert seen == [joined(column) for column in values]
    # Negative control: the groups the other way round.
    assert groups == 1 or seen != [joined(column[::-1]) for column in values]


@pytest.mark.parametrize("groups", [1, 3])
def test_first_row_stands_for_all(groups):
    values, seen = words(groups, spread=1)
    assert seen == [joined(np.full(P * groups, column[-1, 0])) for column in values]
    values, seen = words(groups, spread=0)
    assert seen == [joined(column) for column in values]
