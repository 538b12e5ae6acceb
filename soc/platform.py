# SPDX-License-Identifier: BSD-2-Clause
"""The platform without a board: a clock and a serial line, as ports of the top module."""

from litex.build.generic_platform import Pins, Subsignal
from litex.build.sim import SimPlatform

CLOCK = ("sys_clk", 0, Pins(1))

# Of twice the frequency and in phase, for pumped lanes.
PUMPED_CLOCK = ("sys2x_clk", 0, Pins(1))

# A serial line as a stream of bytes: "source" leaves the SoC, "sink" enters it.
STREAM = ("serial", 0,
    Subsignal("source_valid", Pins(1)),
    Subsignal("source_ready", Pins(1)),
    Subsignal("source_data",  Pins(8)),
    Subsignal("sink_valid",   Pins(1)),
    Subsignal("sink_ready",   Pins(1)),
    Subsignal("sink_data",    Pins(8)),
)

# A serial line as two wires.
WIRES = ("serial", 0, Subsignal("tx", Pins(1)), Subsignal("rx", Pins(1)))


def simulation_platform(uart="sim"):
    """A platform for simulation and for area figures.

    Args:
        uart: "sim" for a byte stream, "serial" for the two wires of a real UART.
    """
    return SimPlatform("SIM", [CLOCK, STREAM if uart == "sim" else WIRES], name="liteformer_soc")
