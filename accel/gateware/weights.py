# SPDX-License-Identifier: BSD-2-Clause
"""The weight memory: a stream of words read in order, in block RAM as far as available, the rest in LUTs."""


from dataclasses import dataclass

from migen import *

from litex.gen import *

from liteformer.accel.gateware.copies import kept_copy
from liteformer.accel.gateware.memory import BLOCK, DISTRIBUTED, apply_style, read_mode

# Words of one LUT bank: a 256 x 1 ROM is four LUT6 and the slice's own multiplexers.
LOGIC_BANK = 256
# Bits of a word in LUT banks that one address register serves.
NEAR_BITS = 32


@dataclass(frozen=True)
class StreamPlan:
    """How a weight stream is stored: ``units`` block RAM units of ``unit_depth`` words, the rest in LUTs.

    ``spare_bits`` of each unit's words hold a further ``unit_depth`` words together, where the stream needs them.
    """

    units: int = 0
    unit_depth: int = 512
    spare_bits: int = 0


class WeightStream(LiteXModule):
    """ROM of ``len(words)`` words of ``width`` bits; ``address`` in cycle t gives ``data`` in cycle t + 2, ``ahead`` in t + 3.

        address --+--> block RAM units (data | spare bits) --> latch --+
                  |         spare bits of all units = one more bank ---+--> bank multiplexer --> data
                  +--> LUT banks of 256 words ---------------> register+

    Args:
        width; words: list of ints; plan: StreamPlan.
        ahead: the address comes a cycle earlier, and registers near the memories keep it: one address drives hundreds of LUTs.
    """

    autocsr_exclude = {"memories"}

    def __init__(self, width, words, plan, ahead=False):
        self.address  = Signal(max=max(len(words), 2))
        self.data     = Signal(width, reset_less=True)
        self.memories = []

        # # #

        self._ahead = ahead
        self._block = self._near()
        words   = list(words) + [0] * (2 - len(words))
        banks   = []
        offset  = plan.units * plan.unit_depth
        spare   = words[offset:offset + plan.unit_depth] if plan.spare_bits else []
        depth   = plan.unit_depth
        slices  = []
        for unit in range(plan.units):
            low     = unit * plan.spare_bits
            content = []
            for index, word in enumerate(words[unit * depth:(unit + 1) * depth]):
                extra = spare[index] >> low & ((1 << plan.spare_bits) - 1) if index < len(spare) else 0
                content.append(word | extra << width)
            data = self._bank(width + plan.spare_bits, content, BLOCK, depth)
            banks.append((depth, data[:width]))
            slices.append(data[width:])
        if spare:
            known = Cat(*slices)[:width]
            taken = min(width, plan.units * plan.spare_bits)
            parts = [known[:taken]] if taken < width else [known]
            if taken < width:
                parts.append(self._logic([word >> taken for word in spare], width - taken, offset))
            banks.append((depth, Cat(*parts)))
            offset += depth
        # Every bank so far is as deep as a unit, so the upper address bits number the banks.
        rest = words[offset:]
        if rest:
            banks.append((0, self._logic(rest, width, offset)))
        self._select(banks, depth)

    def _near(self):
        """The address, or a register of its own that holds it."""
        return kept_copy(self, self.address) if self._ahead else self.address

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
        if width > NEAR_BITS:
            return Cat(self._logic([word & (1 << NEAR_BITS) - 1 for word in content], NEAR_BITS, offset),
                       self._logic([word >> NEAR_BITS for word in content], width - NEAR_BITS, offset))
        low, word, address = LOGIC_BANK.bit_length() - 1, None, self._near()
        for first in range(0, len(content), LOGIC_BANK):
            part   = content[first:first + LOGIC_BANK]
            memory = Memory(width, max(len(part), 2), init=part + [0] * (2 - len(part)))
            apply_style(memory, DISTRIBUTED, writable=False)
            port     = memory.get_port(async_read=True)
            register = Signal(width, reset_less=True)
            self.specials += memory, port
            self.memories.append(memory)
            self.comb += port.adr.eq(address[:low])
            self.sync += register.eq(port.dat_r)
            if len(content) > LOGIC_BANK:
                self.sync += If(address[low:] != (offset + first) >> low, register.eq(0))
            word = register if word is None else word | register
        return word

    def _select(self, banks, depth):
        if len(banks) == 1:
            self.sync += self.data.eq(banks[0][1])
            return
        index = Signal(len(self.address), reset_less=True)
        self.sync += [
            index.eq(self._block >> (depth.bit_length() - 1)),
            Case(index, {i: self.data.eq(bank) for i, (_, bank) in enumerate(banks[:-1])}
                 | {"default": self.data.eq(banks[-1][1])}),
        ]
