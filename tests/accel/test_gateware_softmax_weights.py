# SPDX-License-Identifier: BSD-2-Clause
"""Weights and their sums against ``numerics.softmax``."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.delay import DelayLine
from liteformer.accel.gateware.softmax.weights import SCORE_TO_WEIGHT, WeightLookup

from .common import cycle_by_cycle, hardware

LO, HI = numerics.signed_range(numerics.SCORE_BITS)


class Bench(Module):
    """The lookup with its stages, as the softmax connects it."""

    def __init__(self, hw, table):
        P = hw.requantizers
        self.score, self.maximum = ([Signal((numerics.SCORE_BITS, True)) for _ in range(P)] for _ in range(2))
        self.now = {"valid": Signal(), "group": Signal(max=max(hw.groups, 2)), "key": Signal(max=max(hw.tokens, 2))}
        self.submodules.line = line = DelayLine(self.now, SCORE_TO_WEIGHT)
        stages = [line.after(cycles) for cycles in range(SCORE_TO_WEIGHT + 1)]
        self.submodules.lookup = WeightLookup(hw, table, self.score, self.maximum, stages)


def looked_up(heads, table, requantizers):
    """Weights ``(heads, rows, keys)`` and their sums ``(heads, rows)`` of scores ``(heads, rows, keys)``."""
    count, rows, keys = heads.shape
    hw  = hardware(rows=rows, row_tiles=keys // rows, requantizers=requantizers)
    dut = Bench(hw, table)
    inputs, weights_at, sums_at = [], [], []
    for scores in heads:
        for key in range(keys):
            for group in range(hw.groups):
                own = slice(group * requantizers, (group + 1) * requantizers)
                weights_at.append(len(inputs) + SCORE_TO_WEIGHT)
                inputs.append(dict(zip(dut.score, scores[own, key])) | dict(zip(dut.maximum, scores[own].max(axis=1)))
                              | dict(zip(dut.now.values(), (1, group, key))))
        # Until the last weight has been added.
        inputs += [{dut.now["valid"]: 0}] + [{}] * SCORE_TO_WEIGHT
        for group in range(hw.groups):
            sums_at.append(len(inputs))
            inputs.append({dut.lookup.total_group: group})
    seen = np.array(cycle_by_cycle(dut, inputs, [*dut.lookup.weight, *dut.lookup.totals]))
    weights = seen[weights_at, :requantizers].reshape(count, keys, rows).transpose(0, 2, 1)
    return weights, seen[sums_at, requantizers:].reshape(count, rows)


@pytest.mark.parametrize("requantizers", [1, 2, 4])
@pytest.mark.parametrize(("length", "top"), [(64, 119), (512, 127), (2, 1)])
def test_weights_and_sums(length, top, requantizers):
    table = numerics.exp_table(length, top, 5.5 / length)
    heads = np.random.default_rng(length).integers(LO, HI, (3, 4, 8), endpoint=True)
    # Distances around the end of the table, all equal (the largest sum), one far above the others.
    heads[1] = HI - np.arange(length - 4, length + 4)
    heads[1, :, 0] = HI
    heads[2, 0], heads[2, 1] = LO, np.where(np.arange(8) == 7, HI, LO)
    weights, sums = looked_up(heads, table, requantizers)
    expected, totals = numerics.softmax(heads, table)
    assert np.array_equal(weights, expected) and np.array_equal(sums, totals[..., 0])
    # Negative control: one entry of the table off by one.
    other, others = numerics.softmax(heads, table + (np.arange(length) == 0))
    assert not np.array_equal(weights, other) and not np.array_equal(sums, others[..., 0])
