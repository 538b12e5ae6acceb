# SPDX-License-Identifier: BSD-2-Clause
"""The boards: one file each, as in LiteX-Boards. LiteX is imported only when a board is loaded."""

from importlib import import_module

from liteformer.accel.errors import LiteFormerError

BOARDS = {
    "seeed_spartan_edge": "Seeed Studio Spartan Edge Accelerator, XC7S15-1, UART on connector J10",
    "elastic_node_v5": "Elastic Node V5, XC7S15-2, SPI from its RP2040",
    "arty_a7": "Digilent Arty A7-35, XC7A35T, UART over USB",
    "arty_s7": "Digilent Arty S7-25, XC7S25, UART over USB",
    "colorlight_i5": "Colorlight i5, LFE5U-25F, UART on the extension board",
    "ulx3s": "Radiona ULX3S, LFE5U-45F, UART over USB",
    "orangecrab": "OrangeCrab, LFE5U-25F, UART on the Feather pins",
    "tang_nano_20k": "Sipeed Tang Nano 20K, GW2AR-18, UART over USB",
    "icebreaker": "iCEBreaker, iCE40UP5K, UART over USB",
    "sim": "no board: ports for simulation with Verilator",
}


def check_board(name):
    """Raises LiteFormerError, which lists the boards, if there is none of this name."""
    if name not in BOARDS:
        raise LiteFormerError(f"no board {name}; choose one of {', '.join(BOARDS)}")


def load_board(name):
    """Module of a board.

    Returns:
        module with ``DEVICE`` (name of the FPGA, None for simulation), ``TOOLCHAINS``, ``LOADER`` (openFPGALoader's
        arguments), ``SERIAL`` (whether it has pins for a serial line), ``OSCILLATOR`` (Hz, None for simulation) and
        ``make_pll`` (callable, the PLL of its clock), ``Platform``, ``BaseSoC`` and ``main``.
    Raises:
        LiteFormerError: no such board.
    """
    check_board(name)
    return import_module(f"liteformer.boards.{name}")
