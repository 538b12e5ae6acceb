# SPDX-License-Identifier: BSD-2-Clause
"""Longest paths between registers in a netlist that Yosys mapped to 7-series cells, block by block.

Delays are estimates before placement: those of the cells are rounded from AMD/Xilinx DS189 (Spartan-7, speed grade -1); a net
costs more the more inputs it drives. They rank paths; LUT levels and carry cells are exact.
"""

import math
import re
from dataclasses import dataclass

from liteformer.accel.devices import SERIES_7

# Nanoseconds through or out of a cell.
LUT, MUX, CARRY_IN, CARRY_THROUGH, CARRY_OUT = 0.12, 0.25, 0.40, 0.12, 0.25
CLOCK_TO_OUT = {"FD": 0.52, "RAMB": 2.45, "DSP": 0.43, "SRL": 1.60}
SETUP = {"FD": 0.10, "RAMB": 0.55, "SRL": 0.40, "RAM": 0.40}
# Inputs of a DSP48E1 to its next register, by the logic between: none, the multiplier, multiplier and adder.
DSP_OPERANDS = ("A", "B", "C", "D")
DSP_INPUT, DSP_MULTIPLY, DSP_MULTIPLY_ADD = 0.40, 2.80, 4.50
# A net by its loads: as routed 7-series designs have them, 0.8 to 2.8 ns with one load, 1.1 to 2.8 with 100, 5.5 with 800.
SLICE_FLIP_FLOPS = 8
NET, FANOUT, CROWD, CROWDED, LONGEST = SERIES_7.net_ps / 1000, 0.10, 64, 0.0045, 6.0

# Registers and ports by the first words of their names; the first match counts.
BLOCKS = (
    # With the registers of its two buses, which LiteX names by the SoC.
    ("CPU", r"VexRiscv|serv|(\w+_)?[id]bus_"), ("array", r"liteformercore_engine_matrixarray"),
    ("requantizers", r"liteformercore_engine_drain_(requantizer|unit)"), ("drain", r"liteformercore_engine_drain(?!sequencer)"),
    ("drain sequencer", r"liteformercore_engine_drainsequencer"),
    ("compute sequencer", r"liteformercore_engine_computesequencer"),
    ("softmax", r"liteformercore_engine_softmax|maxima|rates"), ("window", r"liteformercore_engine_window"),
    ("core", r"liteformercore|memory|sums|storage"),
)
CPU_BLOCK, OTHER = "CPU", "bus, UART, timer"
# Paths into and out of the domain of twice the clock, whose edges are half a period apart.
PUMPED_BLOCK, PUMPED_PORT = "pumped lanes, half a period", "sys2x_clk"
CLOCK_PINS = ("C", "CLK", "WCLK", "CLKARDCLK")


@dataclass(frozen=True)
class Path:
    """Longest path that ends in a block: LUT ``levels``, ``carries`` (CARRY4 cells), estimated ``ns``, names of the registers
    or ports at its ``start`` and ``end``."""

    block: str
    levels: int
    carries: int
    ns: float
    start: str
    end: str


def block_of(name):
    """The block that a register belongs to."""
    # LiteX prefixes some names with the place where the SoC was made, Yosys those of a flattened module.
    name = re.sub(r"^(\w*?(?=liteformercore)|\$flatten\\)", "", name)
    return next((block for block, pattern in BLOCKS if re.match(pattern, name)), OTHER)


