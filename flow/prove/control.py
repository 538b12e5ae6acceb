# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of what is in control: divider, sample window, sequencer, Wishbone port, abort."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
from migen import *

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.core import LiteFormerCore
from liteformer.accel.gateware.engine import FLUSH_CYCLES, Engine
from liteformer.accel.gateware.sequencer import (
    ROW_INPUT,
    ROW_MEMORY,
    ROW_PROBABILITY,
    ROW_WHOLE,
    ComputeSequencer,
    key_source,
    value_source,
    wide_key_source,
)
from liteformer.accel.gateware.softmax.divide import RowDivider
from liteformer.accel.gateware.window import SampleWindow
from liteformer.accel.hardware import compute_fields
from liteformer.accel.random_model import random_model
from liteformer.flow.prove.program import ProgramBench
from liteformer.flow.prove.proof import BOUNDED, INDUCTION, PIPELINE, Bench, Proof


@cache
def tiny(rows=1, **shape):
    """A compiled model of one column."""
    model = random_model(np.random.default_rng(0), **({"window": 2, "features": 2, "d_model": 1, "ffn": 1, "bits": 2} | shape))
    return compile_model(model, HardwareOptions(rows=rows, columns=1, dsp_lanes=0))


class DividerBench(Bench):
    """A division that was started and left alone for its time leaves the quotient: floor(numerator / total)."""

    def __init__(self, numerator_bits, table_top, total_bits):
        super().__init__()
        hw = replace(tiny().hw, numerator_bits=numerator_bits, table_top=table_top, requantizers=1, rows=1, heads=1)
        numerator, total = self.input(Signal(numerator_bits)), self.input(Signal(total_bits))
        self.dut = dut = RowDivider(hw, numerator, [total])
        start = self.input(dut.start)
        # The sum of a row is at least the table's first entry; a division begins when the one before is over.
        self.assumed += [total >= table_top, ~self.past(start) | ~dut.dividing,
                         self.past(numerator) == numerator, self.past(total) == total]
        self.cycles = RowDivider.divide_cycles(hw) + 5
        alone = self.past(start, self.cycles)
        for cycle in range(self.cycles):
            alone = alone & ~self.past(start, cycle)
        rate = Signal(numerator_bits + total_bits + 1)
        self.comb += rate.eq(dut.rate[0] * total)
        self.asserted.append(~alone | ((rate <= numerator) & (numerator < rate + total)))
        self.asserted.append(~alone | ~dut.dividing)


class WindowBench(Bench):
    """After every sample the memory holds the last rows, and ``full`` says whether there are enough when none is in progress.

    The requantizer is replaced by one that passes the lowest bits on.
    """

    def __init__(self, part, rows=1, **shape):
        super().__init__()
        hw = tiny(rows, **shape).hw
        self.dut = dut = SampleWindow(hw)
        push, clear, feature, raw = (self.input(signal) for signal in (dut.push, dut.clear, dut.feature, dut.raw))
        samples, features = hw.samples, hw.features
        self.comb += dut.quantized.eq(dut.quantize_raw[:hw.input_bits])
        # What the bus keeps to: one sample at a time, the features of a row in order; values below the limit of the digits.
        expected = Signal(max=max(features, 2))
        self.assumed += [~push | dut.ready, ~push | ~clear, ~push | (feature == expected), raw[hw.input_bits - 2:] == 0]
        last = expected == features - 1
        self.sync += [If(push, If(last, expected.eq(0)).Else(expected.eq(expected + 1))), If(clear, expected.eq(0))]
        # The window as one shift register for each feature.
        stored = [[Signal(hw.input_bits) for _ in range(samples)] for _ in range(features)]
        count = Signal(max=samples + 1)
        for number, row in enumerate(stored):
            self.sync += If(push & (feature == number), *(old.eq(new) for old, new in zip(row, row[1:])),
                            row[-1].eq(raw[:hw.input_bits]))
        # Rows complete since the last clear; a sample in progress then does not count.
        self.sync += [If(push & last & (count != samples), count.eq(count + 1)), If(clear, count.eq(0))]
        idle, ended = ~dut.busy, self.past(dut.ready)
        memory = dut.memory.memory
        token_bits = hw.input_digits * hw.row_bits
        for tile in range(hw.row_tiles):
            for number in range(features):
                port = memory.get_port(async_read=True)
                self.specials += port
                self.comb += port.adr.eq(tile * features + number)
                for row in range(hw.rows):
                    value = Signal(hw.input_bits)
                    digits = port.dat_r[row * token_bits:(row + 1) * token_bits]
                    self.comb += value.eq(_joined(self, digits, hw))
                    if part == "memory":
                        # As it was before a push of the cycle in which the sample before ended.
                        self.asserted.append(~ended | (value == self.past(stored[number][tile * hw.rows + row])))
        if part == "full":
            self.asserted.append(~idle | (dut.full == ((count == samples) & (expected == 0))))


