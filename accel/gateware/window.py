# SPDX-License-Identifier: BSD-2-Clause
"""The sliding window: quantized samples by the tokens that they belong to, moved on by every new raw sample."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.memory import ADDRESS_TO_DATA, RegisteredMemory
from liteformer.accel.gateware.places import Places
from liteformer.accel.gateware.requantizer import INPUT_TO_RESULT
from liteformer.accel.numerics import RAW_BITS

# Cycles from the push of a sample until its result is registered: its parameters are read, it is requantized.
QUANTIZE_CYCLES = ADDRESS_TO_DATA + INPUT_TO_RESULT


class SampleWindow(LiteXModule):
    """Takes raw samples feature by feature and keeps the last ``hw.samples`` of each, quantized and split into digits.

    A word holds one place of ``rows`` patches: place ``p`` of token ``t`` is sample ``t * stride + p`` of the window. With a
    new sample each place takes over what was in the next one, so words stay and places rotate (``places.Places``).
    Only the last place is new: place ``patch - stride``, shifted by one token, with the new sample at its end. It is written
    over the first place, which is not needed any more; without overlap these two are the same.

    A sample goes through requantizer 0 (its parameter word is the feature's number, read from its push on), then one word of
    every row tile is shifted by one token and written, a tile a cycle, newest first; each tile passes its oldest token on. The
    words are read ahead of that. A sample takes ``QUANTIZE_CYCLES + hw.row_tiles`` cycles after its push.

    Args:
        issue, k, start: of the sequencer, see Places; not used where a token is a single sample.
    Attributes:
        push: pulse with ``feature`` and ``raw`` (32 bits) while ``ready``, from the last cycle of the sample before on.
        busy: a sample is in progress; full: a whole window is stored and no row is half written.
        quantize_raw, quantizing: to the requantizer, from the cycle after the push on; quantized: its result.
        address, data: read port of the array, two cycles; a word holds ``digits`` digits a row, most significant last.
            Within a row tile the features of place 0 come first.
    """

    def __init__(self, hw, issue=None, k=None, start=None):
        token_bits   = hw.input_digits * hw.row_bits
        self.push    = Signal()
        self.feature = Signal(max=max(hw.features, 2))
        self.raw     = Signal((32, True))
        self.clear   = Signal()
        self.ready   = Signal()
        self.busy    = Signal()
        self.full    = Signal()
        self.quantizing       = Signal()
        self.quantize_raw     = Signal((RAW_BITS, True), reset_less=True)
        self.quantized        = Signal((hw.input_bits, True))
        depth        = hw.row_tiles * hw.token_inputs
        self.address = Signal(max=max(depth, 2))
        self.last_raw = [Signal((32, True), reset_less=True) for _ in hw.skip_features]

        # # #

        self.memory = memory = RegisteredMemory(hw.rows * token_bits, depth, init=[0] * depth,
                                                style=hw.styles.get("window"))
        self.data   = memory.data
        tile        = Signal(max=max(hw.row_tiles, 2))
        last_tile   = Signal(reset=hw.row_tiles == 1)
        source      = Signal.like(self.address)
        target      = source if hw.stride == hw.patch and hw.row_tiles == 1 else Signal.like(self.address)
        count       = Signal(max=max(hw.samples, 2))
        partial     = Signal()
        filled      = Signal()
        row_end     = Signal()
        cleared     = Signal()
        feature     = Signal.like(self.feature)
        timer       = Signal(max=QUANTIZE_CYCLES)
        carry       = Signal(token_bits, reset_less=True)
        raw_upper   = self.raw[RAW_BITS - 1:]
        first, shifted, rotation, advance = 0, 0, 0, []
        if hw.patch > 1:
            self.places = places = Places(hw, issue, k, start, len(self.address))
            first, shifted, rotation, advance = places.first, places.shifted, places.rotation, [places.advance.eq(row_end)]
        self.comb += [
            memory.address.eq(Mux(self.busy, source, self.address + rotation)),
            memory.write_address.eq(target),
            memory.write_data.eq(Cat(memory.data[token_bits:], carry) if hw.rows > 1 else carry),
            self.quantizing.eq(self.busy),
            self.full.eq(filled & ~partial),
        ]
        limited = Signal((hw.input_bits, True))
        self.comb += limited.eq(Mux(self.quantized > hw.input_high, hw.input_high, self.quantized))
        digits, value = [], limited
        for d in range(hw.input_digits):
            digit = Signal(hw.row_bits)
            self.comb += digit.eq(value)
            digits.append(digit)
            if d + 1 < hw.input_digits:
                rest = Signal((max(hw.input_bits - (d + 1) * hw.row_bits, 1) + 1, True))
                upper = Signal((max(len(value) - hw.row_bits, 1), True))
                carried = Signal()
                self.comb += [
                    upper.eq(value[hw.row_bits:] if len(value) > hw.row_bits else value[-1]),
                    carried.eq(value[hw.row_bits - 1]),
                    rest.eq(upper + carried),
                ]
                value = rest
        for register, skipped in zip(self.last_raw, hw.skip_features):
            self.sync += If(self.push & (self.feature == skipped), register.eq(self.raw))

        top_tile  = (hw.row_tiles - 1) * hw.token_inputs
        older     = {address: [NextValue(address, address - hw.token_inputs)] if hw.row_tiles > 1 else []
                     for address in (source, target)}
        addresses = [NextValue(source, top_tile + shifted + feature)]
        if target is not source:
            addresses.append(NextValue(target, top_tile + first + feature))
        take = If(self.push,
            NextValue(feature, self.feature),
            NextValue(self.quantize_raw, self.raw),
            If((raw_upper != 0) & (raw_upper != (1 << len(raw_upper)) - 1),
                NextValue(self.quantize_raw, Cat(Replicate(~self.raw[-1], RAW_BITS - 1), self.raw[-1]))),
            NextValue(timer, QUANTIZE_CYCLES - 1),
            NextValue(tile, hw.row_tiles - 1),
            NextValue(last_tile, hw.row_tiles == 1),
            NextValue(cleared, 0),
            NextValue(row_end, self.feature == hw.features - 1),
            NextState("QUANTIZE"),
        )
        self.fsm = fsm = FSM(reset_state="IDLE")
        fsm.act("IDLE", self.ready.eq(1), take)
        fsm.act("QUANTIZE",
            self.busy.eq(1),
            NextValue(timer, timer - 1),
            *addresses,
            # A word comes two cycles after its address.
            If(timer < ADDRESS_TO_DATA, *older[source]),
            If(timer == 0, NextValue(carry, Cat(*digits)), NextState("SHIFT")),
        )
        fsm.act("SHIFT",
            self.busy.eq(1),
            memory.write_enable.eq(1),
            NextValue(carry, memory.data[:token_bits]),
            NextValue(tile, tile - 1),
            NextValue(last_tile, tile == 1),
            *older[source],
            *older[target],
            If(last_tile,
                *advance,
                # What the state machine assigns would prevail over a clear in this cycle.
                If(~cleared & ~self.clear,
                    NextValue(partial, ~row_end),
                    If(row_end & ~filled, NextValue(count, count + 1), NextValue(filled, count == hw.samples - 1)),
                ),
                self.ready.eq(1),
                NextState("IDLE"),
                take,
            ),
        )
        # A sample in progress when the window is cleared is discarded.
        self.sync += If(self.clear, count.eq(0), filled.eq(0), partial.eq(0), cleared.eq(1))
