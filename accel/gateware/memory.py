# SPDX-License-Identifier: BSD-2-Clause
"""One-read, one-write memory with a registered output: two cycles from address to data."""

from migen import *

from litex.gen import *

BLOCK, DISTRIBUTED = "block", "distributed"

# Cycles from an address to its word.
ADDRESS_TO_DATA = 2


def apply_style(memory, style, writable):
    """Ask the synthesizer for block RAM or for LUTs; None leaves the choice to it."""
    # The schedule never reads a word in the cycle in which it is written.
    memory.attr = {("no_rw_check", 1)} if writable else set()
    if style == DISTRIBUTED and not writable:
        # A ROM in LUTs is plain logic to Yosys; Vivado makes distributed ROM of it anyway.
        memory.attr.add(("rom_style", "logic"))
    elif style:
        memory.attr.add(("ram_style" if writable else "rom_style", style))


def read_mode(style):
    """Where the first of two registers of a read port is, by ``style`` of the memory.

    A block RAM is left through its own register, so that another one can follow before any logic: 2.45 ns of a 7-series block
    are not part of a longer path. LUTs have the register at the address, which is narrower.
    """
    return WRITE_FIRST if style == DISTRIBUTED else READ_FIRST


class RegisteredMemory(LiteXModule):
    """Simple dual-port memory; maps to block RAM or distributed RAM.

    Interface: ``address`` in cycle t gives ``data`` in cycle t + 2; ``write_enable`` (one bit per ``granularity`` bits, lowest
    first), ``write_address``, ``write_data`` in cycle t are seen by addresses from cycle t + 1 on. Without ``writable`` it is
    a ROM. ``style`` is ``BLOCK``, ``DISTRIBUTED`` or None.
    """

    # LiteX would map the array into the CSR space.
    autocsr_exclude = {"memory"}

    def __init__(self, width, depth, init=None, writable=True, granularity=0, style=None):
        depth = max(depth, 2)
        self.address = Signal(max=depth)
        self.data    = Signal(width, reset_less=True)

        # # #

        self.memory = Memory(width, depth, init=init)
        apply_style(self.memory, style, writable)
        read        = self.memory.get_port(mode=read_mode(style))
        self.specials += self.memory, read
        self.comb += read.adr.eq(self.address)
        self.sync += self.data.eq(read.dat_r)
        if writable:
            write = self.memory.get_port(write_capable=True, we_granularity=granularity)
            self.specials += write
            self.write_address = Signal(max=depth)
            self.write_data    = Signal(width)
            self.write_enable  = Signal(len(write.we))
            self.comb += [
                write.adr.eq(self.write_address),
                write.dat_w.eq(self.write_data),
                write.we.eq(self.write_enable),
            ]
