# SPDX-License-Identifier: BSD-2-Clause
"""The softmax unit against ``numerics.softmax`` and ``numerics.reciprocal``."""

import numpy as np
import pytest
from migen.sim import passive

from liteformer.accel import numerics
from liteformer.accel.gateware.softmax.softmax import Softmax

from .common import hardware, read_all, simulate

SCORE_LO, SCORE_HI = numerics.signed_range(numerics.SCORE_BITS)


def build(*, rows, row_tiles=1, requantizers=1, heads=1, layers=1, row_bits=4, top=119, length=64, numerators=(1 << 20,),
          whole=False, one=False):
    """(hw, table, unit); ``one``: the unit of a build with a single query."""
    table = numerics.exp_table(length, top, 5.5 / length)
    hw = hardware(rows=rows, row_tiles=row_tiles, requantizers=requantizers, heads=heads, layers=layers, row_bits=row_bits,
                  table_top=top, table_length=length,
                  probability_digits=numerics.digit_count(numerics.signed_bits(0, top), row_bits),
                  numerator_bits=max(max(numerators).bit_length(), top.bit_length()), wide=one)
    hw = hw.softmax
    return hw, table, Softmax(hw, [int(v) for v in table], list(numerators), whole=whole)


def send(unit, hw, scores, head, layer, single):
    """Scores ``(rows, keys)`` of a head, key after key, group after group."""
    P, groups = hw.requantizers, 1 if single else hw.groups
    keys = scores.shape[1]
    for key in range(keys):
        for group in range(groups):
            for p in range(P):
                yield unit.score[p].eq(int(scores[group * P + p, key]))
            yield unit.valid.eq(1)
            yield unit.group.eq(group)
            yield unit.head.eq(head)
            yield unit.layer.eq(layer)
            yield unit.single.eq(single)
            yield unit.last.eq(key == keys - 1 and group == groups - 1)
            yield
    yield unit.valid.eq(0)
    yield unit.last.eq(0)


@passive
def collect(unit, words):
    """Passive monitor of the words written."""
    while True:
        if (yield unit.word_valid):
            words[(yield unit.word_address)] = yield unit.word
        yield


def decode(words, hw, head):
    """Words of a head as integers ``(rows, keys)``; every digit must be in range by construction."""
    digits, bits = hw.probability_digits, hw.row_bits
    values = np.zeros((hw.rows, hw.tokens), np.int64)
    for key in range(hw.tokens):
        word = words[head * hw.tokens + key]
        for row in range(hw.rows):
            for d in range(digits):
                digit = (word >> (bits * (row * digits + d))) & ((1 << bits) - 1)
                values[row, key] += (digit - ((digit >> (bits - 1)) << bits)) << (bits * d)
    return values


def run_softmax(case, batches, layer=0, single=False):
    """Heads in sequence, each as early as the schedule allows; returns (weights, rates), a list each of a head's rows."""
    hw, _, unit = case
    words, rates = {}, []
    groups = 1 if single else hw.groups

    def bench():
        for head, scores in enumerate(batches):
            yield from send(unit, hw, scores, head, layer, single)
            # The second pass and the division of this head.
            for _ in range(hw.tokens * groups + 8 + groups * Softmax.divide_cycles(hw)):
                yield
        for head in range(len(batches)):
            rows = []
            for group in range(groups):
                yield unit.rate_address.eq(head * hw.groups + group)
                yield
                yield
                yield
                rows += yield from read_all(unit.rate)
            rates.append(rows)

    simulate(unit, bench(), collect(unit, words))
    return [decode(words, hw, head) for head in range(len(batches))], rates


def simulated_and_expected(case, batches, numerator, **fields):
    """Weights and reciprocals of every head, as the unit gives them and as ``numerics`` does."""
    weights, rates = run_softmax(case, batches, **fields)
    expected, totals = zip(*(numerics.softmax(scores, case[1]) for scores in batches))
    return ([found.tolist() for found in weights], rates), (
        [wanted.tolist() for wanted in expected], [numerics.reciprocal(numerator, total)[:, 0].tolist() for total in totals])


def random_scores(hw, count, seed=0):
    """Rows of every kind: wide, narrow, all equal, extremes, one winner."""
    rng, keys = np.random.default_rng(seed), hw.tokens
    kinds = [lambda: rng.integers(SCORE_LO, SCORE_HI, keys, endpoint=True), lambda: rng.integers(-30, 30, keys),
             lambda: np.full(keys, rng.integers(SCORE_LO, SCORE_HI)), lambda: rng.choice([SCORE_LO, SCORE_HI], keys),
             lambda: np.full(keys, SCORE_LO), lambda: np.where(np.arange(keys) == keys - 1, SCORE_HI, SCORE_LO)]
    return [np.stack([kinds[(row + seed + n) % len(kinds)]() for row in range(hw.rows)]) for n in range(count)]


