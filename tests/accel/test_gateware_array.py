# SPDX-License-Identifier: BSD-2-Clause
"""The array of lanes, LUT and DSP, against int64 products of random and of most extreme operands."""

import numpy as np
import pytest

from liteformer.accel import numerics
from liteformer.accel.gateware.array import MatrixArray

from .common import hardware, read_all, simulate

LATENCY = 3  # and the cycles of a product


def tiles(rng, hw, operand_bits, k, groups):
    """Operands ``(row (rows, k), column (groups, columns, k))`` of several tiles: corners first, then random ones."""
    lo, hi = numerics.operand_range(operand_bits, hw.row_bits)
    w_lo, w_hi = numerics.signed_range(hw.column_bits)
    row, column = (hw.rows, k), (groups, hw.columns, k)
    for x, w in ((lo, w_lo), (lo, w_hi), (hi, w_lo), (hi, w_hi)):
        yield np.full(row, x), np.full(column, w)
    # Neighbouring columns at opposite extremes: each must not disturb the other.
    yield np.full(row, lo), np.where(np.arange(hw.columns)[:, None] % 2, w_lo, w_hi) * np.ones(column, np.int64)
    for _ in range(4):
        yield rng.integers(lo, hi, row, endpoint=True), rng.integers(w_lo, w_hi, column, endpoint=True)


