# SPDX-License-Identifier: BSD-2-Clause
"""The weight memory: a stream of words read in order, in block RAM as far as available, the rest in LUTs."""


from dataclasses import dataclass
from functools import reduce
from operator import or_

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy, kept_net
from liteformer.accel.gateware.memory import BLOCK, DISTRIBUTED, apply_style, read_mode

# Words of one LUT bank: a 256 x 1 ROM is four LUT6 and the slice's own multiplexers.
LOGIC_BANK = 256
# LUTs that one bit of a bank of a word takes, and LUTs of banks that one address register serves.
BIT_LUTS, NEAR_LUTS = LOGIC_BANK // 64, 128
# Bits of a word whose banks one register selects.
NEAR_BITS = 48


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

        address --> registers --+--> block RAM units (data | spare bits) --> latch --+
                                |           spare bits of all units = more banks ---+--> bank multiplexer --> data
                                +--> LUT banks of 256 words ---------------> register+

    Registers near the memories keep the address, which would drive hundreds of LUTs.

    Args:
        width; words: list of ints; plan: StreamPlan.
        direct: ``data`` is the selected bank itself and no register behind it; for streams in one kind of memory only.
    """

    autocsr_exclude = {"memories"}

    def __init__(self, width, words, plan, direct=False):
        self.address  = Signal(max=max(len(words), 2))
        self.data     = Signal(width, reset_less=True)
        self.memories = []

        # # #

        self._block = kept_copy(self, self.address) if plan.units else None
        words   = list(words) + [0] * (2 - len(words))
        banks   = []
        offset  = plan.units * plan.unit_depth
        depth   = plan.unit_depth
        spare   = [(words[offset + index * depth:][:count], taken)
                   for index, (count, taken) in enumerate(plan.spare_banks(width, len(words)))]
        # Side by side, the parts of the spare banks' words that the units hold.
        beside  = [sum((bank[row] & (1 << taken) - 1) << index * width for index, (bank, taken) in enumerate(spare)
                       if row < len(bank)) for row in range(depth)]
        slices  = []
        for unit in range(plan.units):
            content = [word | (beside[row] >> unit * plan.spare_bits & (1 << plan.spare_bits) - 1) << width
                       for row, word in enumerate(words[unit * depth:(unit + 1) * depth])]
            data = self._bank(width + plan.spare_bits, content, BLOCK, depth)
            banks.append((depth, data[:width]))
            slices.append(data[width:])
        for index, (bank, taken) in enumerate(spare):
            parts = [Cat(*slices)[index * width:index * width + taken]]
            if taken < width:
                parts.append(self._logic([word >> taken for word in bank], width - taken, offset))
            banks.append((depth, Cat(*parts)))
            offset += depth
        # Every bank so far is as deep as a unit, so the upper address bits number the banks.
        rest = words[offset:]
        if rest:
            banks.append((0, self._logic(rest, width, offset)))
        if direct:
            (_, word), = banks
            self.comb += self.data.eq(word)
        else:
            self._select(banks, depth)

    def _bank(self, width, content, style, depth):
        """Read-only memory with one cycle of latency."""
        memory = Memory(width, depth, init=content)
        apply_style(memory, style, writable=False)
        port = memory.get_port(mode=read_mode(style))
        self.specials += memory, port
        self.memories.append(memory)
        self.comb += port.adr.eq(self._block[:(depth - 1).bit_length()])
        return port.dat_r

    def _logic(self, content, width, offset=0):
        """LUT banks of the words from ``offset`` on, reduced to one word per cycle after the address.

        The registers of the banks that are not addressed are reset, which costs nothing, and all are ORed.
        """
        low   = LOGIC_BANK.bit_length() - 1
        banks = [content[first:first + LOGIC_BANK] for first in range(0, len(content), LOGIC_BANK)]
        # One register for each bank says that another one is addressed.
        elsewhere = [kept_copy(self, self.address[low:] != (offset >> low) + index)
                     for index in range(len(banks))] if len(banks) > 1 else []
        near = max(1, NEAR_LUTS // (BIT_LUTS * len(banks)))
        return Cat(*(self._bits([[word >> first & (1 << near) - 1 for word in bank] for bank in banks],
                                min(near, width - first), kept_copy(self, self.address[:low]), elsewhere)
                     for first in range(0, width, near)))

    def _bits(self, banks, width, address, elsewhere):
        """``width`` bits of the addressed bank; a register of each, all ORed."""
        word = Constant(0, width)
        for index, bank in enumerate(banks):
            memory = Memory(width, max(len(bank), 2), init=bank + [0] * (2 - len(bank)))
            apply_style(memory, DISTRIBUTED, writable=False)
            port     = memory.get_port(async_read=True)
            register = Signal(width, reset_less=True)
            self.specials += memory, port
            self.memories.append(memory)
            self.comb += port.adr.eq(address)
            self.sync += register.eq(port.dat_r)
            if elsewhere:
                self.sync += If(elsewhere[index], register.eq(0))
            word = register if len(banks) == 1 else word | register
        return word

    def _select(self, banks, depth):
        if len(banks) == 1:
            self.sync += self.data.eq(banks[0][1])
            return
        # A register for each bank says that it is addressed; copies serve as many bits as a net should drive.
        index   = self._block >> (depth.bit_length() - 1)
        chosen  = [index == i for i in range(len(banks) - 1)]
        chosen.append(index >= len(banks) - 1)
        for first in range(0, len(self.data), NEAR_BITS):
            near = slice(first, min(first + NEAR_BITS, len(self.data)))
            here = [kept_copy(self, choice) for choice in chosen]
            terms = [Replicate(yes, near.stop - first) & bank[near] for yes, (_, bank) in zip(here, banks)]
            # A LUT takes three bits, each with its choice; left alone they become a chain.
            thirds = [kept_net(self, reduce(or_, terms[i:i + 3])) for i in range(0, len(terms), 3)]
            self.sync += self.data[near].eq(reduce(or_, thirds))
