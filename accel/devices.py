# SPDX-License-Identifier: BSD-2-Clause
"""What the supported FPGAs hold, and what their families are made of.

Sources: AMD/Xilinx DS180 "7 Series FPGAs Data Sheet: Overview", tables of the Spartan-7 and Artix-7 families: a slice has four
LUT6; distributed RAM of the data sheet in Kb times 16 gives the LUTs usable as memory (64 bits each). Lattice FPGA-DS-02012
"ECP5 and ECP5-5G Family", table 1.1, LUT4 as nextpnr-ecp5 counts them (TRELLIS_COMB); FPGA-DS-02008 "iCE40 UltraPlus Family".
Gowin DS102 "GW2A series". Distributed RAM of the LUT4 families in Kb times 64 gives LUTs (16 bits each).
"""

from dataclasses import dataclass, field

from liteformer.accel.errors import LiteFormerError


@dataclass(frozen=True)
class DspBlock:
    """Hard multiplier of a family of FPGAs; all widths are of signed numbers.

    Attributes:
        wide, narrow: bits of the two ports of the multiplier.
        accumulator: bits of the accumulator behind it, 0 where synthesis uses none: then no lanes are made of the blocks.
    """

    wide: int
    narrow: int
    accumulator: int


# UG479, the 7 series.
DSP48E1 = DspBlock(wide=25, narrow=18, accumulator=48)
# MULT18X18D of the ECP5, MULT18X18 of Gowin: Yosys infers the product only.
MULT18 = DspBlock(wide=18, narrow=18, accumulator=0)
# SB_MAC16 of the iCE40 UltraPlus: likewise.
MULT16 = DspBlock(wide=16, narrow=16, accumulator=0)

# (words, bits) of the smallest block RAM: 18 Kb with parity, and the 4 Kb of the iCE40.
RAM_18K = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
RAM_4K = ((256, 16), (512, 8), (1024, 4), (2048, 2))


@dataclass(frozen=True)
class Family:
    """What the FPGAs of a family have in common.

    Attributes:
        name; router: program of its open router that a Python package brings, None if there is none.
        lut, cell: what synthesis calls a LUT, and what a packer counts; ram, rams_per_36: name of the block RAM that users
        know and how many of them make an entry of ``bram36``; ram_shapes: (words, bits) of half an entry; dsp: name.
        dsp_block: DspBlock. lutram: whether LUTs serve as RAM; without, memories outside block RAM are flip-flops.
        read_ports: of a block RAM; with one, a memory that is read from two sides is there twice.
        net_ps: a routed net with one load, by which synthesis weighs levels of LUTs against carry chains; None: its own idea.
        cpu: the CPU that an array leaves room for. cells, cells_of_ram: cells for a LUT6 of the 7-series estimate, and for
        one used as memory. fill: part of the cells up to which a placement can be expected.
    """

    name: str
    lut: str
    cell: str
    ram: str
    dsp: str
    dsp_block: DspBlock
    rams_per_36: int = 1
    ram_shapes: tuple = RAM_18K
    lutram: bool = True
    read_ports: int = 2
    cells: float = 1.0
    cells_of_ram: float = 1.0
    fill: float = 0.80
    net_ps: int | None = None
    cpu: str = "vexriscv"
    router: str | None = None


# An open placer had 2,033 cells of a design of 8,389 sites, by our own count, left in 2,000 slices and 538 in 2,448, and none
# in 2,700: on that line none is left from 2,609 slices, 10,436 sites, on, which the design fills to 80 %.
SERIES_7 = Family("7-series", "LUT6", "LUT sites", "BRAM36", "DSP48E1", DSP48E1, net_ps=900)
ECP5 = Family("ECP5", "LUT4", "TRELLIS_COMB", "DP16KD", "MULT18X18D", MULT18, rams_per_36=2, cells=1.8, cells_of_ram=2.4,
              fill=0.85, net_ps=900, router="nextpnr-ecp5")
GOWIN = Family("Gowin", "LUT4", "LUT4", "BSRAM", "MULT18X18", MULT18, rams_per_36=2, cells=1.75, cells_of_ram=1.4, fill=0.40,
               router="nextpnr-himbaechel")
ICE40 = Family("iCE40", "LUT4", "logic cells", "RAM4K", "SB_MAC16", MULT16, rams_per_36=2, ram_shapes=RAM_4K, lutram=False,
               read_ports=1, cells=2.44, fill=0.97, cpu="serv", router="nextpnr-ice40")


@dataclass(frozen=True)
class Device:
    """Capacity of one FPGA.

    Attributes:
        name; part: what the vendor's tool calls it, with package and speed grade.
        lut: LUTs of its family; lutram: those of them usable as memory; ff: flip-flops.
        bram36: pairs of the smallest block RAM, in the 7 series blocks of 36 Kb; dsp: DSP blocks; family: Family.
    """

    name: str
    part: str
    lut: int
    lutram: int
    ff: int
    bram36: int
    dsp: int
    family: Family = field(default=SERIES_7, repr=False)

    @property
    def dsp_block(self):
        """DspBlock of the family."""
        return self.family.dsp_block


DEFAULT_DEVICE = "xc7s15"  # Where nothing names one.

DEVICES = {device.name: device for device in (
    Device("xc7s15", "xc7s15ftgb196-1", 8_000, 2_400, 16_000, 10, 20),
    Device("xc7s25", "xc7s25csga324-1", 14_600, 5_000, 29_200, 45, 80),
    Device("xc7s50", "xc7s50csga324-1", 32_600, 9_600, 65_200, 75, 120),
    Device("xc7a35t", "xc7a35ticsg324-1L", 20_800, 6_400, 41_600, 50, 90),
    Device("lfe5u-12f", "LFE5U-12F-6BG381C", 12_144, 6_072, 12_144, 16, 28, ECP5),
    Device("lfe5u-25f", "LFE5U-25F-6BG381C", 24_288, 12_144, 24_288, 28, 28, ECP5),
    Device("lfe5u-45f", "LFE5U-45F-6BG381C", 43_848, 21_924, 43_848, 54, 72, ECP5),
    Device("lfe5u-85f", "LFE5U-85F-6BG381C", 83_640, 41_820, 83_640, 104, 156, ECP5),
    Device("gw2a-18", "GW2AR-LV18QN88C8/I7", 20_736, 2_592, 15_552, 23, 48, GOWIN),
    Device("ice40up5k", "ice40-up5k-sg48", 5_280, 0, 5_280, 15, 8, ICE40),
)}


def device(name):
    """The Device called ``name``.

    Raises:
        LiteFormerError: no such device; the message lists all devices.
    """
    if name not in DEVICES:
        raise LiteFormerError(f"no device {name}; choose one of {', '.join(DEVICES)}")
    return DEVICES[name]
