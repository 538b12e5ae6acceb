# SPDX-License-Identifier: BSD-2-Clause
"""Whether a mutant is none: its outputs equal the core's in any state, by induction over the registers of both."""

import re
from pathlib import Path

from liteformer.accel.errors import LiteFormerError

# Yosys writes a state as one bit vector, inputs included.
PREPARE = ("memory_map; opt_clean; setundef -init -zero; setundef -undriven -zero; opt_expr; opt_clean; async2sync; dffunmap; "
           "opt_clean; write_smt2 -stbv -wires {out}")
OUTPUTS = ("wb_ack", "wb_dat_r", "irq")
MILLISECONDS = 5_000     # For a question to the solver.
ROUNDS = 4               # Registers that differ are let go in so many rounds.
PLACE = re.compile(r"\(define-fun (\|[^|]+\|) \(\(state \S+\)\) (?:\(_ BitVec \d+\)|Bool) (?:\(= )?"
                   r"\(\(_ extract (\d+) (\d+)\) state\)[^;\n]*(?:; (.*))?$", re.MULTILINE)


class Comparison:
    """A core with mutations, twice: with none and with one of them.

    Args:
        path: of the SMT-LIB; top: module; select: input that chooses the mutation; outputs: to compare.
    """

    def __init__(self, path, top, select, outputs=OUTPUTS):
        try:
            import bitwuzla
        except ImportError:
            raise LiteFormerError("bitwuzla is not installed; in LiteFormer's folder run pip install '.[formal]'") from None
        self._bitwuzla, self._top, self._outputs = bitwuzla, top, outputs
        text = Path(path).read_text()
        self._text  = "\n".join(line for line in text.splitlines() if not line.startswith("(set-"))
        self._width = int(re.search(r"\(define-sort \S+ \(\) \(_ BitVec (\d+)\)\)", text)[1])
        found  = PLACE.findall(text)
        places = {name: (int(high), int(low)) for name, high, low, _ in found}
        self._select = next((int(high), int(low)) for _, high, low, wire in found if wire == f"\\{select}")
        self._registers = [(step, *places[name]) for step, name in re.findall(
            r"^  \(= (.*) \((\|[^|]+\|) next_state\)\) ;", text, re.MULTILINE)]

    def _solver(self):
        terms, options = self._bitwuzla.TermManager(), self._bitwuzla.Options()
        options.set(self._bitwuzla.Option.PRODUCE_MODELS, True)
        options.set(self._bitwuzla.Option.TIME_LIMIT_PER, MILLISECONDS)
        parser = self._bitwuzla.Parser(terms, options)
        parser.parse(f"(set-logic QF_BV)\n{self._text}\n(declare-const any (_ BitVec {self._width}))\n"
                     f"(declare-const other (_ BitVec {self._width}))\n", True, False)
        return parser

    def _state(self, mutation, free=()):
        """A state with a mutation, and values of its own in the registers ``free``; the rest is shared, so that most terms of
        both cores are the same for the solver."""
        bits = self._select[0] - self._select[1] + 1
        parts = {self._select[1]: (self._select[0], f"#b{mutation:0{bits}b}")}
        for number in free:
            _, high, low = self._registers[number]
            parts[low] = high, f"((_ extract {high} {low}) other)"
        words, low = [], 0
        for start in [*sorted(parts), self._width]:
            if start > low:
                words.append(f"((_ extract {start - 1} {low}) any)")
            if start in parts:
                high, term = parts[start]
                words.append(term)
                low = high + 1
        return f"(concat {' '.join(reversed(words))})"

    @staticmethod
    def _differ(step):
        """That what a register takes over is not the same in both."""
        one, two = (re.sub(r"\bstate\b", state, step) for state in ("one", "two"))
        return f"(distinct {one} {two})"

    def equal(self, mutation):
        """Whether the mutant is proven equal to the core: wherever both have the same registers but for some, their outputs are
        the same and so is what these registers take over. Which ones may differ is found by letting go those that do.

        Returns:
            bool; False says nothing.
        """
        free, result = set(), self._bitwuzla.Result
        for _ in range(ROUNDS):
            parser = self._solver()
            parser.parse(f"(define-fun one () |{self._top}_s| {self._state(0)})\n"
                         f"(define-fun two () |{self._top}_s| {self._state(mutation, free)})\n", True, False)
            outputs = [f"(distinct (|{self._top}_n {name}| one) (|{self._top}_n {name}| two))" for name in self._outputs]
            steps = {number: self._differ(step) for number, (step, *_) in enumerate(self._registers) if number not in free}
            terms = {number: parser.parse_term(term) for number, term in steps.items()}
            parser.parse(f"(push 1)\n(assert (or false {' '.join(outputs)}))\n", True, False)
            if parser.bitwuzla().check_sat() is not result.UNSAT:
                return False
            parser.parse(f"(pop 1)\n(assert (or false {' '.join(steps.values())}))\n", True, False)
            answer = parser.bitwuzla().check_sat()
            if answer is not result.SAT:
                return answer is result.UNSAT
            free |= {number for number, term in terms.items() if str(parser.bitwuzla().get_value(term)) == "true"}
        return False
