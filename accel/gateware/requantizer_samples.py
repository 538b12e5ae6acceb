# SPDX-License-Identifier: BSD-2-Clause
"""The first requantizer of the drain, which quantizes the raw samples of the window as well."""

from migen import *

from litex.gen import *

from liteformer.accel.gateware.requantizer import Requantizer
from liteformer.accel.numerics import RAW_BITS


class RequantizerWithSamples(LiteXModule):
    """A Requantizer with selected factors: sum and factor of the drain, or sample and multiplier of the window.

    A sample of ``RAW_BITS`` needs the wide port of the DSP block's multiplier. While a factor of the drain fits the narrow
    port, sums share the wide port with the samples. A wider factor occupies the wide port itself, so the ports are swapped:

        factor within the narrow port:  acc, raw ------> wide port       factor ---------------> narrow port
        factor wider:                   factor, raw ---> wide port       acc, raw_multiplier --> narrow port

    Multiplication commutes, so the results are the same. Timing is that of Requantizer.

    Args:
        hw: Hardware; factor_bits: width of the drain's factor.
        clamps: as for Requantizer, the last one that of samples.
        acc: the drain's sum, signed, ``pooled_bits`` at most.
        quantizing: Signal; a sample is quantized.
        raw, raw_multiplier: the sample, signed ``RAW_BITS``, and its multiplier, whose value fits the narrow port.
    Attributes:
        multiplier: the drain's factor, while a sample is quantized that sample's multiplier.
        clamp, awake: as in Requantizer; they count only while no sample is quantized.
        residual, residual_multiplier, offset, result, total: as in Requantizer.
    """

    def __init__(self, hw, factor_bits, clamps, acc, quantizing, raw, raw_multiplier):
        block = hw.dsp_block
        swap  = factor_bits > block.narrow
        wide, narrow = (factor_bits, max(block.narrow, hw.pooled_bits)) if swap else (hw.pooled_bits, factor_bits)
        self.unit = unit = Requantizer(max(RAW_BITS, wide), narrow, hw.residual_bits, hw.row_bits, hw.offset_bits, clamps,
                                       block, with_total=True)
        self.multiplier          = Signal((factor_bits, True))
        self.clamp               = Signal.like(unit.clamp)
        self.awake               = Signal()
        self.residual            = unit.residual
        self.residual_multiplier = unit.residual_multiplier
        self.offset              = unit.offset
        self.result, self.total  = unit.result, unit.total

        # # #

        if swap:
            sample_multiplier = Signal((block.narrow, True))
            self.comb += [
                sample_multiplier.eq(raw_multiplier),
                unit.acc.eq(Mux(quantizing, raw, self.multiplier)),
                unit.multiplier.eq(Mux(quantizing, sample_multiplier, acc)),
            ]
        else:
            self.comb += [
                unit.acc.eq(Mux(quantizing, raw, acc)),
                unit.multiplier.eq(self.multiplier),
            ]
        self.comb += [
            unit.clamp.eq(Mux(quantizing, len(clamps) - 1, self.clamp)),
            unit.awake.eq(self.awake | quantizing),
        ]
