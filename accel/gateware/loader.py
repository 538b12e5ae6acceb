# SPDX-License-Identifier: BSD-2-Clause
"""The loader: writes and reads back the memories that hold a model, word by word over a 32-bit port."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.fabric import choose
from liteformer.accel.hardware import model_memories

PART_BITS = 32
# Cycles from a new address to the word read there standing in ``output``: latch, register, part, and one to spare.
READ_CYCLES = 4


def parts(width):
    """32-bit parts of a word."""
    return -(-width // PART_BITS)


class ModelLoader(LiteXModule):
    """Accesses one memory at a time, from its first word on.

        select ----> memory number, its first address and first part
        push ------> shift register of 32-bit parts, lowest first --(last part of a word)--> write, next address
        take ------> next part of the word at the address; after its last part, the next address

    Args:
        memories: list of (width, first address, data read two cycles after the address).
    Attributes:
        select with number; push with input (32 bits); take: pulses. A number past the last memory closes the loader.
        active: a memory is open: its address is the loader's; waiting: ``output`` is not valid yet.
        address; write: list of pulses, one per memory; data: list of Signals, the word to write; output: 32 bits.
    """

    def __init__(self, memories):
        widths = [width for width, _, _ in memories]
        counts = [parts(width) for width in widths]
        firsts = [sum(counts[:n]) for n in range(len(counts))]
        self.select, self.push, self.take = Signal(), Signal(), Signal()
        self.number  = Signal(max=256)
        self.input   = Signal(PART_BITS)
        self.output  = Signal(PART_BITS)
        self.active  = Signal()
        self.waiting = Signal()
        self.address = Signal(16)
        self.write   = [Signal() for _ in memories]

        # # #

        shifted  = Signal(max(counts) * PART_BITS)
        current  = Signal(max=max(len(memories), 2))
        first    = Signal(max=max(sum(counts), 2))
        part     = Signal.like(first)
        last     = Signal(max=max(max(counts), 2))
        left     = Signal.like(last)
        writing  = Signal()
        settling = Signal(max=READ_CYCLES + 1)
        pieces   = [data[low:low + PART_BITS] for width, _, data in memories for low in range(0, width, PART_BITS)]
        self.data = [shifted[-count * PART_BITS:][:width] for count, width in zip(counts, widths)]
        self.comb += [
            self.waiting.eq(settling != 0),
            *(write.eq(writing & (current == n)) for n, write in enumerate(self.write)),
        ]
        moved = self.push | self.take
        self.sync += [
            If(self.active, choose(part, pieces, self.output)),
            If(settling != 0, settling.eq(settling - 1)),
            writing.eq(self.push & (left == 0)),
            If(self.push, shifted.eq(Cat(shifted[PART_BITS:], self.input))),
            If(moved,
                settling.eq(READ_CYCLES),
                If(left == 0, left.eq(last), part.eq(first)).Else(left.eq(left - 1), part.eq(part + 1)),
            ),
            If(writing | (self.take & (left == 0)), self.address.eq(self.address + 1)),
            If(self.select,
                settling.eq(READ_CYCLES),
                self.active.eq(self.number < len(memories)),
                current.eq(self.number),
                Case(self.number, {n: [first.eq(firsts[n]), part.eq(firsts[n]), last.eq(counts[n] - 1),
                                       left.eq(counts[n] - 1), self.address.eq(start)]
                                   for n, (_, start, _) in enumerate(memories)}),
            ),
        ]


class EngineLoader(ModelLoader):
    """The loader of an engine's memories.

    Args:
        hw: Hardware; images: dict of memory contents.
    Attributes:
        read: name -> Signal to drive with the word at the loader's address, two cycles behind it.
    """

    def __init__(self, hw, images):
        memories   = model_memories(hw, len(images["compute"]), len(images["drain"]))
        self.names = [name for name, *_ in memories]
        self.read  = {name: Signal(width, name=f"read_{name}") for name, _, width, _ in memories}
        super().__init__([(width, first, self.read[name]) for name, _, width, first in memories])

    def port(self, name):
        """``(active, address, write, data)`` of one memory."""
        number = self.names.index(name)
        return self.active, self.address, self.write[number], self.data[number]
