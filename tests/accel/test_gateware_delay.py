# SPDX-License-Identifier: BSD-2-Clause
"""The delay line: every signal, every stage, and no other cycle."""

import numpy as np
from migen import *

from liteformer.accel.gateware.delay import DelayLine

from .common import cycle_by_cycle

WIDTHS = {"valid": 1, "address": 9, "group": 3}
CYCLES = 4


def delayed(cycles):
    """Random values of all signals, int ``(40, signals)``, and what is read ``cycles`` cycles later."""
    signals = {name: Signal(bits) for name, bits in WIDTHS.items()}
    line    = DelayLine(signals | {"either": signals["valid"] | signals["group"][0]}, CYCLES)
    rng     = np.random.default_rng(cycles)
    sent    = np.stack([rng.integers(0, 1 << bits, 40) for bits in WIDTHS.values()], axis=1)
    stage   = line.after(cycles)
    seen    = cycle_by_cycle(line, [dict(zip(signals.values(), row)) for row in sent], list(stage.values()))
    return np.column_stack([sent, sent[:, 0] | sent[:, 2] & 1]), np.array(seen), list(stage)


def test_each_stage():
    for cycles in range(CYCLES + 1):
        sent, seen, names = delayed(cycles)
        assert names == [*WIDTHS, "either"]
        assert np.array_equal(seen[cycles:], sent[:len(sent) - cycles])
        # Negative control: a cycle earlier or later is another value.
        assert not np.array_equal(seen[cycles + 1:], sent[:len(sent) - cycles][:-1])
