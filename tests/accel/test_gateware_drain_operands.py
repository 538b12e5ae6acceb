# SPDX-License-Identifier: BSD-2-Clause
"""Factor, residual and offset of each requantizer, against the choice written out in NumPy."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.drain.operands import DrainOperands

from .common import cycle_by_cycle, hardware

ROWS, ROW_BITS, OFFSET_BITS, RESIDUAL_BITS = 6, 4, 11, 7
FLAGS = ("valid", "residual", "reciprocal", "spread")


def chosen(requantizers, wide, multiplier_bits, rate_bits):
    """Random operands and flags; (what the block chooses, what it should), a list of all operands per cycle."""
    P, groups = requantizers, ROWS // requantizers
    hw    = hardware(rows=ROWS, requantizers=P, row_bits=ROW_BITS, multiplier_bits=multiplier_bits, wide=wide)
    words = [Signal(bits) for bits in (multiplier_bits, OFFSET_BITS, RESIDUAL_BITS)]
    rates = [Signal(rate_bits) for _ in range(P)]
    residual, stage = Signal(ROWS * ROW_BITS), {name: Signal() for name in FLAGS} | {"group": Signal(max=max(groups, 2))}
    dut = DrainOperands(hw, words, residual, rates, stage)
    rng, inputs, expected = np.random.default_rng(P), [], []
    for _ in range(60):
        flags  = {name: int(rng.integers(2)) for name in FLAGS} | {"group": int(rng.integers(groups))}
        values = [int(rng.choice([*numerics.signed_range(len(word)), rng.integers(*numerics.signed_range(len(word)))]))
                  for word in words]
        tokens = rng.integers(*numerics.signed_range(ROW_BITS), ROWS, endpoint=True)
        ratios = rng.choice([0, (1 << rate_bits) - 1, rng.integers(1 << rate_bits)], P)
        packed = sum((int(token) & ((1 << ROW_BITS) - 1)) << ROW_BITS * r for r, token in enumerate(tokens))
        inputs.append(dict(zip(words, values)) | dict(zip(rates, ratios)) | {residual: packed}
                      | {stage[name]: value for name, value in flags.items()})
        rows = np.full(P, tokens[-1]) if wide and flags["spread"] else tokens[flags["group"] * P:][:P]
        expected.append([*(ratios if flags["valid"] & flags["reciprocal"] else [values[0]] * P),
                         *(rows * (flags["valid"] & flags["residual"])), *values])
    ports = [*dut.factor, *dut.residual, dut.multiplier, dut.offset, dut.residual_multiplier]
    return cycle_by_cycle(dut, inputs, ports), [[int(value) for value in row] for row in expected]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("requantizers", "multiplier_bits", "rate_bits"), [(1, 24, 20), (2, 13, 22), (6, 18, 17)])
def test_operands(requantizers, wide, multiplier_bits, rate_bits):
    seen, expected = chosen(requantizers, wide, multiplier_bits, rate_bits)
    assert seen == expected
    # Negative control: the operands of the cycle before.
    assert seen[1:] != expected[:-1]
