# SPDX-License-Identifier: BSD-2-Clause
"""The requantizer, a result per cycle, against ``numerics.requantize``."""

import numpy as np
import pytest

from liteformer.accel import numerics
from liteformer.accel.devices import DSP48E1, MULT16, MULT18
from liteformer.accel.gateware.requantizer import Requantizer

from .common import simulate

LATENCY = 5
PORTS = ("acc", "multiplier", "residual", "residual_multiplier", "offset")


def operands(widths, count, seed=0):
    """Every combination of the extremes of all ports, zeros, then random values; int64 ``(count, ports)``."""
    ranges = [numerics.signed_range(bits) for bits in widths]
    corners = np.array(np.meshgrid(*ranges)).reshape(len(widths), -1).T
    rng = np.random.default_rng(seed)
    wild = np.stack([rng.integers(lo, hi, count, endpoint=True) for lo, hi in ranges], axis=1)
    # Small products, so that rounding and not the clamp decides.
    tame = wild >> np.maximum(np.array(widths) - np.array([11, 13, widths[2], 8, 13]), 0)
    ties = [[1, 1 << (widths[1] - 2), 0, 0, b << max(widths[4] - 3, 0)] for b in (-1, 0, 1)]
    return np.concatenate([corners, np.zeros((1, len(widths)), np.int64), ties, wild, tame])


def run_requantizer(widths, clamps, values, selected, with_total, block=DSP48E1):
    """Stream operands; returns (results, totals)."""
    dut = Requantizer(*widths[:2], widths[3], widths[2], max(widths[4], 11) + 1, clamps, block, with_total=with_total)
    results, totals = [], []

    def bench():
        for cycle in range(len(values) + LATENCY + 1):
            if cycle < len(values):
                for port, value in zip(PORTS, values[cycle]):
                    yield getattr(dut, port).eq(int(value) + (numerics.ROUNDING if port == "offset" else 0))
            if 0 <= cycle - (LATENCY - 1) < len(values):
                yield dut.clamp.eq(int(selected[cycle - (LATENCY - 1)]))
            if cycle > LATENCY:
                results.append((yield dut.result))
                totals.append((yield dut.total) if with_total else 0)
            yield

    simulate(dut, bench())
    return results, totals


def reference(values, bits):
    acc, m, res, n, b = values.T
    lo, hi = -(1 << (np.asarray(bits) - 1)), (1 << (np.asarray(bits) - 1)) - 1
    return numerics.requantize(acc, m, b, lo, hi, res, n)


# acc, multiplier, residual, residual multiplier, offset.
@pytest.mark.parametrize(("widths", "clamps"), [
    ((13, 24, 4, 13, 11), (4, 10, 8)),
    ((25, 18, 4, 16, 28), (2, 3, 8, 10, 5)),
    ((24, 20, 8, 16, 28), (8,)),
    ((10, 24, 2, 2, 12), (2, 10)),
    ((30, 24, 8, 16, 28), (4, 10)),
    ((24, 20, 6, 16, 28), (6, 8)),
    ((20, 18, 5, 12, 20), (5, 8)),
    ((20, 18, 7, 3, 12), (7, 8)),
], ids=str)
@pytest.mark.parametrize("with_total", [False, True])
def test_requantizer(widths, clamps, with_total):
    values = operands(widths, 150)
    selected = np.random.default_rng(1).integers(0, len(clamps), len(values))
    results, totals = run_requantizer(widths, clamps, values, selected, with_total)
    expected = reference(values, np.array(clamps)[selected])
    assert results == expected.tolist()
    if with_total:
        assert totals == reference(values, 32).tolist()
    # Negative control: without the half it would round down, and the values see it.
    floored = values.copy()
    floored[:, 4] -= 1 << 9
    assert reference(floored, np.array(clamps)[selected]).tolist() != results


@pytest.mark.parametrize("offset_bits", [2, 5, 9])
def test_narrow_offsets_still_round(offset_bits):
    """A model whose offsets are all small needs the rounding constant as much as any other."""
    widths = (13, 24, 4, 13, offset_bits)
    values = operands(widths, 100)
    results, _ = run_requantizer(widths, (8,), values, np.zeros(len(values)), False)
    assert results == reference(values, 8).tolist()


@pytest.mark.parametrize("block", [MULT18, MULT16], ids=str)
@pytest.mark.parametrize("widths", [(13, 24, 4, 13, 11), (24, 20, 8, 16, 28), (30, 24, 4, 13, 11), (16, 16, 4, 13, 11)],
                         ids=str)
def test_a_product_of_several_multipliers(widths, block):
    """Factors wider than the ports are multiplied in pieces; the result and its cycle stay."""
    values = operands(widths, 100)
    results, totals = run_requantizer(widths, (8,), values, np.zeros(len(values)), True, block)
    assert results == reference(values, 8).tolist() and totals == reference(values, 32).tolist()
