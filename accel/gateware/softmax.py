"""Softmax: score columns in, unnormalised weights and one reciprocal a row out."""

from migen import *

from litex.gen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.memory import RegisteredMemory

# Cycles from the last score of a head to the first word of pass 2 being visible to a probability read issued then.
SCORE_TO_FIRST_WEIGHT = 8


class Softmax(LiteXModule):
    """Three phases a head: collect scores and row maxima, look weights up, divide once a row.

    P rows are handled a cycle, ``groups`` cycles make a column of all rows. Pass 1 takes the scores as the requantizers
    deliver them; pass 2 starts by itself after the last and needs ``keys * groups`` cycles; the division follows with
    ``divide_cycles`` for each group.

    Args:
        hw: Hardware; table: of the exponential; numerators: of the layers; loader: as for sequencer.Instruction, of the
            numerators.
    Attributes:
        valid, score (list of P), group, last, single, layer, head: one group of scores; ``last`` ends a head's rows.
            ``single`` says that only row 0 counts and stands for all rows.
        restart: forget whatever an aborted inference left behind.
        word_valid, word_address, word: weights of one key token for all rows, ``digits`` digits of ``row_bits`` each a row.
        rate_address: head * groups + group; two cycles later ``rate`` (list of P) is its reciprocal multiplier.
    """

    def __init__(self, hw, table, numerators, loader=None):
        P, G        = hw.requantizers, hw.groups
        keys        = hw.window
        score_bits  = numerics.SCORE_BITS
        self.restart = Signal()
        self.valid  = Signal()
        self.score  = [Signal((score_bits, True)) for _ in range(P)]
        self.group  = Signal(max=max(G, 2))
        self.last   = Signal()
        self.single = Signal()
        self.layer  = Signal(max=max(hw.layers, 2))
        self.head   = Signal(max=max(hw.heads, 2))
        self.word_valid   = Signal()
        self.word_address = Signal(max=max(hw.heads * keys, 2))
        self.word         = Signal(hw.rows * hw.probability_digits * hw.row_bits)
        self.rate_address = Signal(max=max(hw.heads * G, 2))
        self.rate         = [Signal(self.rate_bits(hw)) for _ in range(P)]

        # # #

        total_bits = (keys * int(table[0])).bit_length()

        # Pass 1: keep the scores, track the maximum of each row.
        self.buffer = buffer = RegisteredMemory(P * score_bits, keys * G, style=hw.styles.get("score"))
        maxima      = Memory(P * score_bits, max(G, 2))
        maximum_r   = maxima.get_port(async_read=True)
        maximum_2   = maxima.get_port(async_read=True)
        maximum_w   = maxima.get_port(write_capable=True)
        self.specials += maxima, maximum_r, maximum_2, maximum_w
        first_column = Signal(reset=1)
        count        = Signal(max=keys * G + 1)
        starting     = Signal()
        self.comb += [
            buffer.write_enable.eq(self.valid),
            buffer.write_address.eq(count),
            buffer.write_data.eq(Cat(*self.score)),
            maximum_w.adr.eq(self.group),
            maximum_w.we.eq(self.valid),
            starting.eq(self.valid & self.last),
        ]
        pass2_group = Signal(max=max(G, 2))
        self.comb += [maximum_r.adr.eq(self.group), maximum_2.adr.eq(pass2_group)]
        group_end = Signal()
        self.comb += group_end.eq(self.single | (self.group == G - 1))
        for p in range(P):
            old = Signal((score_bits, True))
            self.comb += [
                old.eq(maximum_r.dat_r[p * score_bits:(p + 1) * score_bits]),
                maximum_w.dat_w[p * score_bits:(p + 1) * score_bits].eq(
                    Mux(first_column | (self.score[p] > old), self.score[p], old)),
            ]
        self.sync += If(self.valid,
            count.eq(count + 1),
            If(group_end, first_column.eq(0)),
            If(self.last, count.eq(0), first_column.eq(1)),
        )

        # Pass 2: difference to the maximum, table, digits, row sums.
        active, index, group2, single2, layer2, head2 = (
            Signal(), Signal(max=max(keys * G, 2)), Signal(max=max(G, 2)), Signal(), Signal.like(self.layer),
            Signal.like(self.head))
        key2      = Signal(max=max(keys, 2))
        group_top = Signal(max=max(G, 2))
        self.comb += group_top.eq(Mux(single2, 0, G - 1))
        self.sync += [
            If(active,
                index.eq(index + 1),
                group2.eq(group2 + 1),
                If(group2 == group_top,
                    group2.eq(0),
                    key2.eq(key2 + 1),
                    If(key2 == keys - 1, active.eq(0)),
                ),
            ),
            If(starting,
                active.eq(1), index.eq(0), group2.eq(0), key2.eq(0),
                single2.eq(self.single), layer2.eq(self.layer), head2.eq(self.head),
            ),
        ]
        self.comb += buffer.address.eq(index)
        # Stage flags: 1 memory latch, 2 memory register, 3 distance, 4 index, 5 weight.
        valid, groups, keys_d = [active], [group2], [key2]
        for _ in range(5):
            v, g, k = Signal(), Signal.like(group2), Signal.like(key2)
            self.sync += [v.eq(valid[-1]), g.eq(groups[-1]), k.eq(keys_d[-1])]
            valid.append(v)
            groups.append(g)
            keys_d.append(k)
        self.comb += pass2_group.eq(groups[2])
        sums      = Memory(P * total_bits, max(G, 2))
        sum_r     = sums.get_port(async_read=True)
        sum_w     = sums.get_port(write_capable=True)
        self.specials += sums, sum_r, sum_w
        divide_group = Signal(max=max(G, 2))
        dividing     = Signal()
        self.comb += [
            sum_r.adr.eq(Mux(valid[5], groups[5], divide_group)),
            sum_w.adr.eq(groups[5]),
            sum_w.we.eq(valid[5]),
        ]
        weights = []
        for p in range(P):
            score, top = Signal((score_bits, True)), Signal((score_bits, True))
            distance   = Signal(score_bits)
            entry      = Signal(max=len(table))
            weight     = Signal(max=int(table[0]) + 1)
            rom        = Array([int(value) for value in table])
            total      = Signal(total_bits)
            self.comb += [
                score.eq(buffer.data[p * score_bits:(p + 1) * score_bits]),
                top.eq(maximum_2.dat_r[p * score_bits:(p + 1) * score_bits]),
                total.eq(Mux(keys_d[5] == 0, 0, sum_r.dat_r[p * total_bits:(p + 1) * total_bits])),
                sum_w.dat_w[p * total_bits:(p + 1) * total_bits].eq(total + weight),
            ]
            self.sync += [
                If(valid[2], distance.eq(top - score)),
                If(valid[3], If(distance >= len(table), entry.eq(len(table) - 1)).Else(entry.eq(distance))),
                If(valid[4], weight.eq(rom[entry])),
            ]
            weights.append(weight)
        self.sync += If(self.restart, count.eq(0), first_column.eq(1), active.eq(0))
        self._assemble(hw, weights, valid[5], groups[5], keys_d[5], single2, head2, group_top)
        self._divide(hw, table, numerators, valid[5], keys_d[5], groups[5], group_top, sum_r, divide_group, dividing,
                     layer2, head2, total_bits, loader)

    @staticmethod
    def rate_bits(hw):
        """Width of a reciprocal multiplier: a total is at least the table's first entry."""
        return hw.numerator_bits - (hw.table_top.bit_length() - 1)

    @staticmethod
    def divide_cycles(hw):
        """Cycles to divide for one group of rows."""
        return Softmax.rate_bits(hw) + 2

    def _assemble(self, hw, weights, valid, group, key, single, head, group_top):
        """Collect the groups of a key token into one word of balanced digits for all rows."""
        bits, digits, P = hw.row_bits, hw.probability_digits, hw.requantizers
        fields = []
        for weight in weights:
            value, parts = Signal((digits + 1) * bits), []
            self.comb += value.eq(weight)
            for d in range(digits):
                parts.append(value[:bits])
                if d + 1 < digits:
                    rest = Signal(len(value) - bits)
                    self.comb += rest.eq(value[bits:] + value[bits - 1])
                    value = rest
            fields.append(Cat(*parts))
        step   = P * bits * digits
        merged = Signal(hw.rows * bits * digits)
        held   = Signal(max(len(merged) - step, 1))
        if hw.groups > 1:
            self.comb += merged.eq(Cat(held, *fields))
            self.sync += If(valid, held.eq(merged[step:]))
        else:
            self.comb += merged.eq(Cat(*fields))
        self.sync += [
            self.word_valid.eq(valid & (group == group_top)),
            If(valid,
                self.word_address.eq(key if hw.heads == 1 else head * hw.window + key),
                self.word.eq(Mux(single, Replicate(fields[0], hw.rows), merged)),
            ),
        ]

    def _divide(self, hw, table, numerators, valid, key, group, group_top, sum_r, divide_group, dividing, layer, head,
                total_bits, loader):
        """Restoring division, one quotient bit a cycle, P rows side by side."""
        P, G      = hw.requantizers, hw.groups
        rate_bits = self.rate_bits(hw)
        skipped   = hw.numerator_bits - rate_bits
        step      = Signal(max=rate_bits + 2)
        numerator = self.numerator = Signal(hw.numerator_bits)
        pending   = Signal()
        numerators = [int(value) for value in numerators]
        if loader is not None:
            active, address, write, data = loader
            memory = Memory(hw.numerator_bits, max(hw.layers, 2), init=numerators)
            port   = memory.get_port(async_read=True, write_capable=True)
            self.specials += memory, port
            self.comb += [
                port.adr.eq(Mux(active, address, layer)), port.we.eq(write), port.dat_w.eq(data),
                numerator.eq(port.dat_r),
            ]
        else:
            self.comb += numerator.eq(Array(numerators)[layer] if hw.layers > 1 else numerators[0])
        rates     = Memory(P * rate_bits, max(hw.heads * G, 2))
        rate_r    = rates.get_port()
        rate_w    = rates.get_port(write_capable=True)
        self.specials += rates, rate_r, rate_w
        tail      = Signal(rate_bits)
        load      = Signal()
        self.comb += [
            load.eq(dividing & (step == 0)),
            rate_w.adr.eq(divide_group if hw.heads == 1 else head * G + divide_group),
            rate_w.we.eq(dividing & (step == rate_bits + 1)),
            rate_r.adr.eq(self.rate_address),
        ]
        self.sync += [
            pending.eq(valid & (key == hw.window - 1) & (group == group_top)),
            If(pending, dividing.eq(1), divide_group.eq(0), step.eq(0)),
            If(dividing,
                step.eq(step + 1),
                tail.eq(tail << 1),
                If(load, tail.eq(numerator)),
                If(step == rate_bits + 1,
                    step.eq(0),
                    divide_group.eq(divide_group + 1),
                    If(divide_group == group_top, dividing.eq(0)),
                ),
            ),
        ]
        self.sync += If(self.restart, dividing.eq(0))
        for p in range(P):
            total, rest, trial = Signal(total_bits), Signal(total_bits), Signal(total_bits + 1)
            reduced  = Signal(total_bits + 2)
            quotient = Signal(rate_bits)
            fits     = Signal()
            self.comb += [
                trial.eq(Cat(tail[-1], rest)),
                reduced.eq(trial - total),
                fits.eq(~reduced[-1]),
                rate_w.dat_w[p * rate_bits:(p + 1) * rate_bits].eq(quotient),
            ]
            self.sync += If(load,
                total.eq(sum_r.dat_r[p * total_bits:(p + 1) * total_bits]),
                rest.eq(numerator[-skipped:] if skipped else 0),
            ).Elif(dividing,
                rest.eq(Mux(fits, reduced, trial)),
                quotient.eq(Cat(fits, quotient)),
            )
            self.sync += self.rate[p].eq(rate_r.dat_r[p * rate_bits:(p + 1) * rate_bits])
