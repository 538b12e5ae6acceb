# SPDX-License-Identifier: BSD-2-Clause
"""Weights as signed digits against ``numerics.to_digits``, all of them."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.softmax.digits import DigitSplitter

from .common import cycle_by_cycle


def split(largest, digits, bits):
    """Digits of 0 to ``largest``, most significant first, int64 ``(digits, largest + 1)``."""
    weight = Signal(max=largest + 1)
    dut    = DigitSplitter(weight, largest, digits, bits)
    fields = np.array([word for word, in cycle_by_cycle(dut, [{weight: value} for value in range(largest + 1)], [dut.field])])
    found  = [fields >> bits * digit & (1 << bits) - 1 for digit in range(digits)]
    return np.stack([digit - (digit >> bits - 1 << bits) for digit in found[::-1]])


@pytest.mark.parametrize(("largest", "digits", "bits"), [(119, 2, 4), (127, 1, 8), (85, 4, 2), (127, 2, 6), (3, 1, 3)])
def test_digits(largest, digits, bits):
    seen = split(largest, digits, bits)
    assert np.array_equal(seen, numerics.to_digits(np.arange(largest + 1), bits, digits))
    # Negative control: digits cut out without a borrow differ, except where there is only one.
    cut = np.stack([np.arange(largest + 1) >> bits * digit & (1 << bits) - 1 for digit in range(digits)][::-1])
    assert digits == 1 or not np.array_equal(seen, cut)


def test_a_weight_that_does_not_fit_is_refused():
    with pytest.raises(AssertionError):
        DigitSplitter(Signal(7), 120, 2, 4)
