# SPDX-License-Identifier: BSD-2-Clause
"""The matrix engine: sequencers, operand memories, array, drain, softmax and window, wired together."""

from migen import *

from litex.gen import *

from liteformer.accel import numerics
from liteformer.accel.gateware.array import MatrixArray
from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.delay import DelayLine
from liteformer.accel.gateware.drain.drain import Drain
from liteformer.accel.gateware.fabric import choose
from liteformer.accel.gateware.loadable_stream import LoadableStream
from liteformer.accel.gateware.loader import EngineLoader
from liteformer.accel.gateware.memory import ADDRESS_TO_DATA, DISTRIBUTED, RegisteredMemory
from liteformer.accel.gateware.outputs import OutputRegisters
from liteformer.accel.gateware.sequencer import (
    ROW_INPUT, ROW_PROBABILITY, ROW_WHOLE, ComputeSequencer, DrainSequencer, key_source, stream_source, value_source,
    wide_key_source)
from liteformer.accel.gateware.softmax.softmax import Softmax
from liteformer.accel.gateware.weights import StreamPlan, WeightStream
from liteformer.accel.gateware.window import SampleWindow
from liteformer.accel.hardware import memory_shapes


# Longest way from an issue to the end of the drain, with room to spare.
FLUSH_CYCLES = 31
# Bits of operands that one register serves which says what they are loaded with.
NEAR = 64
# Signals of the compute sequencer that go with an operand.
ISSUED = ("issue", "first", "shift", "last", "row_source", "digit", "broadcast", "column_source", "tile", "value_bank")