def expected_sums(hw, row, column):
    return [[int(row[r] @ column[r // hw.requantizers if len(column) > 1 else 0, c]) for c in range(hw.columns)]
            for r in range(hw.rows)]


def load(array, row, column, digit):
    """Load the operand registers, as the engine does."""
    for signal, weighted, value in zip(array.row, array.weighted, row):
        yield signal.eq(int(value))
        if weighted is not None:
            yield weighted.eq(int(value) << (len(signal) * digit))
    for group, values in zip(array.column, column):
        for signal, value in zip(group, values):
            yield signal.eq(int(value))


def run_array(hw, operands, count, idle):
    """Stream tiles through the array, ``idle`` cycles between them; the sums of each, read in time."""
    array, seen, cycles = MatrixArray(hw), [], []
    for row, column in operands:
        k_last = row.shape[1] - 1
        for d, digits in enumerate(numerics.to_digits(row, hw.row_bits, count)):
            for k in range(k_last + 1):
                flags = (d == 0 and k == 0, d > 0 and k == 0, d == count - 1 and k == k_last)
                cycles.append((flags, (digits[:, k], column[:, :, k], count - 1 - d)))
        cycles += [None] * idle
    latency = LATENCY + hw.product_cycles
    cycles += [None] * (latency + 2)

    def bench():
        before = None
        for cycle in cycles:
            # The flags come with the cycle at whose end the operands are loaded.
            yield array.valid.eq(cycle is not None)
            for signal, value in zip((array.first, array.shift, array.last), cycle[0] if cycle else (0, 0, 0)):
                yield signal.eq(value)
            if before:
                yield from load(array, *before[1])
            before = cycle
            yield

    def monitor():
        due = [0] * latency
        while len(seen) < len(operands):
            due.append((yield array.last))
            if due.pop(0):
                sums = []
                for line, fixes in zip(array.sums, array.fixes):
                    values = yield from read_all(line)
                    for c, fix in enumerate(fixes):
                        if fix is not None:
                            values[c] = wrapped(values[c] - (yield fix), hw.accumulator_bits)
                    sums.append(values)
                seen.append(sums)
            yield

    simulate(array, bench(), monitor())
    return seen


def wrapped(value, bits):
    """Two's complement of this many bits."""
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


def simulated_sums(hw, operand_bits, k, groups):
    """Sums of random tiles: those expected, the array's without pauses between them, and the array's with pauses.

    After them the last tile alone, one operand off by one, for a negative control: its sums from the array.
    """
    operands = list(tiles(np.random.default_rng(0), hw, operand_bits, k, groups))
    count = numerics.digit_count(operand_bits, hw.row_bits)
    row, column = operands[-1]
    column[..., 0] |= 1  # What the operand is multiplied with, so not zero.
    wrong = row.copy()
    wrong[0, 0] += 1 if wrong[0, 0] < 0 else -1
    found = (run_array(hw, *given) for given in ((operands, count, 0), (operands, count, 2), ([(wrong, column)], count, 0)))
    return [expected_sums(hw, *tile) for tile in operands], *found


@pytest.mark.parametrize("dsp_lanes", [0, 2, 6])
@pytest.mark.parametrize(("row_bits", "column_bits", "operand_bits"),
                         [(4, 4, 8), (2, 3, 8), (3, 2, 8), (5, 8, 8), (6, 6, 8), (7, 5, 8), (8, 8, 8), (8, 4, 8)])
def test_array(row_bits, column_bits, operand_bits, dsp_lanes):
    """As many DSP lanes as none, one pair, and all but the odd column of each row."""
    k = 9
    peak = k << (operand_bits + column_bits - 2)
    hw = hardware(rows=2, columns=3, requantizers=2, row_bits=row_bits, column_bits=column_bits, dsp_lanes=dsp_lanes,
                  wide=False, accumulator_bits=numerics.signed_bits(-peak, peak),
                  input_digits=numerics.digit_count(operand_bits, row_bits), probability_digits=1)
    expected, at_once, paused, altered = simulated_sums(hw, operand_bits, k, 1)
    assert at_once == expected and paused == expected
    assert altered != expected[-1:]


@pytest.mark.parametrize(("rows", "dsp_lanes", "quads"), [(6, 4, 1), (6, 12, 3), (4, 16, 4), (5, 20, 4)])
@pytest.mark.parametrize(("row_bits", "column_bits", "operand_bits", "room"), [
    (4, 4, 8, 0), (8, 8, 8, 0), (3, 8, 8, 3),
    *(pytest.param(*widths, marks=pytest.mark.slow) for widths in ((2, 3, 8, 0), (8, 8, 8, 9), (6, 6, 6, 0)))])
def test_pumped_array(row_bits, column_bits, operand_bits, room, rows, dsp_lanes, quads):
    """Lanes of four, of two and in LUTs; sums that reach beyond their field, some with room to spare in the accumulator."""
    k = 9
    peak = k << (operand_bits + column_bits - 2 + room)
    hw = hardware(rows=rows, columns=5, requantizers=rows, row_bits=row_bits, column_bits=column_bits, dsp_lanes=dsp_lanes,
                  pump=True, wide=False,
                  accumulator_bits=numerics.signed_bits(-peak, peak),
                  input_digits=numerics.digit_count(operand_bits, row_bits), probability_digits=1)
    assert len(hw.quads) == quads
    expected, at_once, paused, altered = simulated_sums(hw, operand_bits, k, 1)
    assert at_once == expected and paused == expected
    assert altered != expected[-1:]


@pytest.mark.parametrize(("dsp_lanes", "pump"), [(0, False), (4, False), (4, True)])
def test_array_with_column_groups(dsp_lanes, pump):
    hw = hardware(rows=4, columns=2, requantizers=2, wide=True, row_bits=4, column_bits=4, dsp_lanes=dsp_lanes, pump=pump,
                  accumulator_bits=11, input_digits=2, probability_digits=2)
    expected, at_once, paused, altered = simulated_sums(hw, 4, 5, 2)
    assert at_once == expected and paused == expected
    assert altered != expected[-1:]


def test_one_lane():
    """The smallest array: one row, one column, sums of one product."""
    hw = hardware(rows=1, columns=1, requantizers=1, row_bits=2, column_bits=2, dsp_lanes=0, wide=False,
                  accumulator_bits=4, input_digits=1, probability_digits=1)
    operands = [(np.array([[a]]), np.array([[[b]]])) for a in range(-2, 2) for b in range(-2, 2)]
    assert run_array(hw, operands, 1, 0) == [[[a * b]] for a in range(-2, 2) for b in range(-2, 2)]