class _Netlist:
    """Graph of net bits. ``arrival[bit]`` is (ns, levels, carries, start) of the slowest path to it; with ``starts``, names of
    cells, of the slowest from one of them, its ns negative where there is none."""

    def __init__(self, module, key, starts=None):
        self.cells, self.starts = module["cells"], starts
        self.key = key if starts is None else lambda way: (way[0] >= 0, key(way))
        self.names, self.driver, self.fanout = {}, {}, {}
        for name, net in module["netnames"].items():
            for index, bit in enumerate(net["bits"]):
                label = f"{name}[{index}]" if len(net["bits"]) > 1 else name
                if not net["hide_name"] and len(label) < len(self.names.get(bit, label + " ")):
                    self.names[bit] = label
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                output = cell["port_directions"].get(port) == "output"
                for index, bit in enumerate(bits):
                    if output:
                        self.driver[bit] = (name, port, index)
                    elif not isinstance(bit, str):
                        # The eight flip-flops of a slice share one wire for enable and one for reset.
                        share = 1 / SLICE_FLIP_FLOPS if cell["type"].startswith("FD") and port != "D" else 1
                        self.fanout[bit] = self.fanout.get(bit, 0) + share
        self.arrival = {}

    def net(self, bit):
        """Delay from a driver to an input outside its slice."""
        loads = max(self.fanout.get(bit, 1), 1)
        return min(LONGEST, NET + FANOUT * math.log2(loads) + CROWDED * max(0, loads - CROWD))

    def sources(self, bit):
        """Inputs that a bit depends on within its cell: list of (input bit, ns, levels, carries), where bit None stands for a
        register inside the cell; None for the output of a register or port."""
        if bit not in self.driver:
            return None
        name, port, index = self.driver[bit]
        cell = self.cells[name]
        kind, pins = cell["type"], cell["connections"]
        if kind.startswith("LUT"):
            return [(b, self.net(b) + LUT, 1, 0) for p, bits in pins.items() if p != "O" for b in bits]
        if kind == "CARRY4":
            leave = CARRY_OUT if port == "O" else 0
            ways = [(b, self.into_carry(b) + leave, 0, 1) for p in ("S", "DI") for b in pins[p][:index + 1]]
            return [*ways, *((b, CARRY_THROUGH + leave, 0, 1) for p in ("CI", "CYINIT") for b in pins[p])]
        if kind.startswith("MUXF"):
            return [(b, MUX, 0, 0) for p in ("I0", "I1") for b in pins[p]] + [(b, self.net(b) + MUX, 0, 0) for b in pins["S"]]
        if kind in ("INV", "IBUF", "OBUF", "BUFG"):
            return [(b, 0, 0, 0) for b in pins["I"]]
        if kind.startswith("RAM") and not kind.startswith("RAMB"):
            # Distributed RAM is read like a LUT; it is written at the clock edge.
            letter = port[-1] if port.startswith("DO") else ""
            address = pins.get(f"ADDR{letter}") or [b for p, bits in pins.items() if p.startswith(("A", "DPRA")) for b in bits]
            return [(b, self.net(b) + LUT, 1, 0) for b in address]
        if kind == "DSP48E1" and not (self.flag(name, "PREG") or self.flag(name, "MREG")):
            registers = self.dsp_registers(name)
            direct = [(b, self.net(b) + DSP_MULTIPLY_ADD, 0, 0) for p in DSP_OPERANDS if not registers[p] for b in pins[p]]
            return [*direct, *([(None, DSP_MULTIPLY_ADD, 0, 0)] if any(registers.values()) else [])]
        return None

    def flag(self, name, parameter):
        """A parameter of a cell that is zero or not."""
        return int(str(self.cells[name]["parameters"].get(parameter, "0")), 2) != 0

    def into_carry(self, bit):
        """Delay into a carry cell: from a LUT in front of it in the same slice, or from elsewhere through such a LUT."""
        beside = bit in self.driver and self.cells[self.driver[bit][0]]["type"].startswith("LUT")
        return CARRY_IN + (0 if beside else self.net(bit) + LUT)

    def label(self, bit):
        """A name for the register or port that drives a bit."""
        if bit in self.names:
            return self.names[bit]
        if bit not in self.driver:
            return "constant"
        name, _, _ = self.driver[bit]
        return self.cell_name(name)

    def cell_name(self, name):
        """A name for a cell that holds state: that of a net it drives, else its own."""
        cell = self.cells[name]
        driven = [self.names[b] for p, bits in cell["connections"].items() if cell["port_directions"].get(p) == "output"
                  for b in bits if b in self.names]
        return min(driven, key=len, default=name)

    def begin(self, bit):
        """Arrival at the output of a register or port."""
        if self.starts is not None and (bit not in self.driver or self.driver[bit][0] not in self.starts):
            return -math.inf, 0, 0, bit
        kind = self.cells[self.driver[bit][0]]["type"] if bit in self.driver else ""
        return next((ns for prefix, ns in CLOCK_TO_OUT.items() if kind.startswith(prefix)), 0.0), 0, 0, bit

    def at(self, target):
        """Slowest arrival at a bit, computed for everything in front of it."""
        stack, entered = [target], set()
        while stack:
            bit = stack[-1]
            if bit in self.arrival:
                stack.pop()
                continue
            ways = self.sources(bit)
            if ways is None:
                self.arrival[bit] = self.begin(bit)
                continue
            ways = [way for way in ways if not isinstance(way[0], str)]
            missing = [way[0] for way in ways if way[0] is not None and way[0] not in self.arrival]
            # Only a combinational loop leads back to a bit that is already being computed; the loop is cut there.
            if missing and bit not in entered:
                entered.add(bit)
                stack.extend(missing)
                continue
            here = (0.0, 0, 0, bit)
            known = [(self.arrival.get(b, here), *delay) for b, *delay in ways if b is None or b in self.arrival]
            self.arrival[bit] = max(((way[0] + ns, way[1] + lut, way[2] + carry, way[3]) for way, ns, lut, carry in known),
                                    default=here, key=self.key)
        return self.arrival[target]

    def ends(self):
        """Every input that a clock edge samples: (cell, bit, setup time)."""
        for name, cell in self.cells.items():
            kind, pins = cell["type"], cell["connections"]
            setups = None
            if kind.startswith("FD"):
                setups = dict.fromkeys(("D", "CE", "R", "S", "CLR", "PRE"), SETUP["FD"])
            elif kind == "DSP48E1":
                setups = self.dsp_setups(name)
            elif kind.startswith("RAMB"):
                setups = {port: SETUP["RAMB"] for port in pins if "CLK" not in port}
            elif kind.startswith("SRL"):
                setups = {"D": SETUP["SRL"], "CE": SETUP["SRL"]}
            elif kind.startswith("RAM"):
                written = ("DI", "WE", "ADDRD" if "ADDRD" in pins else "A")
                setups = {port: SETUP["RAM"] for port in pins if port.startswith(written)}
            for port, setup in (setups or {}).items():
                for bit in pins.get(port, ()) if cell["port_directions"].get(port) == "input" else ():
                    if not isinstance(bit, str):
                        yield name, bit, setup

    def dsp_registers(self, name):
        """Which operands of a DSP48E1 have a register at its input."""
        return {port: self.flag(name, f"{port}REG") for port in DSP_OPERANDS}

    def dsp_setups(self, name):
        """Setup times of a DSP48E1's operands: at their registers, or through the multiplier at the next ones."""
        if self.flag(name, "MREG"):
            multiply = DSP_MULTIPLY
        else:
            multiply = DSP_MULTIPLY_ADD if self.flag(name, "PREG") else None
        setups = {port: DSP_INPUT if registered or (port == "C" and multiply) else multiply
                  for port, registered in self.dsp_registers(name).items()}
        return {port: setup for port, setup in setups.items() if setup is not None}