def _joined(bench, digits, hw):
    """The number that signed digits make up."""
    value = 0
    for digit in range(hw.input_digits):
        part = Signal((hw.row_bits, True))
        bench.comb += part.eq(digits[digit * hw.row_bits:(digit + 1) * hw.row_bits])
        value = value + (part << digit * hw.row_bits)
    whole = Signal((hw.input_digits * hw.row_bits + 1, True))
    bench.comb += whole.eq(value)
    return whole


def decode(fields, word):
    """Dict of the fields of an instruction word; ``fields``: list of (name, bits)."""
    values, low = {}, 0
    for name, bits in fields:
        values[name] = int(word) >> low & (1 << bits) - 1
        low += bits
    return values


def _lasts(values):
    """Whether an instruction is active for two cycles or more."""
    return (values["wait"] != 0) | (values["k_last"] != 0) | (values["passes_last"] != 0) | (values["tiles_last"] != 0)


def keeps_to(fields, program):
    """Whether a program is one for which the sequencer's proof holds: its last instruction ends it, and no other one does;
    each is active for two cycles or more.

    Args:
        fields: list of (name, bits); program: instruction words.
    """
    for number, word in enumerate(program):
        values = decode(fields, word)
        if values["end"] != (number == len(program) - 1) or not _lasts(values):
            return False
    return True