@pytest.mark.parametrize("shape", [
    {"rows": 4, "requantizers": 1}, {"rows": 4, "requantizers": 2}, {"rows": 4, "requantizers": 4},
    {"rows": 3, "row_tiles": 2, "requantizers": 3}, {"rows": 1, "row_tiles": 5}, {"rows": 1},
    {"rows": 2, "row_bits": 8, "top": 127}, {"rows": 2, "row_bits": 2, "top": 85}, {"rows": 2, "row_bits": 3, "top": 3},
    {"rows": 2, "length": 2, "top": 1}, {"rows": 2, "length": 512, "top": 100},
], ids=str)
def test_softmax(shape):
    """Two heads in sequence, for several sets of scores."""
    for seed in range(3):
        case = build(heads=2, **shape)
        simulated, expected = simulated_and_expected(case, random_scores(case[0], 2, seed), 1 << 20)
        assert simulated == expected


def test_numerator_of_the_layer():
    numerators = (1000, 1 << 21, 300_000)
    for layer, numerator in enumerate(numerators):
        case = build(rows=2, layers=3, numerators=numerators)
        simulated, expected = simulated_and_expected(case, random_scores(case[0], 1, layer), numerator, layer=layer)
        assert simulated == expected


@pytest.mark.parametrize("requantizers", [1, 2])
def test_single_row_stands_for_all(requantizers):
    """In single mode row 0 is the only one; whatever the other requantizers deliver is ignored."""
    hw, table, _ = case = build(rows=4, requantizers=requantizers)
    scores = random_scores(hw, 1, 1)[0]
    weights, rates = run_softmax(case, [scores], single=True)
    expected, total = numerics.softmax(scores[:1], table)
    assert weights[0].tolist() == np.repeat(expected, 4, axis=0).tolist()
    assert rates[0][0] == numerics.reciprocal(1 << 20, total)[0, 0]


def whole_words(case, scores):
    """Words of single rows, and what is in row 0 of them: lists."""
    hw, table, unit = case
    words = {}

    def bench():
        yield from send(unit, hw, scores, 0, 0, True)
        for _ in range(hw.tokens + 8):
            yield

    simulate(unit, bench(), collect(unit, words))
    bits = hw.row_bits * hw.probability_digits
    return [words[key] & ((1 << bits) - 1) for key in range(hw.tokens)], numerics.softmax(scores[:1], table)[0][0].tolist()


@pytest.mark.parametrize("shape", [{"rows": 4, "requantizers": 2}, {"rows": 4, "requantizers": 2, "one": True},
                                   {"rows": 6, "row_bits": 2, "top": 85, "one": True}], ids=str)
def test_a_single_row_is_not_split(shape):
    """As they are, and in digits for several rows; negative control: without the option the words are digits."""
    case = build(whole=True, **shape)
    scores = random_scores(case[0], 1, 1)[0]
    found, expected = whole_words(case, scores)
    assert found == expected
    assert whole_words(build(**shape), scores)[0] != expected
    if not shape.get("one"):
        assert run_softmax(build(whole=True, **shape), [scores])[0][0].tolist() == numerics.softmax(scores, case[1])[0].tolist()


def test_restart_forgets_half_a_head():
    hw, table, unit = build(rows=2)
    scores, words = random_scores(hw, 1, 1)[0], {}
    def bench():
        for p in range(hw.requantizers):
            yield unit.score[p].eq(SCORE_HI)
        yield unit.valid.eq(1)
        yield
        yield unit.valid.eq(0)
        yield unit.restart.eq(1)
        yield
        yield unit.restart.eq(0)
        yield
        yield from send(unit, hw, scores, 0, 0, False)
        for _ in range(20):
            yield

    simulate(unit, bench(), collect(unit, words))
    assert decode(words, hw, 0).tolist() == numerics.softmax(scores, table)[0].tolist()


def test_a_score_off_by_one_and_another_numerator_are_seen():
    """Negative control."""
    scores = np.array([[3, 9], [0, 0]])
    (weights, rates), _ = simulated_and_expected(build(rows=2), [scores], 1 << 20)
    _, (other_weights, _) = simulated_and_expected(build(rows=2), [scores + np.array([[0, 1], [0, 0]])], 1 << 20)
    _, (_, other_rates) = simulated_and_expected(build(rows=2), [scores], (1 << 20) + (1 << 10))
    assert weights != other_weights and rates != other_rates
