"""The drain: from the array's drain registers through the requantizers to the destination memories."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import choose
from liteformer.accel.gateware.requantizer import Requantizer
from liteformer.accel.numerics import RAW_BITS

# Cycles from selecting a result in the drain registers to its requantized value.
SELECT_TO_RESULT = 7


class Drain(LiteXModule):
    """Selects sums, requantizes P of them a cycle and collects whole words.

        cycle s      column selected               | parameter, residual and reciprocal addresses issued
        cycle s + 1  row sums of one column        | memory latches
        cycle s + 2  sums of one group of rows     | memory registers -> requantizer inputs
        cycle s + 7  results, word complete        -> write to the destination memory

    Attributes:
        results: list of P signed results; total: requantizer 0 before clamping (32 bits).
        word: all rows of one channel, ``word_bits`` each (one result for all rows where the step is wide or single).
        stage: the drain sequencer's signals of the result leaving in this cycle, by name.
    """

    def __init__(self, hw, array, sequencer, parameters, residual, rates, window, clamp_sets):
        P, G = hw.requantizers, hw.groups
        now  = sequencer.now

        # # #

        # Delay line of everything that a result needs on its way out.
        carried = {
            "valid": sequencer.valid, "column": sequencer.column, "group": sequencer.group, "word_end": sequencer.word_end,
            "score_last": sequencer.score_last, "finished": sequencer.finished, "base": sequencer.base,
            "residual_write": sequencer.residual_write, "spread": now.wide | now.single,
            **{name: getattr(now, name) for name in ("pool", "to_row", "to_residual", "to_key", "to_value", "to_score",
                                                     "to_output", "residual", "reciprocal", "single", "clamp", "head",
                                                     "layer")},
        }
        # One wide register a stage instead of one a signal: shift registers either way, but quicker to simulate.
        names  = list(carried)
        stages = [carried]
        line   = Cat(*carried.values())
        for _ in range(SELECT_TO_RESULT):
            register = Signal(len(line))
            self.sync += register.eq(line)
            line, delayed, low = register, {}, 0
            for name in names:
                width = len(carried[name])
                delayed[name] = register[low:low + width]
                low += width
            stages.append(delayed)
        self.stage = stages[-1]

        # Column, then group: two registered multiplexers.
        rows  = [self._column(sequencer, sums, hw.accumulator_bits) for sums in array.sums]
        fixes = [self._column(sequencer, [fix if fix is not None else 0 for fix in row],
                              max(len(fix) for fix in row if fix is not None))
                 if any(fix is not None for fix in row) else None for row in array.fixes]
        selected = [Signal((hw.accumulator_bits, True)) for _ in range(P)]
        group    = stages[1]["group"]
        for p, acc in enumerate(selected):
            select = choose(group, rows[p::P], acc)
            if any(fix is not None for fix in fixes[p::P]):
                # One subtractor behind both multiplexers.
                select = acc.eq(Array(rows[p::P])[group] - Array([0 if fix is None else fix for fix in fixes[p::P]])[group])
            self.sync += If(stages[1]["valid"], select)

        # The requantizers hold still while nothing passes through them.
        awake = Signal()
        self.sync += awake.eq(Cat(*(stage["valid"] for stage in stages[1:-2])) != 0)

        multiplier_bits, residual_bits, offset_bits = hw.multiplier_bits, hw.residual_bits, hw.offset_bits
        fields = {}
        for name, word in zip(("multiplier", "offset", "residual"), parameters):
            fields[name] = Signal((len(word), True))
            self.comb += fields[name].eq(word)

        inputs = list(selected)
        if hw.pool:
            inputs[0] = self._pooled(hw, selected, stages[2])
        acc_bits    = max(hw.pooled_bits, RAW_BITS)
        factor_bits = max(multiplier_bits, *(len(rate) + 1 for rate in rates))
        swap        = factor_bits > 18
        self.results = []
        for p in range(P):
            narrow = Signal((hw.row_bits, True))
            factor = Signal((factor_bits, True))
            last   = residual[(hw.rows - 1) * hw.row_bits:]
            group  = Array([residual[(g * P + p) * hw.row_bits:(g * P + p + 1) * hw.row_bits] for g in range(G)])
            held   = group[stages[2]["group"]]
            self.comb += [
                If(stages[2]["valid"] & stages[2]["residual"],
                    narrow.eq(Mux(stages[2]["spread"], last, held) if hw.wide else held)),
                factor.eq(Mux(stages[2]["valid"] & stages[2]["reciprocal"], rates[p], fields["multiplier"])),
            ]
            if p == 0:
                wide, narrow_port = (max(RAW_BITS, factor_bits), max(18, hw.pooled_bits)) if swap else (acc_bits, factor_bits)
                unit = Requantizer(wide, narrow_port, residual_bits, hw.row_bits, offset_bits, clamp_sets, with_total=True)
                # A raw sample needs the wide port of the multiplier, which a wide factor occupies otherwise.
                if swap:
                    # A slice is unsigned in Verilog whatever it is cut from.
                    input_factor = Signal((18, True))
                    self.comb += [
                        input_factor.eq(fields["multiplier"][:18]),
                        unit.acc.eq(Mux(window.quantizing, window.quantize_raw, factor)),
                        unit.multiplier.eq(Mux(window.quantizing, input_factor, inputs[0])),
                    ]
                else:
                    self.comb += [
                        unit.acc.eq(Mux(window.quantizing, window.quantize_raw, inputs[0])),
                        unit.multiplier.eq(factor),
                    ]
                self.comb += window.quantized.eq(unit.result)
                self.total = unit.total
                clamp = Signal.like(unit.clamp)
                self.comb += clamp.eq(Mux(window.quantizing, len(clamp_sets) - 1, stages[6]["clamp"]))
            else:
                unit = Requantizer(hw.accumulator_bits, factor_bits, residual_bits, hw.row_bits, offset_bits, clamp_sets)
                self.comb += [unit.acc.eq(inputs[p]), unit.multiplier.eq(factor)]
                clamp = stages[6]["clamp"]
            self.comb += [
                unit.residual.eq(narrow),
                unit.residual_multiplier.eq(fields["residual"]),
                unit.offset.eq(fields["offset"]),
                unit.clamp.eq(clamp),
                unit.awake.eq(awake | window.quantizing if p == 0 else awake),
            ]
            self.submodules += unit
            self.results.append(unit.result)
        self._collect(hw)

    def _column(self, sequencer, values, bits):
        """Register with the selected column of a row."""
        row = Signal((bits, True))
        self.sync += If(sequencer.valid, choose(sequencer.column, values, row))
        return row

    def _pooled(self, hw, selected, stage):
        """Sum over the rows of a column, complete at its last group."""
        running = Signal((hw.pooled_bits, True))
        total   = Signal((hw.pooled_bits, True))
        value   = Signal((hw.pooled_bits, True))
        tree    = selected[0]
        for acc in selected[1:]:
            tree = tree + acc
        self.comb += [
            total.eq(Mux(stage["group"] == 0, 0, running) + tree),
            value.eq(Mux(stage["pool"], total, selected[0])),
        ]
        self.sync += running.eq(total)
        return value

    def _collect(self, hw):
        """Groups of a channel into one word of all rows."""
        stage = self.stage
        bits  = hw.word_bits
        step  = hw.requantizers * bits
        group = Cat(*(result[:bits] for result in self.results))
        self.word = Signal(hw.rows * bits)
        merged = Signal(hw.rows * bits)
        if hw.groups > 1:
            held = Signal(len(merged) - step)
            self.comb += merged.eq(Cat(held, group))
            self.sync += If(stage["valid"], held.eq(merged[step:]))
        else:
            self.comb += merged.eq(group)
        if hw.wide:
            self.comb += self.word.eq(Mux(stage["spread"], Replicate(self.results[0][:bits], hw.rows), merged))
        else:
            self.comb += self.word.eq(merged)
