# SPDX-License-Identifier: BSD-2-Clause
"""Base of the sequencers' proofs: a program of any instructions, written through the loader's port before the start."""

from migen import *

from liteformer.flow.prove.proof import Bench


class ProgramBench(Bench):
    """A sequencer that starts when its program is written: cycle n < ``length`` writes word n, the start follows.

    Args:
        sequencer: class of the module; hw: Hardware; fields: list of (name, bits) of its instruction, lowest first;
        length: instructions; after: cycles from the start that ``cycle`` still counts apart.
    Attributes:
        dut: the sequencer; cycle: counts from the first written word and stays at its end; decoded: for each instruction a dict
        of name -> Signal or slice.
    """

    def __init__(self, sequencer, hw, fields, length, after=0):
        super().__init__()
        width = sum(bits for _, bits in fields)
        active, address, write, data = Signal(), Signal(max=max(length, 2)), Signal(), self.input(Signal(width))
        self.dut = dut = sequencer(hw, [0] * length, (active, address, write, data))
        self.cycle = cycle = Signal(max=length + after + 8)
        words = [Signal(width) for _ in range(length)]
        self.sync += If(cycle != length + after + 3, cycle.eq(cycle + 1))
        self.comb += [active.eq(cycle < length), write.eq(cycle < length), address.eq(cycle), dut.start.eq(cycle == length + 2)]
        self.sync += [If(cycle == n, word.eq(data)) for n, word in enumerate(words)]
        self.decoded = []
        for word in words:
            values, low = {}, 0
            for name, bits in fields:
                values[name] = word[low:low + bits]
                low += bits
            self.decoded.append(values)

    def assume_of_instructions(self, conditions):
        """Assume what a program is like, from the cycle on in which each instruction is written.

        Args:
            conditions: callable (number, dict of the instruction) -> list of expressions.
        """
        for n, values in enumerate(self.decoded):
            self.assumed += [(self.cycle <= n) | one for one in conditions(n, values)]
