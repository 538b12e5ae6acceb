# SPDX-License-Identifier: BSD-2-Clause
"""The design of arXiv 2407.11041 on the same FPGA: its published figures, and its power by the energy estimate as a check.
"""

from dataclasses import dataclass

from liteformer.flow.measure.energy import estimate_power
from liteformer.flow.measure.energy_coefficients import DEFAULT_TOGGLE


@dataclass(frozen=True)
class Published:
    """One configuration on AirU and the XC7S15: ``rmse`` in ppb (best of 50 sessions, chosen on the test set), ``ms`` and
    ``mj`` of an inference, ``clock_mhz``, ``cycles`` (their code simulated again)."""

    window: int
    d_model: int
    bits: int
    rmse: float
    ms: float
    mj: float
    clock_mhz: int
    cycles: int

    @property
    def power_mw(self):
        """Energy over time."""
        return round(1000 * self.mj / self.ms, 1)


DATA = "airu"  # The data set of the published errors.
PUBLISHED = (Published(12, 32, 4, 5.474, 1.33, 0.084, 125, 167_378), Published(6, 64, 8, 3.506, 2.82, 0.212, 100, 284_022),
             Published(12, 64, 6, 3.763, 4.61, 0.364, 125, 577_800))

# (12, 32, 4), their code synthesised again with Yosys: LUTs, LUTs as memory, block RAM; 20 of its 34 multipliers fit the chip's
# DSP blocks. Its flip-flops are not known: Vivado's reports in energy_coefficients have 0.94 for each LUT in the median.
LUTS, LUTRAM, BRAM36, DSPS, FF_PER_LUT = 3065, 848, 1.5, 20, 0.94
# Assumed, not measured: a layer instance works while all others wait without a change, except query, key and value in parallel:
# 12 d^2 n multiply-accumulates in 10 d^2 n cycles by 17 instances (8 linear, 2 products, softmax, 2 sums, 2 normalisations,
# ReLU, mean).
WORKING, LAYERS = 1.2, 17
LAYERS_RATE = DEFAULT_TOGGLE * WORKING / LAYERS


def row(window, d_model, bits):
    """The Published of a shape, None if the paper has none."""
    return next((one for one in PUBLISHED if (one.window, one.d_model, one.bits) == (window, d_model, bits)), None)


def modelled_area(published):
    """Resources of a published configuration, a dict of ``area.count``, scaled from the one that was synthesised.

    Logic scales with the width, buffers with window x width x channels up to the chip's 2,400 LUTs; there are as many block
    RAMs as the weights need and the chip has.
    """
    logic = LUTS * published.bits / 4
    buffers = min(LUTRAM * published.window * published.d_model * published.bits / (12 * 32 * 4), 2400)
    weights = (12 * published.d_model ** 2 + 22 * published.d_model) * published.bits
    bram = BRAM36 if published.d_model == 32 else min(-(-weights // 36_864), 10)
    lut = round(logic + buffers)
    return {"lut": lut, "lutram": round(buffers), "ff": round(FF_PER_LUT * lut), "bram36": bram, "dsp": DSPS}


def modelled_power(published, rate=LAYERS_RATE):
    """Power of a published configuration by the estimate, while its signals change at ``rate``."""
    return estimate_power({"all": modelled_area(published)}, {"all": rate}, "xc7s15", published.clock_mhz)


def inside(published, rate=LAYERS_RATE):
    """True if the published power lies between the low and the high estimate with signals that change at ``rate``."""
    power = modelled_power(published, rate).total
    return power.low <= published.power_mw <= power.high
