# SPDX-License-Identifier: BSD-2-Clause
"""The drain: from the array's drain registers through the requantizers to the destination memories."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.delay import DelayLine
from liteformer.accel.gateware.drain.operands import DrainOperands
from liteformer.accel.gateware.drain.pool import RowPool
from liteformer.accel.gateware.drain.select import SumSelector
from liteformer.accel.gateware.memory import ADDRESS_TO_DATA
from liteformer.accel.gateware.requantizer import INPUT_TO_CLAMP, INPUT_TO_RESULT, Requantizer
from liteformer.accel.gateware.requantizer_samples import RequantizerWithSamples
from liteformer.accel.gateware.words import WordCollector

# Cycles from selecting a result in the drain registers ...
SELECT_TO_COLUMN  = 1                                    # ... to the sums of its column in registers,
SELECT_TO_OPERAND = ADDRESS_TO_DATA                      # to the inputs of its requantizer,
SELECT_TO_CLAMP   = SELECT_TO_OPERAND + INPUT_TO_CLAMP   # to the choice of its width,
SELECT_TO_RESULT  = SELECT_TO_OPERAND + INPUT_TO_RESULT  # to its requantized value.

# What travels with a result: signals of the sequencer and of the active instruction.
SEQUENCED  = ("valid", "column", "group", "word_end", "score_last", "finished", "base", "residual_write")
INSTRUCTED = ("pool", "to_row", "to_residual", "to_key", "to_value", "to_score", "to_output", "residual", "reciprocal",
              "single", "clamp", "head", "layer")


class Drain(LiteXModule):
    """Selects sums, requantizes P of them per cycle and collects whole words.

        cycle          R x C drain registers, A bits
        s              | column                           addresses of parameters, residual, reciprocals
        s + 1 COLUMN   R sums of a column, A bits         |
                       | group                            |
        s + 2 OPERAND  P sums, A bits                     words of the memories, P reciprocals
                       | RowPool: first one or pooled     | DrainOperands
                       +----------------+-----------------+
                                        v
                       P requantizers, the first one for raw samples as well
        s + 6 CLAMP    | width of the result
        s + 7 RESULT   P results --> softmax, value memory; the first one unclamped, 32 bits --> outputs
                       | WordCollector
                       word, R x word_bits --> row, key, residual memory

    Widths: A ``accumulator_bits``; parameters M, N and B as wide as their memories; clamped results up to the widest clamp.

    Args:
        hw: Hardware.
        array: MatrixArray; sequencer: DrainSequencer; window: SampleWindow.
        parameters: words of the multiplier, bias and residual multiplier memories; residual: word of the residual memory.
        rates: list of P reciprocals of the softmax.
        clamps: widths of results, the last one that of samples.
    Attributes:
        results: list of P signed results.
        total: requantizer 0 before clamping, signed 32 bits.
        word: all rows of one channel, ``word_bits`` each (one result for all rows where the step is wide or single).
        stage: dict of the drain sequencer's signals of the result leaving in this cycle.
    """

    def __init__(self, hw, array, sequencer, parameters, residual, rates, window, clamps):
        # # #

        now       = sequencer.instruction
        carried   = {name: getattr(sequencer, name) for name in SEQUENCED} | {name: getattr(now, name) for name in INSTRUCTED}
        self.line = line = DelayLine(carried | {"spread": now.wide | now.single}, SELECT_TO_RESULT)
        column, operand, clamp = line.after(SELECT_TO_COLUMN), line.after(SELECT_TO_OPERAND), line.after(SELECT_TO_CLAMP)
        self.stage = line.after(SELECT_TO_RESULT)

        # Sums.
        self.selector = selector = SumSelector(hw, array.sums, array.fixes, line.after(0), column,
                                              sequencer.next_column)
        sums = list(selector.sums)
        if hw.pool:
            # More than three sums and the total in one cycle are a long way.
            terms = selector.pairs() if hw.requantizers > 3 else selector.sums
            self.pool = pool = RowPool(terms, selector.sums[0], hw.pooled_bits)
            self.comb += pool.pool.eq(operand["pool"])
            self.sync += pool.first.eq(column["group"] == 0)
            sums[0] = pool.value

        # The requantizers hold their state while nothing passes through them.
        awake = Signal()
        self.sync += awake.eq(Cat(*(line.after(n)["valid"] for n in range(SELECT_TO_COLUMN, SELECT_TO_CLAMP))) != 0)

        self.operands = operands = DrainOperands(hw, parameters, residual, rates, operand)
        factor_bits = len(operands.factor[0])
        self.requantizer_samples = RequantizerWithSamples(
            hw, factor_bits, clamps, sums[0], window.quantizing, window.quantize_raw, operands.multiplier)
        units = [self.requantizer_samples]
        for p in range(1, hw.requantizers):
            unit = Requantizer(hw.accumulator_bits, factor_bits, hw.residual_bits, hw.row_bits, hw.offset_bits, clamps,
                               hw.dsp_block)
            self.add_module(name=f"requantizer{p}", module=unit)
            self.comb += unit.acc.eq(sums[p])
            units.append(unit)
        for p, unit in enumerate(units):
            self.comb += [
                unit.multiplier.eq(operands.factor[p]),
                unit.residual.eq(operands.residual[p]),
                unit.residual_multiplier.eq(operands.residual_multiplier),
                unit.offset.eq(operands.offset),
                unit.clamp.eq(clamp["clamp"]),
                unit.awake.eq(awake),
            ]
        self.results = [unit.result for unit in units]
        self.total   = self.requantizer_samples.total
        self.comb   += window.quantized.eq(self.results[0])

        fields = [result[:hw.word_bits] for result in self.results]
        self.collector = collector = WordCollector(fields, hw.groups, self.stage["spread"] if hw.wide else None)
        self.word = Signal(hw.rows * hw.word_bits)
        self.comb += [collector.valid.eq(self.stage["valid"]), self.word.eq(collector.word)]
