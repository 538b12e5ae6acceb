# SPDX-License-Identifier: BSD-2-Clause
"""Pass 2 of the softmax: scores and maxima to unnormalised weights and their sums."""

from migen import *

from litex.gen import *

from liteformer.accel.numerics import SCORE_BITS

# Cycles from a score and its maximum to the weight.
SCORE_TO_WEIGHT = 3


class WeightLookup(LiteXModule):
    """Looks the weights of P rows up in the exponential table, a group per cycle, and adds them up row by row.

        cycle t      score, maximum (10 bits)
        cycle t + 1  distance = maximum - score (10 bits unsigned)
        cycle t + 2  entry = distance, at most the table's last
        cycle t + 3  weight = table[entry] | total + weight --> sums, groups x (P x S bits)

    S is ``(keys * table[0]).bit_length()``: no sum of a row can overflow.

    Args:
        hw: Hardware.
        table: integers of the exponential, entry 0 the largest.
        score, maximum: lists of P Signals, signed 10 bits, in cycle t.
        stages: dict names of a DelayLine in cycles t, t + 1, t + 2 and t + 3: valid; in the last one group and key as well.
    Attributes:
        weight: list of P, in cycle t + 3.
        total_group: group whose sums are read while no weight is valid; totals: list of P sums, in the same cycle.
    """

    def __init__(self, hw, table, score, maximum, stages):
        P, table  = hw.requantizers, [int(value) for value in table]
        depth     = max(hw.groups, 2)
        sum_bits  = self.sum_bits(hw, table)
        self.weight      = [Signal(max=table[0] + 1, reset_less=True) for _ in range(P)]
        self.total_group = Signal(max=depth)

        # # #

        at_score, at_distance, at_entry, at_weight = stages
        sums  = Memory(P * sum_bits, depth)
        read  = sums.get_port(async_read=True)
        write = sums.get_port(write_capable=True)
        self.specials += sums, read, write
        self.comb += [
            read.adr.eq(Mux(at_weight["valid"], at_weight["group"], self.total_group)),
            write.adr.eq(at_weight["group"]),
            write.we.eq(at_weight["valid"]),
        ]
        self.totals = [read.dat_r[p * sum_bits:(p + 1) * sum_bits] for p in range(P)]
        for p, weight in enumerate(self.weight):
            distance = Signal(SCORE_BITS, reset_less=True)
            entry    = Signal(max=len(table), reset_less=True)
            total    = Signal(sum_bits)
            self.comb += [
                total.eq(Mux(at_weight["key"] == 0, 0, self.totals[p])),
                write.dat_w[p * sum_bits:(p + 1) * sum_bits].eq(total + weight),
            ]
            self.sync += [
                If(at_score["valid"], distance.eq(maximum[p] - score[p])),
                If(at_distance["valid"], If(distance >= len(table), entry.eq(len(table) - 1)).Else(entry.eq(distance))),
                If(at_entry["valid"], weight.eq(Array(table)[entry])),
            ]

    @staticmethod
    def sum_bits(hw, table):
        """Width of a row's sum of weights."""
        return (hw.tokens * int(table[0])).bit_length()
