# SPDX-License-Identifier: BSD-2-Clause
"""The weight memory of a build whose model can be replaced: the same stream of words, from RAMs."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import choose
from liteformer.accel.gateware.memory import BLOCK, DISTRIBUTED, apply_style


class LoadableStream(LiteXModule):
    """RAM of ``len(words)`` words of ``width`` bits; ``address`` in cycle t gives ``data`` in cycle t + 2.

    Banks of ``plan.unit_depth`` words, the first ``plan.units`` of them in block RAM, the rest in LUTs.

    Args:
        width; words: list of ints, the first contents; plan: weights.StreamPlan without spare bits.
    Attributes:
        write_enable, write_address, write_data: one word per cycle.
    """

    autocsr_exclude = {"memories"}

    def __init__(self, width, words, plan):
        self.address       = Signal(max=max(len(words), 2))
        self.data          = Signal(width)
        self.write_enable  = Signal()
        self.write_address = Signal.like(self.address)
        self.write_data    = Signal(width)
        self.memories      = []

        # # #

        low   = (plan.unit_depth - 1).bit_length()
        banks = []
        for number, first in enumerate(range(0, len(words), plan.unit_depth)):
            content = list(words[first:first + plan.unit_depth])
            memory  = Memory(width, max(len(content), 2), init=content)
            apply_style(memory, BLOCK if number < plan.units else DISTRIBUTED, writable=True)
            read, write = memory.get_port(), memory.get_port(write_capable=True)
            self.specials += memory, read, write
            self.memories.append(memory)
            self.comb += [
                read.adr.eq(self.address[:low]),
                write.adr.eq(self.write_address[:low]),
                write.dat_w.eq(self.write_data),
                write.we.eq(self.write_enable & (self.write_address >> low == number)),
            ]
            banks.append(read.dat_r)
        index = Signal(max=max(len(banks), 2))
        self.sync += [
            index.eq(self.address >> low),
            choose(index, banks, self.data),
        ]
