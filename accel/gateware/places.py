# SPDX-License-Identifier: BSD-2-Clause
"""Where the samples of a patch stand in the sample window's memory: their places rotate with every new sample."""

from migen import *

from litex.gen import *


class Places(LiteXModule):
    """Base addresses of two places, and what to add to an address of the program to read from the first place on.

    A row tile has ``hw.token_inputs`` words; the ``features`` words of a place are neighbours. ``advance`` turns the first
    place into the last one. A step reads the words one after the other, so it passes the end of the tile once:

        words of a tile   0 ... base - 1 | base ... token_inputs - 1
        read as k =     the last base of them | 0 ...

    Attributes:
        advance: pulse; start: pulse, an inference begins.
        issue, k: a word is addressed, DownCounter of those that follow in its pass.
        first, shifted: first word of place 0 and of place ``patch - stride``.
        rotation: to be added to the address of this cycle, as wide as the address.
    """

    def __init__(self, hw, issue, k, start, address_bits):
        inputs, last = hw.token_inputs, hw.token_inputs - hw.features
        self.advance  = Signal()
        self.first    = first = Signal(max=inputs)
        self.shifted  = Signal(max=inputs, reset=(hw.patch - hw.stride) * hw.features) if hw.stride < hw.patch else first
        self.rotation = Signal(address_bits)

        # # #

        wrapped, wraps = Signal(), Signal()
        self.comb += wraps.eq(Mux(issue, ~k.zero & (wrapped | (k.value == first)), wrapped) & ~start)
        self.sync += [
            wrapped.eq(wraps),
            self.rotation.eq(Mux(wraps, first - inputs, first)),
        ]
        for base in [first] if self.shifted is first else [first, self.shifted]:
            self.sync += If(self.advance, base.eq(Mux(base == last, 0, base + hw.features)))
