# SPDX-License-Identifier: BSD-2-Clause
"""The models of the block RAMs against a second description of UG473, which knows bits only."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from liteformer.flow.measure import netlist

from .verilog import responses, written

CYCLES = 600
MODES = ("READ_FIRST", "WRITE_FIRST", "NO_CHANGE")


@dataclass
class Ram:
    """A block RAM as rows of bits. ``widths``: read A, read B, write A, write B; ``modes`` of A and B."""

    kind: str
    mode: str
    widths: tuple
    modes: tuple = ("READ_FIRST", "READ_FIRST")
    seed: int = 1
    data: np.ndarray = field(init=False)
    parity: np.ndarray = field(init=False)

    def __post_init__(self):
        rng, bits = np.random.default_rng(self.seed), 1 << (14 if self.kind == "RAMB18E1" else 15)
        self.half = 16 if self.kind == "RAMB18E1" else 32
        self.data, self.parity = rng.integers(0, 2, bits), rng.integers(0, 2, bits // 8)
        # Initial and reset values of the output latches, as words with the parity above the data.
        self.latches = {name: int(rng.integers(1 << 18)) for name in ("INIT_A", "INIT_B", "SRVAL_A", "SRVAL_B")}
        self.wide = self.mode == "SDP" and self.widths[0] == self.half * 2 * 9 // 8
        self.wide_write = self.mode == "SDP" and self.widths[3] == self.half * 2 * 9 // 8
        self.out = [self.latch("INIT", 0), self.latch("INIT", 1)]

    def latch(self, kind, port):
        """``(data, parity)`` bits of an attribute."""
        width = self.widths[port]
        values = [self.latches[f"{kind}_{name}"] for name in ("AB" if self.wide else "AB"[port])]
        data, parity = (width if width < 9 else width * 8 // 9), width // 9
        share = len(values)
        bits = [[value >> n & 1 for n in range((data + parity) // share)] for value in values]
        return ([b for part in bits for b in part[:data // share]], [b for part in bits for b in part[data // share:]])

    def verilog(self, name, number):
        """An instance, with its outputs in three words of the response: data of A, of B, parity of both."""
        words = [self.data[n:n + 256] for n in range(0, len(self.data), 256)]
        parities = [self.parity[n:n + 256] for n in range(0, len(self.parity), 256)]

        def constant(bits):
            return f"256'h{sum(int(bit) << n for n, bit in enumerate(bits)):x}"
        parameters = {f"INIT_{n:02X}": constant(bits) for n, bits in enumerate(words)}
        parameters |= {f"INITP_{n:02X}": constant(bits) for n, bits in enumerate(parities)}
        parameters |= {key: f"72'd{value}" for key, value in self.latches.items()}
        names = ("READ_WIDTH_A", "READ_WIDTH_B", "WRITE_WIDTH_A", "WRITE_WIDTH_B")
        parameters |= dict(zip(names, self.widths, strict=True)) | {"RAM_MODE": f'"{self.mode}"'}
        parameters |= {f"WRITE_MODE_{port}": f'"{mode}"' for port, mode in zip("AB", self.modes, strict=True)}
        half, enables, top = self.half, self.half // 8, 16 if self.half == 32 else 14
        values = ", ".join(f".{key}({value})" for key, value in parameters.items())
        base = 96 * number
        return f"""
{self.kind} #({values}) {name} (.CLKARDCLK(clk), .CLKBWRCLK(clk), .ENARDEN(stimulus[0]), .ENBWREN(stimulus[1]),
    .REGCEAREGCE(1'b0), .REGCEB(1'b0), .RSTRAMARSTRAM(stimulus[2]), .RSTRAMB(stimulus[3]), .RSTREGARSTREG(1'b0),
    .RSTREGB(1'b0), .ADDRARDADDR(stimulus[32 +: {top}]), .ADDRBWRADDR(stimulus[48 +: {top}]), .DIADI(stimulus[64 +: {half}]),
    .DIBDI(stimulus[96 +: {half}]), .DIPADIP(stimulus[128 +: {enables}]), .DIPBDIP(stimulus[132 +: {enables}]),
    .WEA(stimulus[4 +: {enables}]), .WEBWE(stimulus[8 +: {2 * enables}]), .DOADO(response[{base} +: {half}]),
    .DOBDO(response[{base + 32} +: {half}]), .DOPADOP(response[{base + 64} +: {enables}]),
    .DOPBDOP(response[{base + 68} +: {enables}]));
"""

    def places(self, width, address):
        """Slices of data and parity that an address stands for."""
        data = width if width < 9 else width * 8 // 9
        first = (address & len(self.data) - 1) // max(data, 1) * data
        return slice(first, first + data), slice(first // 8, first // 8 + width // 9)

    def written(self, port, word):
        """``(touched, data, touched parity, parity)``: what a port writes, over the whole memory."""
        width, enable = self.widths[2 + port], word[0] >> port & 1
        touched, data = np.zeros(len(self.data), bool), np.zeros_like(self.data)
        touched_parity, parity = np.zeros(len(self.parity), bool), np.zeros_like(self.parity)
        if width and enable:
            where, where_parity = self.places(width, word[1] >> 16 * port & 0xffff)
            pins = [[word[2 + one] >> n & 1 for n in range(self.half)] for one in (0, 1)]
            parities = [[word[4] >> 4 * one + n & 1 for n in range(self.half // 8)] for one in (0, 1)]
            bits = pins[0] + pins[1] if self.wide_write else pins[port]
            tops = parities[0] + parities[1] if self.wide_write else parities[port]
            enables = word[0] >> (8 if port else 4)
            for n in range(where.stop - where.start):
                touched[where.start + n], data[where.start + n] = enables >> n // 8 & 1, bits[n]
            for n in range(where_parity.stop - where_parity.start):
                touched_parity[where_parity.start + n], parity[where_parity.start + n] = enables >> n & 1, tops[n]
        return touched, data, touched_parity, parity

    def response(self):
        """The three words of the outputs."""
        words = [0, 0, 0]
        (a, pa), (b, pb) = self.out
        if self.wide:
            half, enables = self.half, self.half // 8
            a, b, pa, pb = a[:half], a[half:], pa[:enables], pa[enables:]
        for word, bits in ((0, a), (1, b), (2, list(pa) + [0] * (4 - len(pa)) + list(pb))):
            words[word] = sum(int(bit) << n for n, bit in enumerate(bits))
        return words

    def clock(self, word):
        """One rising edge of both clocks."""
        writes = [self.written(port, word) for port in (0, 1)]
        results = list(self.out)
        for port in (0, 1):
            width = self.widths[port]
            if not width or not word[0] >> port & 1:
                continue
            if word[0] >> 2 + port & 1:
                results[port] = self.latch("SRVAL", port)
                continue
            writing = self.widths[2 + port] and word[0] >> (8 if port else 4) & (0xff if port else 0xf) & (
                (1 << self.half // 8 * (1 + port)) - 1)
            if self.modes[port] == "NO_CHANGE" and writing:
                continue
            data, parity = self.data.copy(), self.parity.copy()
            if self.modes[port] == "WRITE_FIRST":
                touched, new, touched_parity, new_parity = writes[port]
                data[touched], parity[touched_parity] = new[touched], new_parity[touched_parity]
            if self.modes[1 - port] != "READ_FIRST":
                data[writes[1 - port][0]] ^= 1
                parity[writes[1 - port][2]] ^= 1
            where, where_parity = self.places(width, word[1] >> 16 * port & 0xffff)
            results[port] = list(data[where]), list(parity[where_parity])
        for target, at in ((self.data, 0), (self.parity, 2)):
            (a, b), (new_a, new_b) = (writes[0][at], writes[1][at]), (writes[0][at + 1], writes[1][at + 1])
            target[a] = new_a[a]
            target[b] = new_b[b]
            target[a & b] ^= 1
        self.out = results


RAMS = [
    ("RAMB18E1", "TDP", (18, 18, 18, 18)), ("RAMB18E1", "TDP", (9, 18, 18, 9), ("WRITE_FIRST", "WRITE_FIRST")),
    ("RAMB18E1", "TDP", (1, 4, 2, 18), ("NO_CHANGE", "WRITE_FIRST")), ("RAMB18E1", "TDP", (4, 1, 1, 0), MODES[:2]),
    ("RAMB18E1", "SDP", (36, 0, 0, 36)), ("RAMB18E1", "SDP", (36, 0, 0, 9), ("WRITE_FIRST", "WRITE_FIRST")),
    ("RAMB18E1", "SDP", (18, 0, 0, 36)), ("RAMB36E1", "TDP", (36, 36, 36, 36)),
    ("RAMB36E1", "TDP", (36, 9, 18, 36), ("NO_CHANGE", "NO_CHANGE")), ("RAMB36E1", "TDP", (2, 18, 9, 4), MODES[1:]),
    ("RAMB36E1", "TDP", (36, 36, 0, 0)), ("RAMB36E1", "SDP", (72, 0, 0, 72)),
    ("RAMB36E1", "SDP", (72, 0, 0, 18), ("WRITE_FIRST", "WRITE_FIRST")), ("RAMB36E1", "SDP", (36, 0, 0, 72)),
]


@pytest.fixture(scope="module")
def stimulus():
    """Few addresses, so that the ports meet; enables are mostly on, resets mostly off."""
    rng = np.random.default_rng(3)
    words = rng.integers(0, 1 << 32, (CYCLES, 5))
    words[:, 0] = (words[:, 0] & ~0xf) | (rng.random((CYCLES, 4)) < (0.8, 0.8, 0.1, 0.1)) @ (1 << np.arange(4))
    words[:, 1] = words[:, 1] & 0x007f007f | 0x80008000
    return words


def test_block_rams(tmp_path, stimulus):
    rams = [Ram(*entry, seed=number) for number, entry in enumerate(RAMS)]
    instances = "".join(ram.verilog(f"ram{number}", number) for number, ram in enumerate(rams))
    models = netlist.QUIET + netlist.FAMILIES["xc7"].own_path.read_text()
    design = written(tmp_path, f"{models}\nmodule bench(input clk, input [159:0] stimulus, output [{96 * len(rams) - 1}:0] "
                     f"response);\n{instances}\nendmodule\n")
    found = responses(design, stimulus, 3 * len(rams)).reshape(CYCLES, len(rams), 3)
    # Bits of a response that no pin drives.
    masks = [[(1 << ram.half) - 1] * 2 + [(1 << ram.half // 8) - 1 | ((1 << ram.half // 8) - 1) << 4] for ram in rams]
    met = np.zeros(len(rams), int)
    for cycle, words in enumerate(stimulus.tolist()):
        for number, ram in enumerate(rams):
            got = [int(value) & mask for value, mask in zip(found[cycle, number], masks[number], strict=True)]
            assert got == ram.response(), (RAMS[number], cycle)
            before = ram.out
            ram.clock(words)
            met[number] += before is not ram.out and before != ram.out
    assert (met > CYCLES // 12).all()
