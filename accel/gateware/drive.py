# SPDX-License-Identifier: BSD-2-Clause
"""Drives the gateware in Migen's simulator: generators for test benches."""


def push_row(unit, busy, row):
    """Push one row of raw samples and wait until each is taken.

    Args:
        unit: Engine or SampleWindow, with ``push``, ``feature`` and ``raw``; busy: its signal that a sample is on its way;
            row: integers ``(features,)``.
    """
    for feature, value in enumerate(row):
        yield unit.feature.eq(feature)
        yield unit.raw.eq(int(value))
        yield unit.push.eq(1)
        yield
        yield unit.push.eq(0)
        yield
        while (yield busy):
            yield
