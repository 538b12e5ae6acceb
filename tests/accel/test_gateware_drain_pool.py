# SPDX-License-Identifier: BSD-2-Clause
"""Pooling over the rows of a column, against NumPy's sum."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.drain.pool import RowPool

from .common import cycle_by_cycle

BITS = 6


def pooled(sums, pool):
    """Stream sums ``(columns, groups, P)``, one group per cycle; the value in each cycle."""
    columns, groups, P = sums.shape
    signals = [Signal((BITS, True)) for _ in range(P)]
    bits    = numerics.signed_bits(-groups * P << BITS - 1, (groups * P << BITS - 1) - 1)
    dut     = RowPool(signals, signals[0], bits)
    inputs  = [dict(zip(signals, sums[c, g])) | {dut.first: g == 0, dut.pool: pool}
               for c in range(columns) for g in range(groups)]
    return np.array(cycle_by_cycle(dut, inputs, [dut.value])).reshape(columns, groups)


@pytest.mark.parametrize(("groups", "P"), [(1, 1), (1, 4), (3, 1), (3, 2)])
def test_pool(groups, P):
    lo, hi = numerics.signed_range(BITS)
    sums   = np.random.default_rng(P).integers(lo, hi, (8, groups, P), endpoint=True)
    # The sums that reach farthest.
    sums[0], sums[1] = lo, hi
    assert pooled(sums, 1)[:, -1].tolist() == sums.sum(axis=(1, 2)).tolist()
    assert pooled(sums, 0).tolist() == sums[:, :, 0].tolist()
    # Negative control: one sum off by one.
    altered = sums.copy()
    altered[2, 0, 0] += 1 if altered[2, 0, 0] < hi else -1
    assert pooled(altered, 1)[:, -1].tolist() != sums.sum(axis=(1, 2)).tolist()
