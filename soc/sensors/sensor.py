# SPDX-License-Identifier: BSD-2-Clause
"""Sensors that LiteX has a core for, next to the core: on a board, or simulated with what they are to measure."""

from functools import partial
from pathlib import Path

import numpy as np
from migen import ClockSignal, Instance, Record

from litex.soc.cores.bitbang import I2CMaster, I2CMasterSim
from litex.soc.cores.xadc import S7SystemMonitor

from liteformer.accel.errors import LiteFormerError

SENSORS = ("xadc", "i2c")
# What sw/sensor.h calls them.
COLUMNS = {"xadc": ("temperature", "vccint", "vccaux", "vccbram"), "i2c": ("temperature",)}
# The firmware that logs and watches.
APPLICATIONS = ("watch.c", "sensor.c")
ROM_SIZE = 8192
WITH_XADC = ("xc7s25", "xc7s50", "xc7a35t")  # The XC7S15 has none (DS180).

ROWS = 65535
CODE_BITS, CODES = 12, 4


def add_sensor(kind, soc, pads=None):
    """Give a SoC the register bank that sw/sensor.c reads.

    Args:
        kind: of SENSORS. soc: LiteX SoC. pads: of the I2C bus, ``scl`` and ``sda``.
    """
    if kind == "xadc":
        soc.xadc = S7SystemMonitor()
        return
    soc.i2c = I2CMaster(pads)
    for pull_up in ("scl_pup", "sda_pup"):
        if hasattr(pads, pull_up):
            soc.comb += getattr(pads, pull_up).eq(1)


def add_simulated_sensor(kind, soc):
    """The same with a model of the sensor, which measures what ``measuring`` wrote: the XADC below LiteX's core, or a TMP102 on
    the wires of LiteX's I2C master."""
    folder = Path(__file__).parent
    soc.platform.add_source(str(folder / "sensor_rows.v"))
    if kind == "xadc":
        soc.platform.add_source(str(folder / "xadc.v"))
        soc.xadc = S7SystemMonitor()
        return
    soc.platform.add_source(str(folder / "tmp102.v"))
    pads = Record(I2CMasterSim.pads_layout)
    soc.i2c = I2CMasterSim(pads)
    soc.specials += Instance("tmp102", i_clk=ClockSignal(), i_scl=pads.scl, i_sda=pads.sda_out & pads.sda_in,
                             o_sda_out=pads.sda_in)


def measuring(codes, period):
    """For ``Simulation(remake=...)``: what the simulated sensor measures.

    Args:
        codes: integers ``(rows, values)``, temperature first, 12 bits each, in two's complement where negative; at most
        4 values and 65,535 rows, of which the last one stays. period: clock cycles of a row.
    Raises:
        LiteFormerError: codes or period are out of range.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or not 1 <= codes.shape[1] <= CODES or not 1 <= len(codes) <= ROWS or not 1 <= period < 1 << 32:
        raise LiteFormerError(f"a simulated sensor takes 1 to {ROWS} rows of 1 to {CODES} codes, and a period from 1 cycle on")
    if codes.min() < -(1 << CODE_BITS - 1) or codes.max() >= 1 << CODE_BITS:
        raise LiteFormerError(f"a code of a simulated sensor does not fit {CODE_BITS} bits; check the temperatures' scale")
    lines = [f"{len(codes):04x}{period:08x}"]
    for row in codes % (1 << CODE_BITS):
        lines.append("".join(f"{code:03x}" for code in row).ljust(3 * CODES, "0"))
    return partial(_write, "\n".join(lines) + "\n")


def _write(text, design):
    # Where the simulation starts, the memories' images lie too.
    (design.top.parent / "sensor.init").write_text(text)
    return design
