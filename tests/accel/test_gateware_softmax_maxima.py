# SPDX-License-Identifier: BSD-2-Clause
"""Running maxima of rows against NumPy's maximum."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.softmax.maxima import RowMaxima

from .common import cycle_by_cycle, hardware

ROWS, KEYS = 4, 5
LO, HI = numerics.signed_range(numerics.SCORE_BITS)


def maxima(heads, requantizers, restart_after=None):
    """Scores ``(heads, ROWS, KEYS)`` as they arrive, and the maxima read after each head ``(heads, ROWS)``.

    Args:
        restart_after: columns of the first head after which it is forgotten and begun again.
    """
    hw     = hardware(rows=ROWS, requantizers=requantizers)
    score  = [Signal((numerics.SCORE_BITS, True)) for _ in range(requantizers)]
    group  = Signal(max=max(hw.groups, 2))
    dut    = RowMaxima(hw, score, group)
    inputs, reads = [], []

    def send(scores, last):
        for key in range(scores.shape[1]):
            for g in range(hw.groups):
                end = g == hw.groups - 1
                inputs.append(dict(zip(score, scores[g * requantizers:, key])) | {
                    dut.valid: 1, group: g, dut.column_end: end, dut.last: last and end and key == KEYS - 1})

    if restart_after:
        send(np.full((ROWS, restart_after), HI), False)
        inputs.extend([{dut.valid: 0, dut.restart: 1}, {dut.restart: 0}])
    for scores in heads:
        send(scores, True)
        inputs.append({dut.valid: 0})
        for g in range(hw.groups):
            reads.append(len(inputs))
            inputs.append({dut.read_group: g})
    seen = cycle_by_cycle(dut, inputs, dut.maximum)
    return np.array([seen[cycle] for cycle in reads]).reshape(len(heads), ROWS)


@pytest.mark.parametrize("requantizers", [1, 2, 4])
def test_maxima(requantizers):
    rng   = np.random.default_rng(requantizers)
    heads = rng.integers(LO, HI, (4, ROWS, KEYS), endpoint=True)
    # All at the bottom after a large one, the largest first, the largest last.
    heads[1], heads[2, 0, 0], heads[3, 1, -1] = LO, HI, HI
    seen = maxima(heads, requantizers)
    assert np.array_equal(seen, heads.max(axis=2))
    # Negative control: one score more than the maximum.
    heads[0, 0, 2] = heads[0, 0].max() + 1
    assert not np.array_equal(seen, heads.max(axis=2))


def test_restart():
    heads = np.random.default_rng(1).integers(LO, 0, (1, ROWS, KEYS))
    assert np.array_equal(maxima(heads, 2, restart_after=3), heads.max(axis=2))
