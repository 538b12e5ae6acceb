# SPDX-License-Identifier: BSD-2-Clause
"""Selection of sums: column, then group, with the corrections of DSP lanes subtracted on the way."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.drain.select import SumSelector

from .common import cycle_by_cycle, hardware

LATENCY, ROWS, COLUMNS, BITS, FIX_BITS = 2, 6, 3, 9, 3


def constants(values, bits):
    """Signed Signals that hold integers; None stays None."""
    return [[None if value is None else Signal((bits, True), reset=int(value)) for value in row] for row in values]


def selected(requantizers, fixed, order, pairs=False):
    """Walk over (column, group) in ``order``, None for a pause.

    Args:
        fixed: rows whose second column has something to subtract.
    Returns:
        (sums ``(rows, columns)`` with the corrections subtracted, list of P sums for each entry of ``order``).
    """
    hw  = hardware(rows=ROWS, columns=COLUMNS, requantizers=requantizers, accumulator_bits=BITS)
    rng = np.random.default_rng(requantizers)
    lo, hi = numerics.signed_range(BITS)
    sums   = rng.integers(lo, hi, (ROWS, COLUMNS), endpoint=True)
    sums[0], sums[1, 0] = hi, lo
    fixes  = np.zeros((ROWS, COLUMNS), np.int64)
    fixes[fixed, 1] = rng.integers(*numerics.signed_range(FIX_BITS), len(fixed), endpoint=True)
    some   = [[int(fixes[r, c]) if r in fixed and c == 1 else None for c in range(COLUMNS)] for r in range(ROWS)]
    select, following = {"valid": Signal()}, Signal(max=COLUMNS)
    column = {"valid": Signal(), "group": Signal(max=max(ROWS // requantizers, 2))}
    dut    = SumSelector(hw, constants(sums, BITS), constants(some, FIX_BITS), select, column, following)
    inputs = []
    # The column comes a cycle before it counts.
    for after, now, before in zip([*order, None, None, None], [None, *order, None, None], [None, None, *order, None]):
        inputs.append({select["valid"]: now is not None, column["valid"]: before is not None}
                      | ({following: after[0]} if after else {}) | ({column["group"]: before[1]} if before else {}))
    # Two's complement of A bits: the sum is right although a field may wrap on the way.
    right = (sums - fixes - lo) % (1 << BITS) + lo
    return right, cycle_by_cycle(dut, inputs, dut.pairs() if pairs else dut.sums)[LATENCY + 1:]


@pytest.mark.parametrize("requantizers", [1, 2, 6])
@pytest.mark.parametrize("fixed", [[], [0, 3], list(range(ROWS))], ids=str)
def test_every_sum(requantizers, fixed):
    order = [(c, g) for c in range(COLUMNS) for g in range(ROWS // requantizers)]
    sums, seen = selected(requantizers, fixed, order)
    expected = [sums[g * requantizers:(g + 1) * requantizers, c].tolist() for c, g in order]
    assert seen == expected
    # Negative control: one sum off by one.
    sums[0, 0] -= 1
    assert seen != [sums[g * requantizers:(g + 1) * requantizers, c].tolist() for c, g in order]


def test_holds_where_nothing_is_selected():
    sums, seen = selected(2, [], [(2, 1), None, None, (0, 2)])
    assert seen[:3] == [sums[2:4, 2].tolist()] * 3 and seen[3] == sums[4:6, 0].tolist()


@pytest.mark.parametrize("requantizers", [2, 3, 6])
@pytest.mark.parametrize("fixed", [[], [0, 3]], ids=str)
def test_sums_in_pairs(requantizers, fixed):
    order = [(c, g) for c in range(COLUMNS) for g in range(ROWS // requantizers)]
    sums, seen = selected(requantizers, fixed, order, pairs=True)
    groups = [sums[g * requantizers:(g + 1) * requantizers, c] for c, g in order]
    assert [len(pairs) for pairs in seen] == [(requantizers + 1) // 2] * len(order)
    assert [sum(pairs) for pairs in seen] == [group.sum() for group in groups]
    # Negative control: the first sum twice instead of a pair.
    assert [sum(pairs) for pairs in seen] != [group.sum() - group[1] + group[0] for group in groups]
