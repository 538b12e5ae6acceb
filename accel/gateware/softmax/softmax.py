# SPDX-License-Identifier: BSD-2-Clause
"""Softmax: score columns in, unnormalised weights and one reciprocal per row out."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.delay import DelayLine
from liteformer.accel.gateware.memory import ADDRESS_TO_DATA, RegisteredMemory
from liteformer.accel.gateware.softmax.digits import DigitSplitter
from liteformer.accel.gateware.softmax.divide import START_TO_LOAD, NumeratorTable, RowDivider
from liteformer.accel.gateware.softmax.maxima import RowMaxima
from liteformer.accel.gateware.softmax.weights import SCORE_TO_WEIGHT, WeightLookup
from liteformer.accel.gateware.words import WordCollector
from liteformer.accel.numerics import SCORE_BITS

# Cycles of pass 2 from the address of a score to its weight.
INDEX_TO_WEIGHT = ADDRESS_TO_DATA + SCORE_TO_WEIGHT
# Cycles from the last score of a head to the first word of pass 2 being visible to a probability read issued then: score
# register, pass 2 starts, weight, word register, written.
SCORE_TO_FIRST_WEIGHT = 1 + 1 + INDEX_TO_WEIGHT + 1 + 1
# Cycles from the last score of a head to the first one of the division, besides those of pass 2.
SCORE_TO_DIVISION = 1 + INDEX_TO_WEIGHT + START_TO_LOAD
# Cycles from the last score of a head, besides those of pass 2, until scores of the next head may come.
SCORE_TO_NEXT = 1 + INDEX_TO_WEIGHT - 1


class Softmax(LiteXModule):
    """Three phases per head: collect scores and row maxima, look weights up, divide once per row.

        score, P x 10 bits --+--> score buffer --+--> WeightLookup --+--> DigitSplitter --> WordCollector --> word
                             +--> RowMaxima -----+         |         |
                                                           +--> row sums --> RowDivider (NumeratorTable) --> rate, P x W bits

    P rows are handled per cycle, G = ``groups`` cycles make a column of all rows. With K keys and the last score in cycle t:

        pass 1    .. t             scores, as the requantizers deliver them
        pass 2    t + 2 ..         address of a score; its weight is there INDEX_TO_WEIGHT cycles later
                  t + K G + 1      address of the last score
        division  t + K G + SCORE_TO_DIVISION ..   ``divide_cycles`` for each group

    Args:
        hw: Hardware; table: integers of the exponential; numerators: of the layers.
        loader: as for ``sequencer.Instruction``, of the numerators; whole: the weights of a ``single`` row are not split.
    Attributes:
        valid, score (list of P, signed 10 bits), group, last, single, layer, head: one group of scores; ``last`` ends a
            head's rows. ``single`` says that only row 0 counts and stands for all rows.
        restart: discard what an aborted inference left behind.
        word_valid, word_address, word: weights of one key token for all rows, ``digits`` digits of ``row_bits`` each per row.
        rate_address: head * groups + group; two cycles later ``rate`` (list of P) is its reciprocal multiplier.
        dividing: a division is on its way; numerator: that of the layer.
    """

    def __init__(self, hw, table, numerators, loader=None, whole=False):
        P, G, keys   = hw.requantizers, hw.groups, hw.tokens
        self.restart = Signal()
        self.valid   = Signal()
        self.score   = [Signal((SCORE_BITS, True)) for _ in range(P)]
        self.group   = Signal(max=max(G, 2))
        self.last    = Signal()
        self.single  = Signal()
        self.layer   = Signal(max=max(hw.layers, 2))
        self.head    = Signal(max=max(hw.heads, 2))
        self.word_valid   = Signal()
        self.word_address = Signal(max=max(hw.heads * keys, 2), reset_less=True)
        self.word         = Signal(hw.rows * hw.probability_digits * hw.row_bits, reset_less=True)

        # # #

        # A register first: the results come from far away, and the maxima are a longer path.
        now   = {name: Signal.like(getattr(self, name)) for name in ("valid", "group", "last", "single", "layer", "head")}
        score = [Signal.like(value, reset_less=True) for value in self.score]
        self.sync += [
            *(register.eq(getattr(self, name)) for name, register in now.items()),
            *(register.eq(value) for register, value in zip(score, self.score)),
        ]

        # Pass 1.
        self.buffer = buffer = RegisteredMemory(P * SCORE_BITS, keys * G, style=hw.styles.get("score"))
        self.maxima = maxima = RowMaxima(hw, score, now["group"])
        count = Signal(max=keys * G + 1)
        self.comb += [
            buffer.write_enable.eq(now["valid"]),
            buffer.write_address.eq(count),
            buffer.write_data.eq(Cat(*score)),
            maxima.valid.eq(now["valid"]), maxima.last.eq(now["last"]), maxima.restart.eq(self.restart),
            maxima.column_end.eq(now["single"] | (now["group"] == G - 1)),
        ]
        self.sync += If(now["valid"], count.eq(count + 1), If(now["last"], count.eq(0)))

        # Pass 2: walks over the scores in the order in which they came.
        active = Signal()
        index  = Signal(max=max(keys * G, 2))
        group  = Signal(max=max(G, 2))
        key    = Signal(max=max(keys, 2))
        single, layer, head = Signal(), Signal.like(self.layer), Signal.like(self.head)
        group_top = Signal.like(group)
        self.comb += [group_top.eq(Mux(single, 0, G - 1)), buffer.address.eq(index)]
        self.sync += [
            If(active,
                index.eq(index + 1),
                group.eq(group + 1),
                If(group == group_top,
                    group.eq(0),
                    key.eq(key + 1),
                    If(key == keys - 1, active.eq(0)),
                ),
            ),
            If(now["valid"] & now["last"],
                active.eq(1), index.eq(0), group.eq(0), key.eq(0),
                single.eq(now["single"]), layer.eq(now["layer"]), head.eq(now["head"]),
            ),
            If(self.restart, count.eq(0), active.eq(0)),
        ]
        self.line = line = DelayLine({"valid": active, "group": group, "key": key}, INDEX_TO_WEIGHT)
        stages    = [line.after(n) for n in range(ADDRESS_TO_DATA, INDEX_TO_WEIGHT + 1)]
        at_weight = stages[-1]
        self.comb += maxima.read_group.eq(stages[0]["group"])
        scores    = [Signal((SCORE_BITS, True)) for _ in range(P)]
        self.comb += [score.eq(buffer.data[p * SCORE_BITS:(p + 1) * SCORE_BITS]) for p, score in enumerate(scores)]
        self.lookup = lookup = WeightLookup(hw, table, scores, maxima.maximum, stages)

        # Words of signed digits.
        fields = []
        for p, weight in enumerate(lookup.weight):
            splitter = DigitSplitter(weight, int(table[0]), hw.probability_digits, hw.row_bits)
            self.add_module(name=f"splitter{p}", module=splitter)
            fields.append(splitter.field)
        if whole:
            undivided = Signal(len(fields[0]))
            self.comb += undivided.eq(lookup.weight[0])
            fields[0] = undivided if hw.one_query else Mux(single, undivided, fields[0])
        self.collector = collector = WordCollector(fields, G, single)
        word_end = at_weight["valid"] & (at_weight["group"] == group_top)
        self.comb += collector.valid.eq(at_weight["valid"])
        self.sync += [
            self.word_valid.eq(word_end),
            If(at_weight["valid"],
                self.word_address.eq(at_weight["key"] if hw.heads == 1 else head * keys + at_weight["key"]),
                self.word.eq(collector.word),
            ),
        ]

        # Division.
        self.numerators = numerators = NumeratorTable(hw, numerators, layer, loader)
        self.divider    = divider    = RowDivider(hw, numerators.numerator, lookup.totals)
        self.comb += [
            divider.start.eq(word_end & (at_weight["key"] == keys - 1)),
            divider.head.eq(head), divider.group_top.eq(group_top),
            divider.restart.eq(self.restart),
            lookup.total_group.eq(divider.group),
        ]
        self.rate_address, self.rate     = divider.rate_address, divider.rate
        self.numerator,    self.dividing = numerators.numerator, divider.dividing

    @staticmethod
    def rate_bits(hw):
        """Width of a reciprocal multiplier."""
        return RowDivider.rate_bits(hw)

    @staticmethod
    def divide_cycles(hw):
        """Cycles to divide for one group of rows."""
        return RowDivider.divide_cycles(hw)