class Engine(LiteXModule):
    """Runs a compiled program over the sliding window.

            window --+                       streams --+
        row memory --+--> row operands       keys -----+--> column operands
      probabilities -+         |             values ---+         |
                               +--------> MatrixArray <----------+
                                              |
                residuals, parameters --> requantizers --> row, key, value, residual memory, softmax, outputs

    Args:
        hw: Hardware; images: dict of memory contents (see ``compiler.images``).
    Attributes:
        start, abort, clear: pulses; done: pulse; busy; full: the window holds enough samples.
        push, feature, raw, push_ready, push_busy: one raw sample (see SampleWindow).
        outputs: list of 32-bit registers; loader: EngineLoader of a loadable build, else None.
    """

    def __init__(self, hw, images):
        self.start, self.abort, self.clear, self.done, self.busy = Signal(), Signal(), Signal(), Signal(), Signal()
        self.push, self.push_ready, self.push_busy, self.full = Signal(), Signal(), Signal(), Signal()

        # # #

        self.loader  = loader  = EngineLoader(hw, images) if hw.loadable else None
        self.compute = compute = ComputeSequencer(hw, images["compute"], loader and loader.port("compute"))
        self.window  = window  = SampleWindow(hw, compute.issue, compute.k, self.start)
        self.drains  = drains  = DrainSequencer(hw, images["drain"], loader and loader.port("drain"))
        self.array   = array   = MatrixArray(hw)
        self.softmax = softmax = Softmax(hw.softmax, images["table"], images["numerators"],
                                         loader and loader.port("numerators"), hw.whole)
        shapes       = memory_shapes(hw)

        def memory(name, init=None):
            depth, width, writable = shapes[name]
            if not writable and hw.styles.get(name) == DISTRIBUTED:
                return WeightStream(width, init, StreamPlan(), direct=True)
            return RegisteredMemory(width, depth, init=init, writable=writable, style=hw.styles.get(name))

        self.row_memory      = row_memory  = memory("row")
        self.residual_memory = residual    = memory("residual", images["residual"])
        self.key_memory      = key_memory  = memory("key")
        self.probabilities   = probability = memory("probability")
        self.multipliers     = memory("multiplier", images["multiplier"])
        self.offsets         = memory("offset", images["offset"])
        self.residual_multipliers = memory("residual_multiplier", images["residual_multiplier"])
        self.streams, self.value_banks = [], []
        for index, (shape, words) in enumerate(zip(hw.streams, images["streams"])):
            width  = shape.groups * hw.columns * shape.bits
            column_stream = (LoadableStream(width, words, shape.plan) if hw.loadable
                             else WeightStream(width, words, shape.plan))
            self.add_module(name=f"stream{index}", module=column_stream)
            self.streams.append(column_stream)
        for p in range(hw.requantizers):
            value_memory = RegisteredMemory(hw.columns * hw.column_bits, hw.value_depth, granularity=hw.column_bits,
                                            style=DISTRIBUTED)
            self.add_module(name=f"value_memory{p}", module=value_memory)
            self.value_banks.append(value_memory)
        parameters = (self.multipliers, self.offsets, self.residual_multipliers)
        self.feature, self.raw = window.feature, window.raw

        # After an abort the pipelines drain, with their results discarded, before the engine is free again.
        running  = Signal()
        settled  = Signal(reset=1)
        flushing = Signal(max=FLUSH_CYCLES + 1)
        finished = Signal()
        self.comb += [
            self.done.eq(finished & running & ~self.abort),
            compute.start.eq(self.start), drains.start.eq(self.start),
            compute.abort.eq(self.abort), drains.abort.eq(self.abort),
            window.push.eq(self.push), window.clear.eq(self.clear),
            self.push_ready.eq(window.ready), self.push_busy.eq(window.busy), self.full.eq(window.full),
        ]
        self.sync += [
            If(self.start, running.eq(1)),
            If(self.done | self.abort, running.eq(0)),
            flushing.eq(Mux(settled, FLUSH_CYCLES, flushing - 1)),
            If(flushing == 1, settled.eq(1)),
            If(self.abort, settled.eq(0), flushing.eq(FLUSH_CYCLES)),
            # ``running`` or not ``settled``, in a register of its own because much depends on it.
            If(self.start | self.abort, self.busy.eq(1)).Elif(self.done | (~settled & (flushing == 1)), self.busy.eq(0)),
        ]

        clamp_sets = [*hw.clamps, numerics.SCORE_BITS, hw.input_bits]
        self.drain = drain = Drain(hw, array, drains, [p.data for p in parameters], residual.data, softmax.rate, window,
                                   clamp_sets)
        # The issued step, in the cycle in which the memories deliver its operands.
        self.issued = issued = DelayLine({name: getattr(compute, name) for name in ISSUED}, ADDRESS_TO_DATA)
        operands = issued.after(ADDRESS_TO_DATA)
        before = issued.after(ADDRESS_TO_DATA - 1)
        self._row_operands(hw, compute, array, row_memory, probability, window, before)
        self._column_operands(hw, compute, array, key_memory, before)
        self.finishing = finishing = DelayLine({"last": operands["last"]}, hw.issue_to_drain - 1 - ADDRESS_TO_DATA)
        self.comb += [
            array.valid.eq(operands["issue"]), array.first.eq(operands["first"]),
            array.shift.eq(operands["shift"]), array.last.eq(operands["last"]),
            drains.tile_ready.eq(finishing.after(hw.issue_to_drain - 1 - ADDRESS_TO_DATA)["last"] & settled),
        ]
        self.comb += [
            *(p.address.eq(self._address(Mux(self.busy, drains.parameter, window.feature)))
              for p in parameters),
            residual.address.eq(self._address(drains.residual_read)),
            softmax.rate_address.eq(self._rate_address(hw, drains)),
        ]
        self._destinations(hw, finished, drain, row_memory, residual, key_memory, probability, softmax, window)
        if loader is not None:
            self._load(loader)

    def _address(self, address):
        """``address``, or the loader's while it is open."""
        return address if self.loader is None else Mux(self.loader.active, self.loader.address, address)

    @staticmethod
    def _rate_address(hw, drains):
        """Where the softmax has the reciprocals of the drained rows."""
        if hw.one_query:
            return drains.instruction.head if hw.heads > 1 else 0
        return drains.group if hw.heads == 1 else drains.instruction.head * hw.groups + drains.group

    def _load(self, loader):
        """Words that the loader reads back, and its writes to the memories that have a free port."""
        read = {"compute": self.compute.instruction.fetched, "drain": self.drains.instruction.fetched,
                "numerators": self.softmax.numerator, "residual": self.residual_memory.data}
        writable = {"multiplier": self.multipliers, "offset": self.offsets, "residual_multiplier": self.residual_multipliers,
                    **{f"stream{index}": stream for index, stream in enumerate(self.streams)}}
        for name, memory in writable.items():
            _, address, write, data = loader.port(name)
            read[name] = memory.data
            self.comb += [memory.write_enable.eq(write), memory.write_address.eq(address), memory.write_data.eq(data)]
        self.comb += [loader.read[name].eq(data) for name, data in read.items()]

    def _choices(self, before, *names):
        """Registers of their own for some operands that say which one is loaded; ``before``: the issued step a cycle ago."""
        return {name: kept_copy(self, before[name]) for name in names}

    def _row_operands(self, hw, compute, array, row_memory, probability, window, before):
        self.comb += [
            row_memory.address.eq(compute.row_address),
            probability.address.eq(compute.row_address),
            window.address.eq(compute.row_address),
        ]
        bits    = hw.row_bits
        sources = {"default": (row_memory, 1), ROW_INPUT: (window, hw.input_digits),
                   ROW_PROBABILITY: (probability, hw.probability_digits)}
        for r, row in enumerate(array.row):
            if r % (NEAR // bits) == 0:
                operands = self._choices(before, "row_source", "digit", "broadcast")
            weighted, cases = array.weighted[r], {}
            for code, (memory, digits) in sources.items():
                if code == ROW_PROBABILITY and hw.one_query and (r > 0 or hw.whole):
                    continue  # Nothing is attended to by this row, or not in digits.
                fields = []
                for d in range(digits):
                    low   = (r * digits + d) * bits
                    value = memory.data[low:low + bits]
                    if hw.wide and code == "default":
                        value = Mux(operands["broadcast"], memory.data[(hw.rows - 1) * bits:], value)
                    fields.append(self._load_row(value, d, row, weighted))
                cases[code] = fields[0] if digits == 1 else Case(
                    operands["digit"], dict(enumerate(fields[:-1])) | {"default": fields[-1]})
            if r == 0 and hw.whole:
                cases[ROW_WHOLE] = weighted.eq(probability.data[:bits * hw.probability_digits])
            self.sync += If(array.valid, Case(operands["row_source"], cases))

    @staticmethod
    def _load_row(value, digit, row, weighted):
        """Load a digit into the operand register of a row, and into the one that carries its weight."""
        load = [row.eq(value)]
        if weighted is not None:
            sign = Replicate(value[len(row) - 1], len(weighted) - len(row) * (digit + 1))
            load.append(weighted.eq(Cat(Constant(0, len(row) * digit), value, sign) if digit else Cat(value, sign)))
        return load

    def _column_operands(self, hw, compute, array, key_memory, before):
        bits, C = hw.column_bits, hw.columns
        self.comb += [
            *(stream.address.eq(self._address(compute.column_address if hw.loadable else compute.next_column_address))
              for stream in self.streams),
            key_memory.address.eq(compute.column_address),
            *(bank.address.eq(compute.column_address) for bank in self.value_banks),
        ]
        for g, group in enumerate(array.column):
            for c, operand in enumerate(group):
                if c % (NEAR // bits) == 0:
                    operands = self._choices(before, "column_source", "tile", "value_bank")
                cases = {}
                for index, shape in enumerate(hw.streams):
                    lane   = (g if shape.groups > 1 else 0) * C + c
                    weight = self.streams[index].data[lane * shape.bits:(lane + 1) * shape.bits]
                    cases[stream_source(index)] = operand.eq(Cat(weight, Replicate(weight[shape.bits - 1], bits - shape.bits))
                                                             if shape.bits < bits else weight)
                keys = [key_memory.data[token * bits:(token + 1) * bits]
                        for token in (min(t * C + c, hw.rows - 1) for t in range(hw.key_tiles))]
                cases[key_source(hw)] = choose(operands["tile"], keys, operand)
                if hw.wide:
                    # Group g takes the tokens behind those of group g - 1.
                    cases[wide_key_source(hw)] = operand.eq(keys[min(g, hw.key_tiles - 1)])
                values = [bank.data[c * bits:(c + 1) * bits] for bank in self.value_banks]
                cases[value_source(hw)] = choose(operands["value_bank"], values, operand)
                self.sync += If(array.valid, Case(operands["column_source"], cases))

    def _residual_write(self, residual, address, data, enable):
        """Statements that write the residual memory from the drain, or from the loader."""
        if self.loader is not None:
            active, load_address, load, load_data = self.loader.port("residual")
            address, data, enable = Mux(active, load_address, address), Mux(active, load_data, data), enable | load
        return [residual.write_address.eq(address), residual.write_data.eq(data), residual.write_enable.eq(enable)]

    def _destinations(self, hw, finished, drain, row_memory, residual, key_memory, probability, softmax, window):
        stage, bits, C = drain.stage, hw.column_bits, hw.columns
        word_end = Signal()
        words    = [drain.word[r * hw.word_bits:(r + 1) * hw.word_bits] for r in range(hw.rows)]
        row_word = Cat(*(row[:hw.row_bits] for row in words))
        self.comb += [
            word_end.eq(stage["valid"] & stage["word_end"]),
            row_memory.write_address.eq(stage["base"]),
            row_memory.write_data.eq(row_word),
            row_memory.write_enable.eq(word_end & stage["to_row"]),
            *self._residual_write(residual, stage["residual_write"], row_word, word_end & stage["to_residual"]),
            key_memory.write_address.eq(stage["base"]),
            key_memory.write_enable.eq(word_end & stage["to_key"]),
            key_memory.write_data.eq(Cat(*(row[:bits] for row in words))),
            softmax.valid.eq(stage["valid"] & stage["to_score"]),
            softmax.group.eq(0 if hw.one_query else Mux(stage["spread"], 0, stage["group"]) if hw.wide else stage["group"]),
            softmax.last.eq(stage["score_last"]),
            softmax.single.eq(stage["spread"] if hw.wide else 0),
            softmax.restart.eq(self.start),
            softmax.layer.eq(stage["layer"]),
            softmax.head.eq(stage["head"]),
            probability.write_address.eq(softmax.word_address),
            probability.write_data.eq(softmax.word),
            probability.write_enable.eq(softmax.word_valid),
        ]
        for score, result in zip(softmax.score, drain.results):
            self.comb += score.eq(result)
        for p, bank in enumerate(self.value_banks):
            self.comb += [
                bank.write_address.eq(stage["base"] + stage["group"]),
                bank.write_data.eq(Replicate(drain.results[p][:bits], C)),
                bank.write_enable.eq(Mux(stage["valid"] & stage["to_value"], 1 << stage["column"], 0)),
            ]
        self.output_registers = OutputRegisters(hw.outputs, window.last_raw, word_end & stage["to_output"], stage["base"],
                                                drain.total)
        self.outputs = self.output_registers.outputs
        self.sync += finished.eq(stage["valid"] & stage["finished"])
