# SPDX-License-Identifier: BSD-2-Clause
"""The arithmetic contract against exact integer and rational arithmetic."""

import doctest
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liteformer.accel import numerics

CHECKED = settings(max_examples=200, deadline=None, derandomize=True)


def exact_requantize(acc, m, b, lo, hi, res=0, n=0):
    """The contract's sentence as rational arithmetic: round half up, then clamp."""
    real = Fraction(acc * m + res * n * 256 + b * 1024, 1 << 20)
    return min(max(math.floor(real + Fraction(1, 2)), lo), hi)


def signed(bits):
    return st.integers(*numerics.signed_range(bits))


def test_doctests():
    result = doctest.testmod(numerics)
    assert result.attempted >= 6 and result.failed == 0


@CHECKED
@given(signed(24), signed(24), signed(28), signed(8), signed(16), st.integers(2, 32))
def test_requantize(acc, m, b, res, n, bits):
    lo, hi = numerics.signed_range(bits)
    expected = exact_requantize(acc, m, b, lo, hi, res, n)
    assert numerics.requantize(np.array([acc]), m, b, lo, hi, res, n).tolist() == [expected]


@pytest.mark.parametrize("acc", range(-9, 10))
def test_requantize_rounds_halves_up(acc):
    """Ratio one half: every odd accumulator is a tie."""
    assert numerics.requantize(acc, 1 << 19, 0, -100, 100) == math.floor(Fraction(acc, 2) + Fraction(1, 2))


def test_requantize_reference_sees_other_roundings():
    """Negative control: floor, half to even and half away from zero all differ from the reference somewhere."""
    values = np.arange(-9, 10)
    expected = [exact_requantize(int(v), 1 << 19, 0, -100, 100) for v in values]
    away = np.sign(values) * np.floor(np.abs(values) / 2 + 0.5)
    for wrong in (values >> 1, np.rint(values / 2), away):
        assert wrong.tolist() != expected


def test_requantize_broadcasts():
    acc = np.array([[1 << 20, -(1 << 20)], [3 << 20, 5]])
    got = numerics.requantize(acc, np.array([1 << 20, 1]), np.array([0, 1 << 10]), -(1 << 31), (1 << 31) - 1)
    assert got.tolist() == [[1 << 20, 0], [3 << 20, 1]]


@CHECKED
@given(st.integers(2, 8), st.integers(2, 8), st.data())
def test_digits_give_the_value_back(bits, lane_bits, data):
    lo, hi = numerics.operand_range(bits, lane_bits)
    value = data.draw(st.integers(lo, hi))
    count = numerics.digit_count(bits, lane_bits)
    digits = numerics.to_digits(np.array([value]), lane_bits, count)[:, 0]
    low, high = numerics.signed_range(lane_bits)
    assert len(digits) == count and all(low <= d <= high for d in digits)
    assert sum(int(d) << (lane_bits * (count - 1 - i)) for i, d in enumerate(digits)) == value


@pytest.mark.parametrize(("bits", "lane_bits"), list(itertools.product(range(2, 9), range(2, 9))))
def test_operand_range_is_the_largest_possible(bits, lane_bits):
    count = numerics.digit_count(bits, lane_bits)
    lo, hi = numerics.operand_range(bits, lane_bits)
    numerics.to_digits(np.arange(lo, hi + 1), lane_bits, count)
    width_lo, width_hi = numerics.signed_range(bits)
    assert lo == width_lo
    if hi < width_hi:
        with pytest.raises(ValueError, match="does not fit"):
            numerics.to_digits(np.array([hi + 1]), lane_bits, count)


@pytest.mark.parametrize("bits", range(1, 10))
def test_signed_bits_is_the_narrowest(bits):
    lo, hi = numerics.signed_range(bits)
    assert numerics.signed_bits(lo, hi) == bits
    assert numerics.signed_bits(lo - 1, hi) == numerics.signed_bits(lo, hi + 1) == bits + 1


@CHECKED
@given(st.lists(st.lists(st.integers(-8, 7), min_size=3, max_size=3), min_size=1, max_size=3), st.integers(-4, 0),
       st.integers(0, 3))
def test_accumulator_bound_is_the_reachable_bound(weights, lo, hi):
    """Brute force over the corner inputs, partial sums included: the bound is reached and never passed."""
    sums = [0]
    for row in weights:
        for x in itertools.product((lo, 0, hi), repeat=len(row)):
            sums += itertools.accumulate(w * v for w, v in zip(row, x))
    assert numerics.accumulator_bound(np.array(weights), lo, hi) == (min(sums), max(sums))


def test_accumulator_bound_counts_partial_sums():
    """Negative control: the final sum alone has a smaller range where inputs cannot be zero."""
    assert numerics.accumulator_bound(np.array([[1, -1]]), 3, 3) == (-3, 3)


@pytest.mark.parametrize(("length", "top", "step"), [(2, 1, 1.0), (64, 119, 5.5 / 63), (512, 127, 0.02)])
def test_exp_table(length, top, step):
    table = numerics.exp_table(length, top, step)
    assert table.tolist() == [math.floor(top * math.exp(-step * i) + 0.5) for i in range(length)]
    assert table[0] == top and (np.diff(table) <= 0).all()


@CHECKED
@given(st.lists(signed(10), min_size=1, max_size=9), st.sampled_from([2, 64, 512]))
def test_softmax_and_reciprocal(scores, length):
    table = numerics.exp_table(length, 119, 5.5 / length)
    weights, total = numerics.softmax(np.array(scores), table)
    expected = [int(table[min(max(scores) - s, length - 1)]) for s in scores]
    assert weights.tolist() == expected and total.tolist() == [sum(expected)]
    assert total[0] >= table[0] and weights[int(np.argmax(scores))] == table[0]
    assert numerics.reciprocal(1 << 20, total).tolist() == [math.floor(Fraction(1 << 20, sum(expected)))]


def test_softmax_distinguishes_neighbouring_scores():
    """Negative control: one score moved by one step changes its weight."""
    table = numerics.exp_table(64, 119, 5.5 / 63)
    assert numerics.softmax(np.array([5, 0]), table)[0].tolist() != numerics.softmax(np.array([5, 1]), table)[0].tolist()


@CHECKED
@given(st.integers(0, 1 << 32))
def test_matmul_is_exact(seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(-128, 128, (2, 5, 300))
    b = rng.integers(-(1 << 20), 1 << 20, (2, 300, 4))
    product = numerics.matmul(a, b)
    assert product.dtype == np.int64 and (product == a @ b).all()
    b[0, 7, 1] += 1
    a[0, 0, 7] = 1
    assert (product != a @ b).any()


@CHECKED
@given(st.integers(-(1 << 20), 1 << 20))
def test_round_half_up(quarters):
    assert numerics.round_half_up(quarters / 4) == math.floor(Fraction(quarters, 4) + Fraction(1, 2))
