# SPDX-License-Identifier: BSD-2-Clause
"""A register between a CPU and what answers it on the bus."""

from migen import *

from litex.gen import *
from litex.soc.interconnect import wishbone


class RegisteredReply(LiteXModule):
    """Takes a CPU's accesses to a master of its own and hands the reply on from registers: an access takes a cycle more.

    The way from the address decoder and the acknowledge of a slave into the CPU's pipeline is cut.

    Args:
        bus: Wishbone interface that the CPU drives.
    Attributes:
        master: Wishbone interface with the same accesses, for the interconnect.
    """

    def __init__(self, bus):
        self.master = master = wishbone.Interface(data_width=bus.data_width, address_width=bus.address_width,
                                                  addressing=bus.addressing)

        # # #

        answered = Signal()
        self.comb += [
            answered.eq(bus.ack | bus.err),
            *(getattr(master, name).eq(getattr(bus, name)) for name in ("adr", "dat_w", "sel", "we", "cti", "bte")),
            # The CPU holds its request until it has seen the reply.
            master.cyc.eq(bus.cyc & ~answered),
            master.stb.eq(bus.stb & ~answered),
        ]
        self.sync += [
            bus.ack.eq(master.cyc & master.stb & master.ack),
            bus.err.eq(master.cyc & master.stb & master.err),
            bus.dat_r.eq(master.dat_r),
        ]
