# SPDX-License-Identifier: BSD-2-Clause
"""The way from the bus to registers of 8 or 16 bits, at the addresses of LiteX's csr.h: one part of a register in each word."""

from functools import partial

from migen import *

from litex.gen import *

from litex.soc.integration.soc import SoCRegion
from litex.soc.interconnect import csr_bus, wishbone


class WordBridge(LiteXModule):
    """A word of the bus for each part of a register; the upper bits of a word read as 0.

    LiteX 2024.12 bridges from a bus as wide as the registers. A converter then cuts each access of 32 bits into four, and the
    parts lie a byte apart, not a word as its C header, its register map and its documentation say.

    Args:
        csr: CSR bus, at most 32 bits. register: take an access from registers, see LiteX's Wishbone2CSR.
    Attributes:
        bus: Wishbone, 32 bits, word addressing.
    """

    def __init__(self, csr, register=False):
        self.bus = bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")

        # # #

        words = csr_bus.Interface(address_width=csr.address_width, data_width=bus.data_width)
        self.bridge = wishbone.Wishbone2CSR(bus, words, register=register)
        self.comb += [
            csr.adr.eq(words.adr),
            csr.re.eq(words.re),
            csr.we.eq(words.we),
            csr.dat_w.eq(words.dat_w),
            words.dat_r.eq(csr.dat_r),
        ]


def use_word_bridge(soc):
    """Let a SoC with registers of less than 32 bits have a WordBridge in place of LiteX's bridge, on any bus.

    Args:
        soc: LiteX SoC that is not finalized.
    """
    soc.add_csr_bridge = partial(_add_word_bridge, soc)


def _add_word_bridge(soc, name="csr", origin=None, register=False, with_register=False):
    """In place of ``SoC.add_csr_bridge``, whose last argument has another name in later LiteX."""
    csr = csr_bus.Interface(address_width=soc.csr.address_width, data_width=soc.csr.data_width)
    bridge = WordBridge(csr, register or with_register or getattr(soc, "csr_bridge_register", False))
    soc.add_module(name=f"{name}_bridge", module=bridge)
    decode = getattr(getattr(soc, "cpu", None), "csr_decode", True)
    region = SoCRegion(origin=origin, size=4 << soc.csr.address_width, cached=False, decode=decode)
    soc.bus.add_slave(name=name, slave=bridge.bus, region=region)
    soc.csr.add_master(name=name, master=csr)
    soc.add_config("CSR_DATA_WIDTH", soc.csr.data_width)
    soc.add_config("CSR_ALIGNMENT", soc.csr.alignment)
    soc.add_config(f"CSR_ORDERING_{soc.csr.ordering.upper()}")
