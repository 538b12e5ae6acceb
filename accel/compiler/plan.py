# SPDX-License-Identifier: BSD-2-Clause
"""The order of the steps: the fastest of those that there are."""

from liteformer.accel.compiler.schedule import schedule
from liteformer.accel.compiler.steps import build_steps

# Tiles of values that may be computed before the scores of a single query.
MOST_AHEAD = 2


def plan(model, hw, layout, longest=None):
    """Steps of an inference in the fastest order.

    Args:
        model: QuantizedModel; hw: Hardware; layout: Layout; longest: steps that there may be, None for any number.
    Returns:
        ``(steps, cycles)``, a scheduled list of Step; with the least steps where all have more than ``longest``.
    """
    best = None
    for ahead in range(1 + MOST_AHEAD * (model.config.readout == "last")):
        steps = build_steps(model, hw, layout, ahead)
        if best is not None and longest is not None and len(steps) > longest:
            continue
        cycles = schedule(steps, hw)
        if best is None or cycles < best[1]:
            best = steps, cycles
    return best
