# SPDX-License-Identifier: BSD-2-Clause
"""The arithmetic contract: every rounding, clamp and table of LiteFormer, as NumPy functions on integers.

The golden model calls these functions, the compiler takes its tables from them, training imitates them and every gateware
block is tested against them. All arrays are ``int64`` unless said otherwise; nothing here is floating point except the
construction of the exponential table. ``docs/numerics.md`` works through examples.
"""

import numpy as np

SHIFT = 20            # Fractional bits of every multiplier (requantization scale): ratio 1.0 is 1 << SHIFT.
RESIDUAL_SHIFT = 8    # A residual multiplier counts in units of 1 << RESIDUAL_SHIFT.
OFFSET_SHIFT = 10     # A bias counts in units of 1 << OFFSET_SHIFT, that is 1/1024 of an output step.
ROUNDING = 1 << (SHIFT - 1 - OFFSET_SHIFT)  # One half of an output step in units of the bias.
SCORE_BITS = 10       # Width of a score at the softmax table, signed.
MULTIPLIER_BITS = 24  # Widest multiplier, signed; one DSP block suffices while it or the accumulator fits the narrow port.
RESIDUAL_BITS = 16    # Widest residual multiplier, signed.
OFFSET_BITS = 28      # Widest bias, signed.
RAW_BITS = 25         # Raw samples saturate to this width before they are quantized (the wide port of devices.DSP48E1).
MIN_BITS, MAX_BITS = 2, 8


def signed_range(bits):
    """Smallest and largest two's complement number of ``bits`` bits.

    >>> signed_range(4)
    (-8, 7)
    """
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def signed_bits(lo, hi):
    """Bits of the narrowest two's complement number that holds every integer of ``[lo, hi]``.

    >>> signed_bits(-8, 7), signed_bits(0, 8)
    (4, 5)
    """
    return max(int(hi), -int(lo) - 1, 0).bit_length() + 1


def digit_count(bits, lane_bits):
    """How many ``lane_bits``-wide digits an operand of ``bits`` bits takes."""
    return -(-bits // lane_bits)


def operand_range(bits, lane_bits):
    """Range of a ``bits``-bit operand that must also be a sum of signed ``lane_bits``-wide digits.

    Each digit is signed, so the largest sum of digits lies a little below the two's complement maximum.

    >>> operand_range(8, 4), operand_range(8, 6), operand_range(8, 8)
    ((-128, 119), (-128, 127), (-128, 127))
    """
    lo, hi = signed_range(bits)
    digit_hi = signed_range(lane_bits)[1]
    largest = sum(digit_hi << (lane_bits * i) for i in range(digit_count(bits, lane_bits)))
    return lo, min(hi, largest)


def digits_for(largest, lane_bits):
    """How many signed digits reach the non-negative integer ``largest``.

    >>> digits_for(7, 4), digits_for(8, 4), digits_for(119, 4), digits_for(120, 4)
    (1, 2, 2, 3)
    """
    digit_hi, count, reach = signed_range(lane_bits)[1], 1, signed_range(lane_bits)[1]
    while reach < largest:
        reach += digit_hi << (lane_bits * count)
        count += 1
    return count


def to_digits(values, lane_bits, count):
    """Split integers into ``count`` signed digits, most significant first.

    Args:
        values: integers of any shape, within ``operand_range``.
    Returns:
        int64 array of shape ``(count, *values.shape)``; ``sum(digit << lane_bits * weight)`` gives the values back.
    Raises:
        ValueError: a value does not fit.

    >>> to_digits(np.array([119, -128, 8]), 4, 2).tolist()
    [[7, -8, 1], [7, 0, -8]]
    """
    rest = np.asarray(values, np.int64)
    half, digits = 1 << (lane_bits - 1), []
    for _ in range(count):
        digit = ((rest + half) & ((1 << lane_bits) - 1)) - half
        digits.append(digit)
        rest = (rest - digit) >> lane_bits
    if np.any(rest):
        raise ValueError(f"a value does not fit {count} digits of {lane_bits} bits")
    return np.stack(digits[::-1])


def round_half_up(x):
    """Nearest integer of a real number, halves upwards; the rounding of ``requantize`` for real numbers.

    >>> round_half_up(np.array([0.5, -0.5, -1.5, 2.4])).tolist()
    [1, 0, -1, 2]
    """
    return np.floor(np.asarray(x, np.float64) + 0.5).astype(np.int64)


def requantize(acc, multiplier, offset, lo, hi, residual=0, residual_multiplier=0):
    """``clamp((acc * M + (res * N << 8) + (B << 10) + half) >> 20, lo, hi)``: the only rounding in the core.

    Args:
        acc: accumulators; multiplier ``M``, offset (bias) ``B``, residual ``res`` and residual_multiplier ``N`` broadcast.
        lo, hi: bounds of the result, both included.
    Returns:
        int64, of the broadcast shape. Rounds half up (towards plus infinity), shifts arithmetically, then clamps.

    >>> requantize(np.array([3, -3, 40]), 1 << 19, 0, -8, 7).tolist()
    [2, -1, 7]
    """
    total = (np.asarray(acc, np.int64) * multiplier
             + ((np.asarray(residual, np.int64) * residual_multiplier) << RESIDUAL_SHIFT)
             + (np.asarray(offset, np.int64) << OFFSET_SHIFT) + (1 << (SHIFT - 1)))
    return np.clip(total >> SHIFT, lo, hi)


def exp_table(length, top, step):
    """``round(top * exp(-step * i))`` for ``i < length``: the softmax table in model file and gateware.

    Args:
        length: entries, a power of two up to 512.
        top: integer of entry 0, the largest probability operand.
        step: natural-log units an index stands for.
    """
    return round_half_up(top * np.exp(-step * np.arange(length)))


def softmax(scores, table):
    """Unnormalised softmax of scores that already count in table steps.

    Args:
        scores: int64 ``(..., keys)``, each within ``signed_range(SCORE_BITS)``.
        table: int64 ``(length,)`` from ``exp_table``.
    Returns:
        ``(weights, total)``: int64 ``(..., keys)`` and their sum ``(..., 1)``; total is at least ``table[0]``.
    """
    index = np.minimum(scores.max(axis=-1, keepdims=True) - scores, len(table) - 1)
    weights = np.asarray(table, np.int64)[index]
    return weights, weights.sum(axis=-1, keepdims=True)


def reciprocal(numerator, total):
    """``floor(numerator / total)`` for positive integers: the multiplier that normalises one row of context."""
    return np.asarray(numerator, np.int64) // np.asarray(total, np.int64)


def accumulator_bound(weights, lo, hi):
    """Accumulator bound: the range of ``weights @ x`` for every ``x`` with elements in ``[lo, hi]``, over all rows.

    Args:
        weights: integers ``(channels, inputs)``.
    Returns:
        ``(smallest, largest)``, including zero and every partial sum in any order of summation.

    >>> accumulator_bound(np.array([[3, -2]]), -8, 7)
    (-38, 37)
    """
    w = np.asarray(weights, np.int64)
    low, high = np.minimum(w * lo, w * hi), np.maximum(w * lo, w * hi)
    return int(np.minimum(low, 0).sum(axis=1).min()), int(np.maximum(high, 0).sum(axis=1).max())


def matmul(a, b):
    """Exact integer matrix product through floating-point BLAS.

    Exact because every partial sum stays below 2**53; ``tests/accel/test_numerics.py`` checks it against int64.
    """
    return np.rint(np.matmul(np.asarray(a, np.float64), np.asarray(b, np.float64))).astype(np.int64)
