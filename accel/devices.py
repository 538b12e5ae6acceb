# SPDX-License-Identifier: BSD-2-Clause
"""What the supported FPGAs hold.

Source: AMD/Xilinx DS180 "7 Series FPGAs Data Sheet: Overview", tables of the Spartan-7 and Artix-7 families. A slice has four
LUT6; distributed RAM of the data sheet in Kb times 16 gives the LUTs usable as memory (64 bits each).
"""

from dataclasses import dataclass

from liteformer.accel.errors import LiteFormerError


@dataclass(frozen=True)
class DspBlock:
    """Hard multiplier of a family of FPGAs; all widths are of signed numbers.

    Attributes:
        wide, narrow: bits of the two ports of the multiplier.
        accumulator: bits of the accumulator behind it.
    """

    wide: int
    narrow: int
    accumulator: int


# UG479, the 7 series.
DSP48E1 = DspBlock(wide=25, narrow=18, accumulator=48)


@dataclass(frozen=True)
class Device:
    """Capacity of one FPGA.

    Attributes:
        name; part: what the vendor's tool calls it, with package and speed grade.
        lut: LUT6; lutram: those of them usable as memory; ff: flip-flops.
        bram36: blocks of 36 Kb; dsp: DSP blocks; dsp_block: what one of them is.
    """

    name: str
    part: str
    lut: int
    lutram: int
    ff: int
    bram36: int
    dsp: int
    dsp_block: DspBlock = DSP48E1


DEFAULT_DEVICE = "xc7s15"  # Where nothing names one.

DEVICES = {device.name: device for device in (
    Device("xc7s15", "xc7s15ftgb196-1", 8_000, 2_400, 16_000, 10, 20),
    Device("xc7s25", "xc7s25csga324-1", 14_600, 5_000, 29_200, 45, 80),
    Device("xc7s50", "xc7s50csga324-1", 32_600, 9_600, 65_200, 75, 120),
    Device("xc7a35t", "xc7a35ticsg324-1L", 20_800, 6_400, 41_600, 50, 90),
)}


def device(name):
    """The Device called ``name``.

    Raises:
        LiteFormerError: no such device; the message lists all devices.
    """
    if name not in DEVICES:
        raise LiteFormerError(f"no device {name}; choose one of {', '.join(DEVICES)}")
    return DEVICES[name]
