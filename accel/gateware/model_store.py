# SPDX-License-Identifier: BSD-2-Clause
"""Which model a loadable build holds, and the bus side of its loader."""

from migen import *

from litex.gen import *

# Words of the window, counted from the store's first one.
SELECT, DATA, MODEL_ID, CHECKSUM, COMPLETE = range(5)
WORDS = 8


class ModelStore(LiteXModule):
    """Registers in front of a ModelLoader.

    Nothing here is reset with the rest: after a reset in the middle of a transfer the model is still incomplete.

    Args:
        loader: ModelLoader; model_id, checksum: of the model in the memories' first contents, 32 bits each.
    Attributes:
        write with word (3 bits) and input (32 bits), read with word: pulses, not while waiting; output: 32 bits, of ``word``.
        model_id, checksum; complete: the memories hold the whole model.
    """

    def __init__(self, loader, model_id, checksum):
        self.write, self.read = Signal(), Signal()
        self.word     = Signal(max=WORDS)
        self.input    = Signal(32)
        self.output   = Signal(32)
        self.waiting  = loader.waiting
        self.model_id = Signal(32, reset=model_id, reset_less=True)
        self.checksum = Signal(32, reset=checksum, reset_less=True)
        self.complete = Signal(reset=1, reset_less=True)

        # # #

        self.comb += [
            loader.number.eq(self.input),
            loader.input.eq(self.input),
            loader.select.eq(self.write & (self.word == SELECT)),
            # A complete model can only be read.
            loader.push.eq(self.write & (self.word == DATA) & ~self.complete),
            loader.take.eq(self.read & (self.word == DATA)),
            Case(self.word, {
                MODEL_ID: self.output.eq(self.model_id),
                CHECKSUM: self.output.eq(self.checksum),
                COMPLETE: self.output.eq(self.complete),
                "default": self.output.eq(loader.output),
            }),
        ]
        self.sync += If(self.write, Case(self.word, {
            MODEL_ID: self.model_id.eq(self.input),
            CHECKSUM: self.checksum.eq(self.input),
            COMPLETE: self.complete.eq(self.input[0]),
        }))
