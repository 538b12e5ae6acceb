# SPDX-License-Identifier: BSD-2-Clause
"""Migen's simulator with the design's statements compiled to Python, several times as fast as its interpreter.

Migen evaluates every combinatorial statement again until nothing changes, node by node. Here all of them become one Python
function, and all of a clock domain another; everything else (memories, resets, generators, time) is Migen's own.
"""

from migen.fhdl.bitcontainer import value_bits_sign
from migen.fhdl.structure import (
    Case,
    Cat,
    ClockSignal,
    Constant,
    If,
    Replicate,
    ResetSignal,
    Signal,
    _ArrayProxy,
    _Assign,
    _Operator,
    _Part,
    _Slice,
)
from migen.fhdl.tools import list_clock_domains
from migen.sim.core import Simulator, _MemoryLocation

from liteformer.accel.gateware.copies import KeptNet, KeptRegister, SimulatedKept
from liteformer.accel.gateware.pumped import PUMPED

INDENT = "\t"
# (period, time that has passed of it) of each domain: they rise together.
CLOCKS = {"sys": (4, 0), PUMPED: (2, 1)}


class _Compiler:
    """Source of a function that executes statements on an Evaluator's ``signal_values`` (sv) and ``modifications`` (m)."""

    def __init__(self, evaluator):
        self.evaluator = evaluator
        self.values    = evaluator.signal_values
        self.names     = {"sv": self.values, "m": evaluator.modifications, "get": evaluator.modifications.get}

    def function(self, statements):
        """Callable without arguments that does what ``evaluator.execute(statements)`` does."""
        self.lines = ["def run(sv=sv, m=m, get=get):"]
        self._block(statements, 1)
        exec("\n".join(self.lines), self.names)
        return self.names["run"]

    # Statements -----------------------------------------------------------------------------------

    def _line(self, depth, text):
        self.lines.append(INDENT*depth + text)

    def _block(self, statements, depth):
        before = len(self.lines)
        for statement in statements:
            self._statement(statement, depth)
        if len(self.lines) == before:
            self._line(depth, "pass")

    def _statement(self, statement, depth):
        if isinstance(statement, _Assign):
            self._assign(statement.l, self.value(statement.r), depth)
        elif isinstance(statement, If):
            self._line(depth, f"if {self.value(statement.cond)} & {_mask(len(statement.cond))}:")
            self._block(statement.t, depth + 1)
            if statement.f:
                self._line(depth, "else:")
                self._block(statement.f, depth + 1)
        elif isinstance(statement, Case):
            self._case(statement, depth)
        elif isinstance(statement, (tuple, list)):
            for part in statement:
                self._statement(part, depth)
        else:
            raise TypeError(f"no statement or value that can be simulated: {statement}")

    def _case(self, statement, depth):
        test = f"test{depth}"
        self._line(depth, f"{test} = {_truncated(self.value(statement.test), *value_bits_sign(statement.test))}")
        word = "if"
        for key, body in statement.cases.items():
            if isinstance(key, Constant):
                self._line(depth, f"{word} {test} == {key.value}:")
                self._block(body, depth + 1)
                word = "elif"
        if "default" in statement.cases:
            if word == "if":
                self._block(statement.cases["default"], depth)
                return
            self._line(depth, "else:")
            self._block(statement.cases["default"], depth + 1)

    def _assign(self, target, value, depth):
        if isinstance(target, Signal):
            self._line(depth, f"m[{target.duid}] = {_truncated(value, target.nbits, target.signed)}")
            self._known(target)
        elif isinstance(target, Cat):
            whole, low = f"whole{depth}", 0
            self._line(depth, f"{whole} = {value}")
            for element in target.l:
                self._assign(element, f"({whole} >> {low} & {_mask(len(element))})", depth)
                low += len(element)
        elif isinstance(target, _Slice):
            mask = _mask(target.stop - target.start)
            whole = self.value(target.value, True)
            self._assign(target.value, f"({whole} & {~(mask << target.start)} | ({value} & {mask}) << {target.start})", depth)
        elif isinstance(target, _Part):
            mask, offset = _mask(target.width), f"offset{depth}"
            self._line(depth, f"{offset} = {self.value(target.offset, True)}")
            whole = self.value(target.value, True)
            self._assign(target.value, f"({whole} & ~({mask} << {offset}) | ({value} & {mask}) << {offset})", depth)
        elif isinstance(target, _ArrayProxy):
            key, whole = f"key{depth}", f"chosen{depth}"
            self._line(depth, f"{key}, {whole} = {self._key(target, False)}, {value}")
            for number, choice in enumerate(target.choices):
                self._line(depth, f"{'el' if number else ''}if {key} == {number}:")
                self._assign(choice, whole, depth + 1)
        elif isinstance(target, _MemoryLocation):
            array = self.evaluator.replaced_memories[target.memory]
            self._line(depth, f"m[{self._array(array)}[{self.value(target.index)}]] = "
                              f"{_truncated(value, array[0].nbits, array[0].signed)}")
        else:
            raise TypeError(f"no statement or value that can be simulated: {target}")

    # Values ---------------------------------------------------------------------------------------

    def value(self, node, modified=False):
        """Source of an expression for a value; ``modified``: with what was assigned since the last commit."""
        if isinstance(node, Constant):
            return f"({node.value})"
        if isinstance(node, Signal):
            self._known(node)
            return f"get({node.duid}, sv[{node.duid}])" if modified else f"sv[{node.duid}]"
        if isinstance(node, _Operator):
            return self._operator(node, [self.value(operand, modified) for operand in node.operands])
        if isinstance(node, _Slice):
            return f"({self.value(node.value, modified)} >> {node.start} & {_mask(node.stop - node.start)})"
        if isinstance(node, _Part):
            return f"({self.value(node.value, modified)} >> {self.value(node.offset, modified)} & {_mask(node.width)})"
        if isinstance(node, Cat):
            parts, low = [], 0
            for element in node.l:
                parts.append(f"({self.value(element, modified)} & {_mask(len(element))}) << {low}")
                low += len(element)
            return f"({' | '.join(parts) or '0'})"
        if isinstance(node, Replicate):
            bits = len(node.v)
            return f"(({self.value(node.v, modified)} & {_mask(bits)}) * {sum(1 << n*bits for n in range(node.n))})"
        if isinstance(node, _ArrayProxy):
            # One function a choice: only the chosen one is evaluated.
            choices = ", ".join(f"lambda: {self.value(choice, modified)}" for choice in node.choices)
            name = f"choices{len(self.names)}"
            self.names[name] = eval(f"({choices},)", self.names)
            return f"{name}[{self._key(node, modified)}]()"
        if isinstance(node, _MemoryLocation):
            array = self.evaluator.replaced_memories[node.memory]
            return f"sv[{self._array(array)}[{self.value(node.index, modified)}]]"
        if isinstance(node, ClockSignal):
            return self.value(self.evaluator.clock_domains[node.cd].clk, modified)
        if isinstance(node, ResetSignal):
            reset = self.evaluator.clock_domains[node.cd].rst
            return "0" if reset is None else self.value(reset, modified)
        raise TypeError(f"no statement or value that can be simulated: {node}")

    def _operator(self, node, operands):
        if node.op == "m":
            return f"({operands[1]} if {operands[0]} else {operands[2]})"
        if len(operands) == 1:
            return f"({node.op}{operands[0]})"
        return f"({operands[0]} {({'>>>': '>>', '<<<': '<<'}).get(node.op, node.op)} {operands[1]})"

    def _key(self, node, modified):
        return f"min({len(node.choices) - 1}, {self.value(node.key, modified)})"

    def _array(self, array):
        """Name of a list of the signals' numbers that a memory became."""
        name = f"array{id(array)}"
        if name not in self.names:
            for signal in array:
                self._known(signal)
            self.names[name] = [signal.duid for signal in array]
        return name

    def _known(self, signal):
        if self.values[signal.duid] is None:
            self.values[signal.duid] = signal.reset.value


