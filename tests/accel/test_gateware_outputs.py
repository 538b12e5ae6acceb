# SPDX-License-Identifier: BSD-2-Clause
"""The output registers, with and without persistence skip."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.outputs import OUTPUT_BITS, OutputRegisters

from .common import cycle_by_cycle

LO, HI = numerics.signed_range(OUTPUT_BITS)
CORNERS = [LO, LO + 1, -1, 0, 1, HI - 1, HI]


def written(totals, skip):
    """Write each total to the first output with a skip (None: without), zero to the second; the outputs after each."""
    skips = [] if skip is None else [Signal((OUTPUT_BITS, True), reset=skip), Signal((OUTPUT_BITS, True))]
    write, index, total = Signal(), Signal(4), Signal((OUTPUT_BITS, True))
    dut = OutputRegisters(2, skips, write, index, total)
    inputs = []
    for value in totals:
        inputs += [{write: 1, index: 0, total: value}, {write: 1, index: 1, total: 0}, {write: 0, index: 0, total: 5}, {}]
    return cycle_by_cycle(dut, inputs, dut.outputs)[3::4]


@pytest.mark.parametrize("skip", CORNERS)
def test_saturating_skip(skip):
    seen = written(CORNERS, skip)
    assert seen == [[int(np.clip(total + skip, LO, HI)), 0] for total in CORNERS]
    # Negative control: a sum that wraps would be seen.
    assert skip in (-1, 0, 1) or seen != [[(total + skip - LO) % (1 << OUTPUT_BITS) + LO, 0] for total in CORNERS]


def test_without_skip():
    assert written(CORNERS, None) == [[total, 0] for total in CORNERS]
