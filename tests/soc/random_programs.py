# SPDX-License-Identifier: BSD-2-Clause
"""Random RV32I programs for ``programs.c``, as assembly: few registers, so that most instructions depend on the last ones."""

import random

IMMEDIATE = ("addi", "slti", "sltiu", "xori", "ori", "andi")
SHIFTS = ("slli", "srli", "srai")
REGISTER = ("add", "sub", "sll", "slt", "sltu", "xor", "srl", "sra", "or", "and")
BRANCHES = ("beq", "bne", "blt", "bge", "bltu", "bgeu")
LOADS = {"lb": 1, "lbu": 1, "lh": 2, "lhu": 2, "lw": 4}
STORES = {"sb": 1, "sh": 2, "sw": 4}
VALUES = (0, 1, -1, 2, 31, 32, 0x7FFFFFFF, -0x80000000, 0x12345678, -0x6789ABCD, 0xFF, 0x8000, 0xFFFF)
SCRATCH = 64  # Bytes that x2 points to.
OWN_REGISTERS = ("mie", "0xbc0")  # Whose values no interrupt changes.
LENGTH = 100


class Program:
    """Assembly in ``lines``. ``traps``: instructions that trap are among the others. ``status``: so are mepc and mstatus, which
    an interrupt changes."""

    def __init__(self, seed, traps=False, status=False):
        self.random, self.name, self.labels = random.Random(seed), f"program_{seed}", 0
        self.interruptible = not status
        self.lines = [f"{self.name}:"]
        # x2 stays; the last two are pointers and counters.
        *self.pool, self.pointer, self.counter = self.random.sample([1, *range(3, 32)], 7)
        kinds = [(self.compute, 12), (self.load, 5), (self.store, 5), (self.by_pointer, 3), (self.branch, 4), (self.loop, 2),
                 (self.jump, 2), (self.indirect, 2), (self.load_and_use, 4)]
        kinds += [(self.trap, 6)] * traps + [(self.status_register, 4) if status else (self.own_register, 1)]
        self.kinds, self.weights = zip(*kinds, strict=True)
        for _ in range(3):
            self.add(f"li {self.any()}, {self.random.choice(VALUES)}")
        while len(self.lines) < LENGTH:
            self.random.choices(self.kinds, self.weights)[0]()
        self.add("j finish")

    def add(self, line):
        self.lines.append(f"\t{line}")

    def any(self):
        """A register to write."""
        return f"x{self.random.choice(self.pool)}"

    def source(self):
        return f"x{self.random.choice((*self.pool, *self.pool, 0, 2))}"

    def label(self):
        self.labels += 1
        return f"{self.name}_{self.labels}"

    def few(self, least, most):
        for _ in range(self.random.randint(least, most)):
            self.random.choice((self.compute, self.compute, self.load, self.store))()

    def compute(self):
        kind = self.random.randrange(8)
        if kind < 4:
            self.add(f"{self.random.choice(REGISTER)} {self.any()}, {self.source()}, {self.source()}")
        elif kind < 6:
            self.add(f"{self.random.choice(IMMEDIATE)} {self.any()}, {self.source()}, {self.random.randint(-2048, 2047)}")
        elif kind < 7:
            self.add(f"{self.random.choice(SHIFTS)} {self.any()}, {self.source()}, {self.random.randrange(32)}")
        else:
            self.add(f"{self.random.choice(('lui', 'auipc'))} {self.any()}, {self.random.randrange(1 << 20)}")

    def place(self, size):
        return self.random.randrange(SCRATCH // size) * size

    def load(self, target=None):
        name, size = self.random.choice(list(LOADS.items()))
        self.add(f"{name} {target or self.any()}, {self.place(size)}(x2)")

    def store(self):
        name, size = self.random.choice(list(STORES.items()))
        self.add(f"{name} {self.source()}, {self.place(size)}(x2)")

    def load_and_use(self):
        """A load, at most two other instructions, and one that needs its value."""
        target = self.any()
        self.load(target)
        self.few(0, 2)
        self.add(f"{self.random.choice(REGISTER)} {self.any()}, {self.source()}, {target}")

    def by_pointer(self):
        """Access to an address that the instructions before have computed."""
        name, size = self.random.choice(list((LOADS | STORES).items()))
        pointer = f"x{self.pointer}"
        self.add(f"andi {pointer}, {self.source()}, {SCRATCH - size}")
        self.few(0, 2)
        self.add(f"add {pointer}, x2, {pointer}")
        self.few(0, 2)
        self.add(f"{name} {self.source() if name in STORES else self.any()}, 0({pointer})")

    def branch(self):
        label = self.label()
        self.add(f"{self.random.choice(BRANCHES)} {self.source()}, {self.source()}, {label}")
        self.few(0, 3)
        self.lines.append(f"{label}:")

    def loop(self):
        label = self.label()
        self.add(f"li x{self.counter}, {self.random.randint(1, 4)}")
        self.lines.append(f"{label}:")
        self.few(0, 4)
        self.add(f"addi x{self.counter}, x{self.counter}, -1")
        self.few(0, 2)
        self.add(f"bne x{self.counter}, x0, {label}")

    def jump(self):
        label = self.label()
        self.add(f"jal {self.random.choice((self.any(), 'x0'))}, {label}")
        self.few(0, 2)
        self.lines.append(f"{label}:")

    def indirect(self):
        """A jump to a computed address; its lowest bit counts for nothing."""
        label, pointer, odd = self.label(), f"x{self.pointer}", self.random.randrange(2)
        self.add(f"la {pointer}, {label}")
        self.few(0, 2)
        self.add(f"jalr {self.random.choice((self.any(), pointer))}, {odd}({pointer})")
        self.few(0, 2)
        self.lines.append(f"{label}:")

    def own_register(self, names=OWN_REGISTERS):
        name, kind = self.random.choice(names), self.random.choice(("csrrw", "csrrs", "csrrc"))
        if self.random.randrange(2):
            self.add(f"{kind} {self.any()}, {name}, {self.source()}")
        else:
            self.add(f"{kind}i {self.any()}, {name}, {self.random.randrange(32)}")

    def status_register(self):
        """mstatus may enable interrupts, since none is enabled in mie."""
        self.own_register(("mepc",))
        self.add("csrw mie, x0")
        self.own_register(("mstatus",))

    def trap(self):
        """An instruction that traps, sometimes right behind an access that is still under way."""
        self.few(0, 1)
        pointer = f"x{self.pointer}"
        kind = self.random.randrange(5)
        if kind == 0:
            self.add(f".word {self.random.choice((0, 0xFFFFFFFF, 0x0000302B))}")
        elif kind == 1:
            name = self.random.choice([name for name, size in LOADS.items() if size > 1])
            self.add(f"{name} {self.any()}, {self.place(LOADS[name]) + 1}(x2)")
        elif kind == 2:
            name = self.random.choice([name for name, size in STORES.items() if size > 1])
            self.add(f"{name} {self.source()}, {self.place(STORES[name]) + 1}(x2)")
        elif kind == 3:
            self.add("ecall")
        else:
            self.add(f"la {pointer}, finish")
            self.add(f"jalr {self.any()}, 2({pointer})")


def assembly(programs):
    """One file with ``programs`` and the table that ``programs.c`` takes them from."""
    table = [f"\t.word {program.name}, {int(program.interruptible)}" for program in programs]
    return "\n".join(["\t.option norvc", "\t.section .rodata", "\t.balign 4", "\t.global programs", "programs:", *table,
                      "\t.word 0, 0", "\t.text", "\t.balign 4", *(line for program in programs for line in program.lines), ""])
