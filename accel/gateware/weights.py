# SPDX-License-Identifier: BSD-2-Clause
"""The weight memory: a stream of words read in order, in block RAM as far as available, the rest in LUTs."""


from dataclasses import dataclass
from functools import reduce
from operator import or_

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy, kept_net
from liteformer.accel.gateware.memory import BLOCK, DISTRIBUTED, apply_style

# Words of one LUT bank: a 256 x 1 ROM is four LUT6 and the slice's own multiplexers.
LOGIC_BANK = 256
# LUTs that one bit of a bank of a word takes, and LUTs of banks that one address register serves.
BIT_LUTS, NEAR_LUTS = LOGIC_BANK // 64, 128
# Bits of a word that one register gates.
NEAR_BITS = 48
LUT_INPUTS = 6


@dataclass(frozen=True)
class StreamPlan:
    """How a weight stream is stored: ``units`` block RAM units of ``unit_depth`` words, the rest in LUTs.

    ``spare_bits`` of each unit's words together hold further banks of ``unit_depth`` words, as far as they go.
    """

    units: int = 0
    unit_depth: int = 512
    spare_bits: int = 0

    def spare_banks(self, width, words):
        """Banks of a stream of ``words`` words of ``width`` bits that spare bits hold: list of (words, bits of each)."""
        held, free, banks = self.units * self.unit_depth, self.units * self.spare_bits, []
        while held < words and free > 0:
            banks.append((min(self.unit_depth, words - held), min(width, free)))
            held, free = held + self.unit_depth, free - width
        return banks


class WeightStream(LiteXModule):
    """ROM of ``len(words)`` words of ``width`` bits; ``address`` in cycle t gives ``data`` in cycle t + 3, ``direct`` in t + 2.

        address --> registers --+--> block RAM units --> data bits, zero where not addressed ---+
                                |                   +-> spare bits of all, gated ---------------+--> OR --> data
                                +--> LUT banks of 256 words --> register, zero if not addressed +

    Registers near the memories keep the address, which would drive hundreds of LUTs. A memory's register is reset while another
    one is addressed, which costs no LUT in block RAM nor in flip-flops.

    Args:
        width; words: list of ints; plan: StreamPlan.
        direct: ``data`` is the selected bank itself and no register behind it; for streams in LUTs only.
    """

    autocsr_exclude = {"memories"}

    def __init__(self, width, words, plan, direct=False):
        self.address  = Signal(max=max(len(words), 2))
        self.data     = Signal(width, reset_less=True)
        self.memories = []

        # # #

        words  = list(words) + [0] * (2 - len(words))
        depth  = plan.unit_depth
        stored = plan.units * depth
        spare  = [(words[stored + index * depth:][:count], taken)
                  for index, (count, taken) in enumerate(plan.spare_banks(width, len(words)))]
        rest   = stored + len(spare) * depth
        data, slices = self._units(width, words, plan, spare) if plan.units else ([], [])
        # LUT banks beside the spare bits and of all that is left.
        logic  = [Cat(Constant(0, taken), self._logic([word >> taken for word in bank], width - taken, stored + index * depth))
                  for index, (bank, taken) in enumerate(spare) if taken < width]
        if rest < len(words):
            logic.append(self._logic(words[rest:], width, rest))
        if direct:
            word, = logic
            self.comb += self.data.eq(word)
        elif not spare:
            self.sync += self.data.eq(reduce(or_, data + logic))
        else:
            self._gate(width, plan, data, slices, [taken for _, taken in spare], logic)

    def _units(self, width, words, plan, spare):
        """Block RAMs: list of data bits of each, list of the spare bits of each."""
        depth    = plan.unit_depth
        low      = (depth - 1).bit_length()
        number   = self.address[low:]
        address  = kept_copy(self, self.address)
        # Side by side, the parts of the spare banks' words that the units hold.
        beside   = [sum((bank[row] & (1 << taken) - 1) << index * width for index, (bank, taken) in enumerate(spare)
                        if row < len(bank)) for row in range(depth)]
        # While a spare bank is addressed every unit answers.
        in_spare = (number >= plan.units) & (number < plan.units + len(spare))
        data, slices = [], []
        for unit in range(plan.units):
            content = [word | (beside[row] >> unit * plan.spare_bits & (1 << plan.spare_bits) - 1) << width
                       for row, word in enumerate(words[unit * depth:(unit + 1) * depth])]
            alone    = plan.units == 1 and len(words) <= depth
            answers  = in_spare | (number == unit) if spare else number == unit
            register = self._register(width + plan.spare_bits, content, BLOCK, depth, address[:low],
                                      None if alone else kept_copy(self, ~answers))
            data.append(register[:width])
            slices.append(register[width:])
        return data, slices

    def _register(self, width, content, style, depth, address, elsewhere):
        """Register of a memory's addressed word, zero where ``elsewhere``, a Signal or None; synthesis makes it the block's."""
        memory = Memory(width, depth, init=content)
        apply_style(memory, style, writable=False)
        port     = memory.get_port(async_read=True)
        register = Signal(width, reset_less=True)
        self.specials += memory, port
        self.memories.append(memory)
        self.comb += port.adr.eq(address)
        self.sync += register.eq(port.dat_r)
        if elsewhere is not None:
            self.sync += If(elsewhere, register.eq(0))
        return register

    def _logic(self, content, width, offset=0):
        """LUT banks of the words from ``offset`` on, reduced to one word, which is zero while no word of them is addressed."""
        low   = LOGIC_BANK.bit_length() - 1
        banks = [content[first:first + LOGIC_BANK] for first in range(0, len(content), LOGIC_BANK)]
        banks[-1] += [0] * (2 - len(banks[-1]))
        alone = len(self.address) <= low
        elsewhere = [None if alone else kept_copy(self, self.address[low:] != (offset >> low) + index)
                     for index in range(len(banks))]
        near  = max(1, NEAR_LUTS // (BIT_LUTS * len(banks)))
        parts = []
        for first in range(0, width, near):
            address, bits = kept_copy(self, self.address[:low]), min(near, width - first)
            parts.append(reduce(or_, (
                self._register(bits, [word >> first & (1 << bits) - 1 for word in bank], DISTRIBUTED, len(bank), address, other)
                for bank, other in zip(banks, elsewhere))))
        return Cat(*parts)

    def _gate(self, width, plan, data, slices, taken, logic):
        """``data`` of units with spare bits, of whose banks ``taken`` bits each are stored."""
        number = kept_copy(self, self.address[(plan.unit_depth - 1).bit_length():])
        for first in range(0, width, NEAR_BITS):
            near   = slice(first, min(first + NEAR_BITS, width))
            bits   = near.stop - near.start
            # Copies serve as many bits as a net should drive.
            direct = kept_copy(self, number < plan.units)
            units  = [reduce(or_, (word[near] for word in data[i:i + LUT_INPUTS])) for i in range(0, len(data), LUT_INPUTS)]
            # Left alone they become a chain.
            units  = [kept_net(self, group) for group in units] if len(units) > 1 else units
            terms  = [Replicate(direct, bits) & reduce(or_, units)]
            for index, stored in enumerate(taken):
                chosen = kept_copy(self, number == plan.units + index)
                held   = Cat(*slices)[index * width:index * width + stored][near]
                terms += [Replicate(chosen, len(held)) & held] if len(held) else []
            self.sync += self.data[near].eq(reduce(or_, terms + [word[near] for word in logic]))
