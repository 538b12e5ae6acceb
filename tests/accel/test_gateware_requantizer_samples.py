# SPDX-License-Identifier: BSD-2-Clause
"""The requantizer that quantizes samples as well, with its ports swapped or not, against ``numerics.requantize``."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.devices import DSP48E1
from liteformer.accel.gateware.requantizer import INPUT_TO_RESULT
from liteformer.accel.gateware.requantizer_samples import RequantizerWithSamples

from .common import cycle_by_cycle, hardware

RESIDUAL_BITS, ROW_BITS, OFFSET_BITS = 13, 4, 24
CLAMPS = (4, 10, 8)


def values(rng, bits, count):
    """Extremes of a width, small and random numbers, int64 ``(count,)``."""
    lo, hi = numerics.signed_range(bits)
    kinds  = [np.full(count, lo), np.full(count, hi), rng.integers(-40, 40, count), rng.integers(lo, hi, count, endpoint=True)]
    return np.clip(np.choose(rng.integers(0, len(kinds), count), kinds), lo, hi)


def run(acc_bits, factor_bits, quantizing, count=80):
    """Stream operands through one of the two ways.

    Returns:
        ((results, totals) as simulated, (results, totals) expected, operands), each of ``count`` integers.
    """
    flag, raw, own = Signal(reset=quantizing), Signal((numerics.RAW_BITS, True)), Signal((acc_bits, True))
    raw_multiplier = Signal((max(factor_bits, DSP48E1.narrow), True))
    hw   = hardware(accumulator_bits=acc_bits, head_bits=1, residual_bits=RESIDUAL_BITS, row_bits=ROW_BITS,
                    offset_bits=OFFSET_BITS)
    dut  = RequantizerWithSamples(hw, factor_bits, CLAMPS, own, flag, raw, raw_multiplier)
    rng  = np.random.default_rng(acc_bits + factor_bits)
    sent = {own: values(rng, acc_bits, count), dut.multiplier: values(rng, factor_bits, count),
            dut.residual: values(rng, ROW_BITS, count), dut.residual_multiplier: values(rng, RESIDUAL_BITS, count),
            dut.offset: values(rng, OFFSET_BITS, count), raw: values(rng, numerics.RAW_BITS, count),
            raw_multiplier: values(rng, min(factor_bits, DSP48E1.narrow), count)}
    if quantizing:
        # The way of the window: its factor is the parameter, it has no residual.
        sent[dut.residual] = np.zeros(count, np.int64)
        sent[dut.multiplier] = sent[raw_multiplier]
    inputs = [{signal: column[n] for signal, column in sent.items()} for n in range(count)]
    inputs[0] |= {dut.awake: not quantizing, dut.clamp: 1}
    seen = cycle_by_cycle(dut, inputs + [{}] * INPUT_TO_RESULT, [dut.result, dut.total])[INPUT_TO_RESULT:]
    acc, factor = (sent[raw], sent[raw_multiplier]) if quantizing else (sent[own], sent[dut.multiplier])
    bias = sent[dut.offset] - numerics.ROUNDING
    bits = CLAMPS[-1] if quantizing else CLAMPS[1]
    wanted = [numerics.requantize(acc, factor, bias, *numerics.signed_range(width), sent[dut.residual],
                                  sent[dut.residual_multiplier]).tolist() for width in (bits, 32)]
    return [list(column) for column in zip(*seen)], wanted


# One factor in the narrow port, and one that needs the wide port.
@pytest.mark.parametrize(("acc_bits", "factor_bits"), [(13, 18), (24, 15), (18, 24), (13, 20), (21, 24)])
@pytest.mark.parametrize("quantizing", [0, 1])
def test_both_ways(acc_bits, factor_bits, quantizing):
    seen, expected = run(acc_bits, factor_bits, quantizing)
    assert seen == expected
    # Negative control: the other way's operands give other results.
    other, _ = run(acc_bits, factor_bits, 1 - quantizing)
    assert other[0] != expected[0]
