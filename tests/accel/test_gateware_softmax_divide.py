# SPDX-License-Identifier: BSD-2-Clause
"""The row divider against ``numerics.reciprocal``, and the numerators it takes."""

import numpy as np
import pytest
from migen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.softmax.divide import NumeratorTable, RowDivider

from .common import cycle_by_cycle, hardware

ROWS, KEYS, TOP = 4, 8, 119


class Bench(Module):
    """The divider with sums that follow the group it asks for."""

    def __init__(self, hw, numerator, totals):
        P = hw.requantizers
        bits = (KEYS * TOP).bit_length()
        sums = [Array(int(total) for total in totals[p::P]) for p in range(P)]
        own  = [Signal(bits) for _ in range(P)]
        self.submodules.divider = divider = RowDivider(hw, Signal(hw.numerator_bits, reset=numerator), own)
        self.comb += [signal.eq(values[divider.group]) for signal, values in zip(own, sums)]


def divide(numerator, totals, requantizers, head=0, groups=None):
    """(quotients of the rows, cycles for which the divider was busy); ``groups``: divide only this many."""
    hw  = hardware(rows=ROWS, row_tiles=2, requantizers=requantizers, heads=2, table_top=TOP,
                   numerator_bits=max(numerator.bit_length(), TOP.bit_length()))
    dut = Bench(hw, numerator, totals)
    own, groups = dut.divider, groups or hw.groups
    inputs  = [{own.start: 1, own.head: head, own.group_top: groups - 1}, {own.start: 0}]
    inputs += [{}] * (2 + groups * RowDivider.divide_cycles(hw))
    reads   = []
    for group in range(groups):
        inputs += [{own.rate_address: head * hw.groups + group}, {}, {}]
        reads.append(len(inputs) - 1)
    seen = cycle_by_cycle(dut, inputs, [own.dividing, *own.rate])
    return sum((seen[cycle][1:] for cycle in reads), []), sum(row[0] for row in seen) // RowDivider.divide_cycles(hw)


@pytest.mark.parametrize("requantizers", [1, 2, 4])
@pytest.mark.parametrize("numerator", [1, 118, 119, 120, 238, 1 << 20, (1 << 23) - 1, 1 << 22])
def test_reciprocal(numerator, requantizers):
    """Quotients at their smallest and largest: a total is at least the table's first entry, at most as many as keys."""
    totals = np.array([TOP, KEYS * TOP, TOP + 1, np.random.default_rng(numerator).integers(TOP, KEYS * TOP)])
    for head in (0, 1):
        rates, groups = divide(numerator, totals, requantizers, head)
        assert rates == numerics.reciprocal(numerator, totals).tolist()
        assert groups == ROWS // requantizers
    # Negative control: a quotient rounded up.
    assert rates != (-(-numerator // totals)).tolist() or not np.any(numerator % totals)


def test_one_group():
    """A single row is divided in one group, whatever the others hold."""
    totals = np.array([150, 1, 1, 1])
    assert divide(1 << 20, totals, 1, groups=1) == ([(1 << 20) // 150], 1)


def test_restart_stops_a_division():
    hw  = hardware(rows=ROWS, row_tiles=2, requantizers=1, heads=1, table_top=TOP, numerator_bits=20)
    dut = Bench(hw, 1 << 19, np.full(ROWS, TOP))
    own = dut.divider
    inputs = [{own.start: 1, own.group_top: ROWS - 1}, {own.start: 0}, {}, {}, {own.restart: 1}, {own.restart: 0}, {}, {}]
    assert [busy for busy, in cycle_by_cycle(dut, inputs, [own.dividing])] == [0, 0, 1, 1, 1, 0, 0, 0]


def test_numerators():
    numerators, layer = [1000, 1 << 21, 300_000], Signal(2)
    dut  = NumeratorTable(hardware(layers=3, numerator_bits=22), numerators, layer)
    seen = cycle_by_cycle(dut, [{layer: n} for n in range(3)], [dut.numerator])
    assert seen == [[numerator] for numerator in numerators]


def test_numerators_of_a_loader():
    layer, active, address, write, data = Signal(2), Signal(), Signal(16), Signal(), Signal(22)
    dut  = NumeratorTable(hardware(layers=3, numerator_bits=22), [1, 2, 3], layer, (active, address, write, data))
    load = [{active: 1, address: 1, data: 77, write: 1}, {write: 0}, {active: 0, layer: 0}, {layer: 1}, {layer: 2}]
    assert [value for value, in cycle_by_cycle(dut, load, [dut.numerator])][2:] == [1, 77, 3]
