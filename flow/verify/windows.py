# SPDX-License-Identifier: BSD-2-Clause
"""Rows of raw samples that try to break the core: extremes, constants, ties, one-hot rows, steps around every rounding edge."""

import numpy as np

from liteformer.accel import numerics
from liteformer.soc.core_simulation import ABORT, CLEAR, EARLY, RUN

INT32  = (-(1 << 31), (1 << 31) - 1)
RAW_LO, RAW_HI = numerics.signed_range(numerics.RAW_BITS)


def _usual(rng, model, shape):
    """Values that the input quantizer spreads over its codes."""
    lo, hi = model.input_range
    span = (hi - lo + 4) * (1 << numerics.SHIFT) / np.maximum(model["input.multiplier"], 1)
    centre = -(model["input.offset"] << numerics.OFFSET_SHIFT) / np.maximum(model["input.multiplier"], 1)
    return np.clip(centre + (rng.random(shape) - 0.5) * span, *INT32)


def _edges(rng, model, shape):
    """Values around those where the quantizer rounds to the next code."""
    lo, hi = model.input_range
    code = rng.integers(lo - 1, hi + 2, shape)
    edge = (code << numerics.SHIFT) - (model["input.offset"] << numerics.OFFSET_SHIFT) - (1 << (numerics.SHIFT - 1))
    edge = edge / np.maximum(model["input.multiplier"], 1)
    return np.clip(np.ceil(edge) + rng.integers(-1, 2, shape), *INT32)


def _one_hot(rng, _, shape):
    rows = np.zeros(shape)
    rows[np.arange(shape[0]), rng.integers(0, shape[1], shape[0])] = rng.choice(INT32)
    return rows


PATTERNS = {
    "usual":      _usual,
    "edges":      _edges,
    "int32":      lambda rng, model, shape: rng.integers(*INT32, shape, endpoint=True),
    "extremes":   lambda rng, model, shape: rng.choice(INT32, shape),
    "saturation": lambda rng, model, shape: rng.choice([RAW_LO, RAW_HI], shape) + rng.integers(-2, 3, shape),
    "constant":   lambda rng, model, shape: np.broadcast_to(_usual(rng, model, (1, shape[1])), shape),
    "zeros":      lambda rng, model, shape: np.zeros(shape),
    "one-hot":    _one_hot,
    "alternating": lambda rng, model, shape: np.where(np.arange(shape[0])[:, None] % 2, *INT32) * np.ones(shape),
    "ramp":       lambda rng, model, shape: np.linspace(*rng.permutation(INT32), shape[0])[:, None] * np.ones(shape),
    "repeated":   lambda rng, model, shape: _usual(rng, model, (2, shape[1]))[rng.integers(0, 2, shape[0])],
}


def rows(rng, model, count):
    """``count`` rows in stretches of a pattern each, longer than a window, and the patterns' names.

    Returns:
        ``(int32 (count, features), dict of pattern -> rows)``.
    """
    config, parts, used, left = model.config, [], {}, count
    while left > 0:
        name   = str(rng.choice(list(PATTERNS)))
        length = min(left, config.window + int(rng.integers(1, config.window + 8)))
        parts.append(np.clip(np.rint(PATTERNS[name](rng, model, (length, config.features))), *INT32).astype(np.int64))
        used[name] = used.get(name, 0) + length
        left -= length
    return np.concatenate(parts).astype(np.int32), used


def events(rng, compiled, count, clears=50, early=0.05, aborts=0.02, late=0):
    """What happens at each row: inferences wherever the window is full; now and then it is cleared, one is aborted or refused.

    Args:
        clears: windows from one clear to the next, on average; early: share of the rows too few that are started all the same.
        aborts: share of the inferences before which one is aborted; late: every second of them so many cycles before its end at
        most, 0 for none.
    Returns:
        ``(flags, arguments, ends)``: as of ``CoreSimulation.stream``; the rows whose windows are inferred.
    """
    window, features = compiled.model.config.window, compiled.model.config.features
    flags, arguments, filled = np.zeros(count, np.uint8), np.zeros(count, np.uint32), 0
    chance = rng.random(count)
    for row in range(count):
        if filled and chance[row] < 1 / (clears * window):
            flags[row], filled = CLEAR, 0
            arguments[row] = rng.integers(0, features + 1)
        filled += 1
        if filled >= window:
            flags[row] |= RUN
            if chance[row] > 1 - aborts and not flags[row] & CLEAR:
                flags[row] |= ABORT
                arguments[row] = rng.integers(0, compiled.cycles + 20)
                if late and rng.random() < 0.5:
                    arguments[row] = compiled.cycles - rng.integers(0, late)
        elif chance[row] > 1 - early:
            flags[row] |= EARLY
    return flags, arguments, np.flatnonzero(flags & RUN)
