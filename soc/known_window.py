# SPDX-License-Identifier: BSD-2-Clause
"""The known windows of the self-test: samples that Python and the firmware compute alike, so that no table is stored.

A xorshift generator gives the levels, one range for each feature places them where the model's input quantization has its
steps, and a generator of the same kind folds the outputs into one word. ``sw/loading.c`` does the same.
"""

import numpy as np

from liteformer.accel import golden, numerics

WORD = (1 << 32) - 1
SHIFTS = (2, 7, 7)
WINDOWS = 64    # A flipped bit of the model changes the outputs of some windows alone.
SHIFT_MASK = 15  # Of a range, its lowest sample: these bits of it are the size of a level.


def step(state):
    """Next of 2**32 - 1 states: G. Marsaglia, "Xorshift RNGs", 2003, with shifts short enough for a CPU without a shifter.

    >>> step(1)
    645
    """
    first, second, third = SHIFTS
    state ^= state << first & WORD
    state ^= state >> second
    return state ^ state << third & WORD


def known_ranges(model):
    """Where each feature's samples lie: the lowest one, whose last four bits are the binary logarithm of a level.

    A level is the largest power of two below one step of the input, so the levels cover most of the input range.

    Returns:
        list of ``features`` ints within int32.
    """
    multipliers = np.maximum(model["input.multiplier"].astype(np.int64), 1)
    middles = -(model["input.offset"].astype(np.int64) << numerics.OFFSET_SHIFT) // multipliers
    shifts = [min(((1 << numerics.SHIFT) // int(m)).bit_length() - 1, numerics.RAW_BITS - 10) for m in multipliers]
    limit, half = 1 << numerics.RAW_BITS - 2, 1 << model.config.bits["input"] - 1
    return [int(middle - (half << shift)) & ~SHIFT_MASK | shift
            for middle, shift in zip(np.clip(middles, -limit, limit), shifts)]


def known_windows(model):
    """Windows over most of the input range of each feature, each a row later, int64 ``(WINDOWS, window, features)``."""
    config, ranges = model.config, known_ranges(model)
    levels, state = (1 << config.bits["input"]) - 1, int(model.id[:8], 16)
    rows = np.empty((config.window + WINDOWS - 1, config.features), np.int64)
    for row in rows:
        for feature, place in enumerate(ranges):
            state = step(state)
            row[feature] = place + ((state & levels) << (place & SHIFT_MASK))
    return rows[np.arange(WINDOWS)[:, None] + np.arange(config.window)]


def known_answer(model):
    """The golden model's outputs for the known windows, folded into 32 bits; any one wrong output gives another word."""
    state = int(model.id[:8], 16)
    for output in golden.infer(model, known_windows(model)).ravel():
        state = step(state ^ int(output) & WORD)
    return state
