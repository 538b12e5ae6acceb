# SPDX-License-Identifier: BSD-2-Clause
"""The output registers: the head's results, with the persistence skip where the model has one."""

from migen import *

from litex.gen import *

OUTPUT_BITS = 32


class OutputRegisters(LiteXModule):
    """Registers that hold the last inference's outputs.

        total, 32 bits --> + --> saturated to 32 bits --> output n
        skip n, 32 bits ---^ (persistence skip)

    Args:
        count: number of outputs.
        skips: list of signed 32-bit Signals to add, one per output; empty without persistence skip.
        write: Signal or expression; index: of the output written; total: its value, signed 32 bits.
    Attributes:
        outputs: list of signed 32-bit registers.
    """

    def __init__(self, count, skips, write, index, total):
        self.outputs = [Signal((OUTPUT_BITS, True)) for _ in range(count)]

        # # #

        for number, output in enumerate(self.outputs):
            value = total
            if skips:
                wide, value = Signal((OUTPUT_BITS + 1, True)), Signal((OUTPUT_BITS, True))
                sign = wide[-1]
                self.comb += [
                    wide.eq(total + skips[number]),
                    value.eq(wide),
                    If(sign != wide[-2], value.eq(Cat(Replicate(~sign, OUTPUT_BITS - 1), sign))),
                ]
            self.sync += If(write & (index == number), output.eq(value))