def pumped_cells(module):
    """Names of the cells whose clock is that of the port ``PUMPED_PORT``."""
    clocks = set(module.get("ports", {}).get(PUMPED_PORT, {}).get("bits", ()))
    if not clocks:
        return set()
    # What the clock's buffers make of it, in any order.
    buffers = {cell["connections"]["O"][0]: cell["connections"]["I"][0] for cell in module["cells"].values()
               if cell["type"] in ("IBUF", "BUFG")}
    found = set()
    for name, cell in module["cells"].items():
        bit = next((cell["connections"][pin][0] for pin in CLOCK_PINS if cell["connections"].get(pin)), None)
        while bit in buffers:
            bit = buffers[bit]
        if bit in clocks:
            found.add(name)
    return found


def longest_paths(netlist, top):
    """The longest paths into each block: the slowest and, if it differs, the one with the most LUT levels.

    Args:
        netlist: what Yosys' ``write_json`` wrote of a flattened design; top: its module.
    Returns:
        list of Path, the slowest first.
    """
    module = netlist["modules"][top]
    paths = {*_longest(module, lambda way: way[:3]), *_longest(module, lambda way: (way[1], way[2], way[0]))}
    return sorted(paths, key=lambda path: (-path.ns, path.end))


def _longest(module, key):
    """For each block the path that maximises ``key`` of (ns, levels, carries, start); list of Path."""
    netlist, worst = _Netlist(module, key), {}
    pumped  = pumped_cells(module)
    leaving = _Netlist(module, key, pumped)
    for cell, bit, setup in netlist.ends():
        end = netlist.cell_name(cell)
        ways = [(PUMPED_BLOCK if cell in pumped else block_of(end), netlist.at(bit))]
        if pumped and cell not in pumped:
            ways.append((PUMPED_BLOCK, leaving.at(bit)))
        for block, (ns, levels, carries, start) in ways:
            found = (ns + netlist.net(bit) * (levels + carries == 0) + setup, levels, carries, start)
            if ns >= 0 and (block not in worst or key(found) > key(worst[block][0])):
                worst[block] = found, end
    return [Path(block, levels, carries, round(ns, 2), netlist.label(start), end)
            for block, ((ns, levels, carries, start), end) in worst.items()]
