# SPDX-License-Identifier: BSD-2-Clause
"""Clocks that a board's PLL makes."""

from migen import ClockDomain, Signal

from liteformer.accel.errors import LiteFormerError
from liteformer.soc.quiet import quiet

# Relative width of the bands in which a PLL's clock is looked for, and how many of them: 10 % below what is asked for.
BAND, BANDS = 5e-4, 100
# What a clock of the PLL may differ by where that very clock is asked for.
EXACT = 1e-9


def pll_clock(make_pll, oscillator, frequency):
    """The fastest clock, at most ``frequency``, that a PLL makes from the board's oscillator.

    Args:
        make_pll: callable without arguments, a LiteX PLL. oscillator, frequency: in Hz.
    Returns:
        float, Hz.
    Raises:
        LiteFormerError: none within 10 % below it.
    """
    for band in range(BANDS):
        try:
            with quiet():
                if band == 0:
                    return _made(make_pll(), oscillator, frequency, EXACT)
                return _made(make_pll(), oscillator, frequency * (1 - (2 * band - 1) * BAND), BAND)
        except (ValueError, AssertionError):
            continue
    raise LiteFormerError(f"the board's PLL makes no clock of {frequency / 1e6:g} MHz, nor one up to 10 % below, from "
                          f"{oscillator / 1e6:g} MHz; choose another --sys-clk-freq")


def _made(pll, oscillator, frequency, margin):
    """Frequency that a PLL really makes where ``frequency`` is asked of it."""
    pll.register_clkin(Signal(), oscillator)
    pll.create_clkout(ClockDomain("sys"), frequency, margin=margin)
    config = pll.compute_config()
    for name in ("clko0_freq", "clkout0_freq", "clkout_freq"):
        if name in config:
            return config[name]
    # Gowin's PLL multiplies and divides the oscillator only.
    return oscillator * config["fdiv"] / config["idiv"]
