# SPDX-License-Identifier: BSD-2-Clause
"""RV32I with machine mode traps, one instruction after the other: what VexRiscv must do, without its pipeline.

Source: The RISC-V Instruction Set Manual, volumes I and II. Where they leave a choice, VexRiscv's is taken: mtval is the
instruction for an illegal instruction and for ecall, and registers of its own.
"""

MASK = 0xFFFF_FFFF
ROM, RAM = 0x0000_0000, 0x1000_0000
MSTATUS, MIE, MTVEC, MEPC, MCAUSE, MTVAL, IRQ_MASK = 0x300, 0x304, 0x305, 0x341, 0x342, 0x343, 0xBC0
WRITABLE = {MSTATUS: 0x1888, MIE: 0x888, MTVEC: MASK & ~3, MEPC: MASK, IRQ_MASK: MASK}
JUMP_MISALIGNED, ILLEGAL, LOAD_MISALIGNED, STORE_MISALIGNED, ECALL = 0, 2, 4, 6, 11


def signed(value, bits=32):
    """The number that the lowest ``bits`` of ``value`` are in two's complement."""
    value &= (1 << bits) - 1
    return value - (value >> bits - 1 << bits)


class Trap(Exception):
    """An instruction that has no effect but a trap: ``cause``, ``value`` for mtval."""


class Machine:
    """ROM, RAM and a byte stream to write to.

    Args:
        image: bytes of the ROM, started at its beginning. uart: byte address to which a byte of the output is written.
            Other addresses read 0. ram_size: bytes.
    """

    def __init__(self, image, uart, ram_size):
        self.rom, self.ram, self.uart = bytes(image) + bytes(-len(image) % 4), bytearray(ram_size), uart
        self.registers, self.pc, self.output = [0] * 32, ROM, bytearray()
        self.csrs = dict.fromkeys((*WRITABLE, MCAUSE, MTVAL), 0) | {MSTATUS: 0x1800}
        self.instructions = 0

    def run(self, most):
        """Run until an instruction that jumps to itself, at most ``most`` instructions; returns the bytes sent."""
        while self.instructions < most:
            place = self.pc
            self.instructions += 1
            try:
                self.pc = self.step(int.from_bytes(self.rom[place:place + 4], "little"), place)
            except Trap as trap:
                self.pc = self._trap(place, *trap.args)
            if self.pc == place:
                return bytes(self.output)
        raise AssertionError(f"no end within {most} instructions")

    def _trap(self, place, cause, value):
        status = self.csrs[MSTATUS]
        self.csrs |= {MCAUSE: cause, MEPC: place, MTVAL: value, MSTATUS: 0x1800 | (status & 8) << 4}
        return self.csrs[MTVEC]

    def load(self, address, size):
        """``size`` bytes as an unsigned number."""
        if address % size:
            raise Trap(LOAD_MISALIGNED, address)
        for memory, origin in ((self.rom, ROM), (self.ram, RAM)):
            if origin <= address < origin + len(memory):
                return int.from_bytes(memory[address - origin:address - origin + size], "little")
        return 0

    def store(self, address, size, value):
        """The lowest ``size`` bytes of ``value``."""
        if address % size:
            raise Trap(STORE_MISALIGNED, address)
        if address == self.uart:
            self.output.append(value & 0xFF)
        elif RAM <= address < RAM + len(self.ram):
            self.ram[address - RAM:address - RAM + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def step(self, word, place):
        """Execute the instruction ``word`` at ``place``; returns the next one's place.

        Raises:
            Trap: it has no other effect.
        """
        opcode, number, kind = word & 0x7F, word >> 7 & 31, word >> 12 & 7
        one, two = self.registers[word >> 15 & 31], self.registers[word >> 20 & 31]
        immediate, after, result = signed(word >> 20, 12), place + 4, None
        if opcode == 0x37:
            result = word & 0xFFFF_F000
        elif opcode == 0x17:
            result = place + (word & 0xFFFF_F000)
        elif opcode == 0x6F:
            offset = word >> 31 << 20 | word & 0xFF000 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3FF) << 1
            result, after = place + 4, _target(place + signed(offset, 21))
        elif opcode == 0x67 and kind == 0:
            result, after = place + 4, _target(one + immediate & ~1)
        elif opcode == 0x63 and kind not in (2, 3):
            offset = word >> 31 << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 0x3F) << 5 | (word >> 8 & 0xF) << 1
            holds = (one == two, signed(one) < signed(two), one < two)[(0, 0, 0, 0, 1, 1, 2, 2)[kind]]
            after = _target(place + signed(offset, 13)) if holds != kind & 1 else after
        elif opcode == 0x03 and kind in (0, 1, 2, 4, 5):
            size = 1 << (kind & 3)
            result = self.load(one + immediate & MASK, size)
            result = result if kind & 4 else signed(result, 8 * size)
        elif opcode == 0x23 and kind <= 2:
            self.store(one + signed(word >> 25 << 5 | number, 12) & MASK, 1 << kind, two)
        elif opcode == 0x13 and (kind not in (1, 5) or word >> 25 in (0, 0x20 if kind == 5 else 0)):
            result = _compute(kind, kind == 5 and word >> 30, one, immediate & MASK)
        elif opcode == 0x33 and word >> 25 in (0, 0x20 if kind in (0, 5) else 0):
            result = _compute(kind, word >> 30, one, two)
        elif word == 0x3020_0073:
            status = self.csrs[MSTATUS]
            self.csrs[MSTATUS] = 0x80 | (status & 0x80) >> 4
            after = self.csrs[MEPC]
        elif word == 0x73:
            raise Trap(ECALL, word)
        elif opcode == 0x73 and kind not in (0, 4):
            result = self._csr(word >> 20, kind, word >> 15 & 31)
        elif opcode != 0x0F:
            raise Trap(ILLEGAL, word)
        if result is not None and number:
            self.registers[number] = result & MASK
        return after & MASK

    def _csr(self, address, kind, source):
        old, operand = self.csrs[address], source if kind & 4 else self.registers[source]
        new = (operand, old | operand, old & ~operand)[(kind & 3) - 1]
        if kind & 3 == 1 or source:
            self.csrs[address] = new & WRITABLE[address]
        return old


def _target(address):
    if address & 2:
        raise Trap(JUMP_MISALIGNED, address & MASK)
    return address


def _compute(kind, other, one, two):
    shift = two & 31
    return (one - two if other else one + two, one << shift, signed(one) < signed(two), one < two, one ^ two,
            signed(one) >> shift if other else one >> shift, one | two, one & two)[kind]
