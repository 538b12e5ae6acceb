# SPDX-License-Identifier: BSD-2-Clause
"""Coefficients of the energy estimate, with their sources. docs/energy.md explains them.

Dynamic power. Six published power reports of Vivado for routed 7-series designs (28 nm, 1.0 V, typical process, 25 C ambient)
state watts, resources and clock. Where a report names no simulation, Vivado assumes its default activity: 12.5 % of the clock
cycles change a signal (UG907, UG440). Energy for a resource and cycle is watts / (count x clock); what depends on activity is
divided by 12.5 %. The designs differ, and so do the results: *low*, *typical* and *high* are the quartiles over the reports.

Static power. XC7S25: 68 mW in the report below, 36 mW of it for the analog converter that the XC7S15 does not have (DS180); the
rest scaled to half the logic is 20 mW. Larger devices lie between the 68 mW of that report and the 84 to 103 mW of the two
XC7A100T ones. The range covers the part's spread and a junction up to some 50 C; above, leakage grows further.
"""

from dataclasses import dataclass

import numpy as np

from liteformer.accel.errors import LiteFormerError

DEFAULT_TOGGLE = 0.125  # Changes of a signal per clock cycle that Vivado assumes by default.


@dataclass(frozen=True)
class Range:
    """A figure with its uncertainty."""

    low: float
    typical: float
    high: float

    def __add__(self, other):
        return Range(self.low + other.low, self.typical + other.typical, self.high + other.high)

    def __mul__(self, factor):
        return Range(self.low * factor, self.typical * factor, self.high * factor)

    def rounded(self, digits=4):
        """JSON-able dict ``low``, ``typical``, ``high`` with that many significant digits."""
        return {name: float(f"{getattr(self, name):.{digits}g}") for name in ("low", "typical", "high")}


@dataclass(frozen=True)
class PowerReport:
    """Part of a published ``report_power`` of Vivado.

    Attributes:
        source: GitHub repository and file; part: FPGA; mhz: clock of most of the design. All powers in watts: ``clocks``,
        ``logic`` (LUTs and carry chains), ``signals``, ``bram``, ``dsp`` (None where the design has none); counts: ``ff``,
        ``lut``, ``nets``, ``bram36``, ``dsps``.
    """

    source: str
    part: str
    mhz: float
    clocks: float
    ff: int
    logic: float
    lut: int
    signals: float
    nets: int
    bram: float | None = None
    bram36: float = 0
    dsp: float | None = None
    dsps: int = 0


REPORTS = (
    PowerReport("ozkanerbatuhan/hft reports/power.rpt", "xc7z020-1", 125, 0.066, 11372, 0.139, 14361, 0.280, 27855,
                0.249, 98.5, 0.236, 192),
    PowerReport("CyrilHerzog/Signalgenerator output/post_route_power.rpt", "xc7z010-1", 50, 0.010, 2028, 0.050, 5147,
                0.032, 6603),
    PowerReport("NotCleo/TPU-Cores reports/power.rpt", "xc7a100t-1", 100, 0.025, 4567, 0.016, 4184, 0.051, 10757,
                0.127, 96, 0.056, 133),
    PowerReport("szuwei-yeh/rv32i-core vivado/power.rpt", "xc7a100t-1", 80, 0.038, 24427, 0.030, 31030, 0.033, 40739),
    PowerReport("yashag104/HW-AFDM-OTFS vivado/power.rpt", "xc7z020-1", 100, 0.014, 3813, 0.009, 2875, 0.012, 6400,
                0.006, 6.5, 0.009, 8),
    PowerReport("Bhashini-Jayathunga98/Spartan_P3_scripting output/post_route_power.rpt", "xc7s25-2", 50, 0.017, 12406,
                0.005, 7645, 0.008, 18271, 0.002, 38, 0.001, 3),
)


def _quartiles(field, count, toggle=1.0):
    """Range of picojoules for one of ``count`` and a cycle, or a change if ``toggle`` is the share of cycles with one."""
    found = [1e6 * getattr(report, field) / (getattr(report, count) * report.mhz * toggle) for report in REPORTS
             if getattr(report, field) is not None]
    return Range(*np.quantile(found, (0.25, 0.5, 0.75)).tolist())


# Picojoules. "clock": clock tree to one flip-flop, per cycle. "logic", "signal": one change of a LUT's output inside it and
# its carry chain, and on the net of a LUT or flip-flop. "bram36": an enabled cycle of a block. "dsp": a cycle of a DSP48E1
# whose operands change at the default rate, taken as proportional to their rate.
PICOJOULES = {"clock": _quartiles("clocks", "ff"), "logic": _quartiles("logic", "lut", DEFAULT_TOGGLE),
              "signal": _quartiles("signals", "nets", DEFAULT_TOGGLE), "bram36": _quartiles("bram", "bram36"),
              "dsp": _quartiles("dsp", "dsps")}

STATIC_MW = {"xc7s15": Range(15, 20, 35), "xc7s25": Range(25, 32, 68), "xc7s50": Range(50, 72, 110),
             "xc7a35t": Range(50, 72, 110)}

# Configuration of an XC7S15 from a quad SPI flash, FPGA and flash: 11.85 mJ with 66 MHz and a compressed bitstream, 475.56 mJ
# with the slowest settings, measured; configured and waiting without clock, supplies lowered: 24.0 mW, flash included. Qian,
# Cichiwskyj, Ling, Schiele, "Idle is the New Sleep", arXiv 2407.12027. Compared with its
# abstract alone: 475.56 / 11.85 is the 40.13 stated there, 24.0 mW for its 499.06 ms are 11.98 mJ.
CONFIGURATION_MJ = 11.85
MEASURED_IDLE_MW = 24.0


def static_power(device):
    """Range of the static power of a device in milliwatts.

    Raises:
        LiteFormerError: there is no figure for it.
    """
    if device not in STATIC_MW:
        raise LiteFormerError(f"no static power known for {device}; choose one of {', '.join(STATIC_MW)}")
    return STATIC_MW[device]