def stays_inside(hw, program):
    """Whether the addresses of a compute program's loops, as ``SequencerBench`` has them, are inside the memories they read.

    Args:
        hw: Hardware; program: instruction words.
    """
    rows = {ROW_MEMORY: hw.row_depth, ROW_INPUT: hw.row_tiles * hw.token_inputs,
            **dict.fromkeys((ROW_PROBABILITY, ROW_WHOLE), hw.heads * hw.tokens)}
    columns = {number: stream.depth for number, stream in enumerate(hw.streams)} | {
        key_source(hw): hw.key_depth, value_source(hw): hw.value_depth, wide_key_source(hw): hw.key_depth}
    for word in program:
        now = decode(compute_fields(hw), word)
        k = now["k_last"] + 1
        # A word of the value memory holds as many tokens as there are requantizers.
        span = -(-k // hw.requantizers) if now["column_source"] == value_source(hw) else k
        row  = now["row_base"] + k * (1 + now["row_continue"] * now["passes_last"])
        if row > rows[now["row_source"]]:
            return False
        if now["column_base"] + span * (1 + now["column_step"] * now["tiles_last"]) > columns[now["column_source"]]:
            return False
    return True


class SequencerBench(ProgramBench):
    """The operands issued are those of the program's loops, one instruction after the other: none is skipped or doubled.

    The program is any of ``length`` instructions, written through the loader's port before the start.
    """

    def __init__(self, length):
        widths = {"wait": 3, "k_last": 2, "passes_last": 1, "tiles_last": 1, "gap": 2, "columns_last": 1}
        hw = replace(tiny().hw, widths=widths, row_depth=4, key_depth=4, value_depth=4, requantizers=1)
        fields = compute_fields(hw)
        super().__init__(ComputeSequencer, hw, fields, length)
        # What the compiler keeps to (``keeps_to``); the column operand is a weight or a key.
        self.assume_of_instructions(lambda n, values: [values["end"] == (n == length - 1), _lasts(values),
                                                       values["column_source"] == 0])
        self._loops(self.dut, self.decoded, fields)

    def _loops(self, dut, decoded, fields):
        """The loops themselves: tile, pass, k of instruction ``pc`` move on with every issue."""
        bits = dict(fields)
        pc = Signal(max=len(decoded) + 1)
        tile, pas, k = (Signal(bits[name]) for name in ("tiles_last", "passes_last", "k_last"))
        now = {name: Signal(width) for name, width in fields}
        self.comb += [now[name].eq(Array([values[name] for values in decoded])[pc]) for name in now]
        row, column = Signal(bits["row_base"]), Signal(bits["column_base"])
        k_end, pass_end, tile_end = k == now["k_last"], pas == now["passes_last"], tile == now["tiles_last"]
        ended = Signal()
        depth = Signal(8)
        self.comb += [
            depth.eq(pas * (now["k_last"] + 1)),
            row.eq(now["row_base"] + k + Mux(now["row_continue"], depth, 0)),
            column.eq(now["column_base"] + k + Mux(now["column_step"], tile * (now["k_last"] + 1), 0)),
        ]
        self.sync += If(dut.issue,
            If(~k_end, k.eq(k + 1)).Else(
                k.eq(0),
                If(~pass_end, pas.eq(pas + 1)).Else(
                    pas.eq(0),
                    If(~tile_end, tile.eq(tile + 1)).Else(
                        tile.eq(0), If(now["end"], ended.eq(1)).Else(pc.eq(pc + 1)),
                    ),
                ),
            ),
        )
        first_k, first_pass = k == 0, pas == 0
        checks = [
            ~ended, dut.row_address == row, dut.column_address == column, dut.tile == tile,
            dut.first == (first_k & first_pass), dut.shift == (first_k & ~first_pass & ~now["row_continue"]),
            dut.last == (k_end & pass_end), dut.row_source == now["row_source"], dut.broadcast == now["broadcast"],
        ]
        for check in checks:
            self.asserted.append(~dut.issue | check)
        # When nothing is left to issue, all has been issued.
        started = Signal()
        self.sync += If(dut.start, started.eq(1))
        self.asserted.append(~started | dut.busy | ended)


class PortBench(Bench):
    """The window's Wishbone port: one acknowledge a request and none without, for a master that keeps its request."""

    WAIT = 40       # Cycles until a request of an idle core is served.

    def __init__(self, drops=False):
        super().__init__()
        self.core = core = LiteFormerCore(tiny(), with_csr=False)
        bus = core.bus
        cyc, stb, we, adr, data = (self.input(signal) for signal in (bus.cyc, bus.stb, bus.we, bus.adr, bus.dat_w))
        for signal in (bus.sel, core.start, core.abort, core.clear):
            self.input(signal)
        request = Signal()
        self.comb += request.eq(cyc & stb)
        before = self.past(request)
        waiting = Signal()
        self.comb += waiting.eq(before & ~self.past(bus.ack))
        held = Signal()
        self.comb += held.eq(request & (we == self.past(we)) & (adr == self.past(adr)) & (data == self.past(data)))
        if drops:
            dropped = Signal()
            self.comb += dropped.eq(waiting & ~request)
            # A request may be dropped; the bus then rests for two cycles, since the acknowledge is a register.
            self.assumed += [~waiting | held | ~request, ~self.past(dropped) | ~request]
            self.asserted.append(~bus.ack | ~request | (before & self.past(request, 2)))
        else:
            self.assumed.append(~waiting | held)
            self.asserted.append(~bus.ack | before)
        # The acknowledge lasts one cycle.
        self.asserted.append(~bus.ack | ~self.past(bus.ack))
        # A read is served in two cycles.
        reads = Signal(3)
        self.sync += If(request & ~we & ~bus.ack, If(reads != 7, reads.eq(reads + 1))).Else(reads.eq(0))
        self.asserted.append(reads <= 2)
        # What is read is the output that the address names.
        number = max(1, (core.compiled.hw.outputs - 1).bit_length())
        value = Signal(32)
        self.comb += value.eq(Array(core.engine.outputs)[self.past(adr)[:number]])
        self.asserted.append(~bus.ack | self.past(we) | ~before | (bus.dat_r == self.past(value)))


class AbortBench(Bench):
    """After an abort without a new start the engine is idle within the flush time, and nothing is written after it."""

    def __init__(self, **shape):
        super().__init__()
        compiled = tiny(**shape)
        self.engine = engine = Engine(compiled.hw, compiled.images)
        start, abort = self.input(engine.start), self.input(engine.abort)
        for signal in (engine.clear, engine.push, engine.feature, engine.raw):
            self.input(signal)
        self.assumed += [~start | ~engine.busy | abort, ~start | ~abort, ~engine.push | engine.push_ready]
        since = Signal(max=FLUSH_CYCLES + 4)
        self.sync += If(abort, since.eq(1)).Elif(start, since.eq(0)).Elif((since != 0) & (since != FLUSH_CYCLES + 2),
                                                                           since.eq(since + 1))
        for cycle in range(1, FLUSH_CYCLES + 3):
            stopped = (since == cycle) & (self.past(since, cycle - 1) == 1)
            self.asserted.append(~stopped | ~engine.done)
        self.asserted.append(~stopped | ~engine.busy)
        for memory in (engine.row_memory, engine.key_memory, engine.residual_memory):
            self.asserted.append(~stopped | (memory.write_enable == 0))


HELD = "the acknowledge of the window's Wishbone port comes once a request and never without; reads take two cycles"

PROOFS = [
    Proof("divider", "a division left alone gives floor(numerator / total), from any state", "softmax_divide",
          partial(DividerBench, 6, 3, 4), PIPELINE, 16, (r"fits = \(~(\w+)\[5\]\)", r"fits = (~\1[3])"), None, True),
    Proof("divider, 10 bits", "a division left alone gives floor(numerator / total), from any state", "softmax_divide",
          partial(DividerBench, 10, 7, 6), PIPELINE, 18, (r"fits = \(~(\w+)\[7\]\)", r"fits = (~\1[5])"), None),
    Proof("window memory, two tiles", "after every sample, at any distance, the memory holds the last rows", "window",
          partial(WindowBench, "memory"), INDUCTION, 28, (r"(carry_next_value\d+) <= \{", r"\1 <= ~{"), None),
    Proof("window memory, two rows", "after every sample, at any distance, the memory holds the last rows", "window",
          partial(WindowBench, "memory", 2), INDUCTION, 20, (r"(carry_next_value\d+) <= \{", r"\1 <= ~{"), None, True),
    Proof("window full", "the window is full after its rows since the last clear, whenever that comes", "window",
          partial(WindowBench, "full", 2, features=1), BOUNDED, 45, (r"\(\(~cleared\) & \(~in1\)\)", "(~cleared)"), None),
    Proof("compute sequencer", "any program of two instructions issues the operands of its loops, none skipped or doubled",
          "sequencer", partial(SequencerBench, 2), BOUNDED, 28, (r"(_pc <= \(\w+_pc \+) 1'd1", r"\1 2'd2"), None),
    Proof("Wishbone port", HELD, "core", PortBench, INDUCTION, 5,
          (r"<= \(\(in0 & in1\) & \(~\w+_ack\)\)", "<= (in0 & in1)")),
    Proof("Wishbone port, dropped requests", "no later request takes the acknowledge of one that was dropped", "core",
          partial(PortBench, True), INDUCTION, 5, (r"<= \(\(in0 & in1\) & \(~\w+_ack\)\)", "<= (in0 & in1)"), None),
    Proof("abort", "31 cycles after an abort the engine is idle, never done, and writes nothing more", "engine", AbortBench,
          PIPELINE, 34, (r"(engine_flushing -) 1'd1", r"\1 1'd0"), None),
]