def _mask(bits):
    return (1 << bits) - 1


def _truncated(value, bits, signed):
    """Source of a value cut to so many bits."""
    if not signed:
        return f"({value}) & {_mask(bits)}"
    half = 1 << bits - 1
    return f"((({value}) & {_mask(bits)}) ^ {half}) - {half}"


class CompiledSimulator(Simulator):
    """Migen's Simulator; the statements of the design run compiled."""

    def __init__(self, *args, **kwargs):
        Simulator.__init__(self, *args, special_overrides={KeptNet: SimulatedKept, KeptRegister: SimulatedKept}, **kwargs)
        evaluator = self.evaluator
        functions = {id(statements): _Compiler(evaluator).function(statements)
                     for statements in (self.fragment.comb, *self.fragment.sync.values())}
        interpreted = evaluator.execute

        def execute(statements):
            compiled = functions.get(id(statements))
            if compiled is None:
                interpreted(statements)
            else:
                compiled()

        evaluator.execute = execute


def run_simulation(design, generators, **kwargs):
    """As ``migen.sim.run_simulation``; a design with pumped lanes gets both clocks, in phase."""
    fragment = design.get_fragment()
    clocks   = CLOCKS if PUMPED in list_clock_domains(fragment) else {"sys": CLOCKS["sys"]}
    with CompiledSimulator(fragment, generators, clocks=clocks, **kwargs) as simulator:
        simulator.run()
