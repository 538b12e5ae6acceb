# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of the gateware: would the checks notice a fault? `make mutants`; an interrupted run resumes."""

import json
import re
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.loading import checksum, loader_words, replace_model
from liteformer.accel.core import OUTPUT_WORD, STORE_WORD
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.model_store import CHECKSUM, COMPLETE, MODEL_ID
from liteformer.accel.random_model import random_model
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.verify import shapes
from liteformer.flow.verify.million import sources_digest
from liteformer.flow.verify.mutated_core import MutatedCore
from liteformer.flow.verify.windows import events, rows
from liteformer.soc.core_simulation import CLEAR

ROOT   = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "results" / "mutants.json"
# Small cores that have everything between them: digits, tiles, heads, layers, pool, wide steps, DSP pairs, patches, loader.
CORES = (
    ({"window": 4, "features": 2, "d_model": 4, "heads": 2, "bits": 4, "readout": "mean", "skip": "persistence"},
     {"rows": 2, "columns": 3, "requantizers": 1, "dsp_lanes": 4}),
    ({"window": 4, "features": 2, "d_model": 4, "heads": 2, "layers": 2, "ffn": 6, "bits": 3, "readout": "last", "outputs": 2},
     {"rows": 4, "columns": 2, "requantizers": 2, "dsp_lanes": 0}),
    ({"window": 9, "patch": 3, "stride": 2, "features": 2, "d_model": 3, "bits": 5, "readout": "last", "ffn": 4},
     {"rows": 2, "columns": 2, "loadable": True, "dsp_lanes": 2}),
)
LEAST  = 0.97               # Of the mutants that a check tells apart from the core, those that the quick one must see.
BEYOND = 0x600              # Behind the registers.
PAUSE  = 12                 # Longer than a sample takes: a clear can come in any cycle of one.
LATE   = 24                 # Aborts within so many last cycles: results are then still on their way.
PATTERNS = (0, 0xFFFFFFFF, 0x5A3CC3A5, 0x0F0FF0F0)
CUTS   = 9                  # Resets during an inference.
START, FORGET, ALL_EVENTS, MODEL = 1, 4, 3, 1 << 3    # In control, in ev_enable, in status.
ROWS, LONG_ROWS = 150, 800   # Rows of a quick check, and of the check of what survived it.


def build(number):
    """CompiledModel of core ``number``."""
    shape, options = CORES[number]
    return compile_model(random_model(np.random.default_rng(number), **shape), HardwareOptions(**options))


class Checks:
    """What is done with a core, and whether it answered as it should.

    Args:
        compiled: CompiledModel; count: rows pushed; seed: of rows and events.
    """

    def __init__(self, compiled, count, seed):
        rng = np.random.default_rng(seed)
        self.compiled = compiled
        self.other = replace_model(compiled, shapes.shuffled(rng, compiled.model)) if compiled.hw.loadable else None
        self.streams = [self._stream(rng, model, count, pause) for model in filter(None, (compiled, self.other))
                        for pause in (0, PAUSE)]

    @staticmethod
    def _stream(rng, compiled, count, pause):
        window = compiled.model.config.window
        samples, _ = rows(rng, compiled.model, count)
        flags, arguments, ends = events(rng, compiled, count, clears=6, early=0.8, aborts=0.2, late=LATE)
        flags[0] |= CLEAR
        wanted = golden.infer(compiled.model, samples.astype(np.int64)[ends[:, None] + np.arange(1 - window, 1)])
        return compiled, samples, flags, arguments, pause, wanted

    @staticmethod
    def registers(simulation):
        """What all registers and unused words of the window read, before and after they are written."""
        words = [word for name, word in simulation.words.items() if name not in ("control", "cycles")]
        # Words that are not there read as zero.
        span  = [0, 3, OUTPUT_WORD, OUTPUT_WORD + 1, BEYOND]
        if simulation.compiled.hw.loadable:
            span += [STORE_WORD + n for n in range(8)]
        seen = simulation.access([(word, None) for word in words + span]).tolist()
        if simulation.compiled.hw.loadable:
            for word in (STORE_WORD + MODEL_ID, STORE_WORD + CHECKSUM):
                kept = int(simulation.access([(word, None)])[0])
                seen += simulation.access([(word, value) for value in PATTERNS for value in (value, None)]).tolist()
                simulation.access([(word, kept)])
        seen += Checks.events(simulation)
        for test, enabled in ((5, 1), (0, 2), (7, 0), (2, ALL_EVENTS)):
            simulation.access([(simulation.words["self_test"], test), (simulation.words["ev_enable"], enabled)])
            reads = [(simulation.words[name], None) for name in ("self_test", "ev_enable", "status")]
            seen += simulation.access(reads).tolist()
        return seen

    @staticmethod
    def events(simulation):
        """What the events read: after a start that is refused and after an inference, before and behind the next start, the
        clear of the other one and of their own."""
        config, words = simulation.compiled.model.config, simulation.words
        def cleared(own, other):
            return [(words["ev_pending"], value) for value in (None, other, None, own, None)]
        window = [(feature, feature) for _ in range(config.window) for feature in range(config.features)]
        waits  = [(words["status"], None)] * (simulation.compiled.cycles // 2)
        seen   = [simulation.access([*before, (words["control"], START), (words["ev_pending"], None), *waits,
                                     (words["ev_pending"], None)]) for before in ([], window, [])]
        simulation.access([(words["control"], FORGET)])
        for before, own, other in (([], 2, 1), (window, 1, 2)):
            simulation.access([*before, (words["control"], START), *waits])
            seen.append(simulation.access(cleared(own, other)))
        simulation.access([(words["control"], FORGET)])
        return np.concatenate(seen).tolist()

    def is_reset(self, simulation):
        """Whether the core is as new, but for its memories, after a reset of one cycle at several times of an inference."""
        compiled, samples, *_ = self.streams[0]
        config, words = compiled.model.config, simulation.words
        transfers = [(feature, int(value)) for row in samples[:config.window] for feature, value in enumerate(row)]
        transfers += [(words["self_test"], 5), (words["control"], START), *[(words["status"], None)] * (compiled.cycles // 3)]
        reads = [(words[name], None) for name in ("status", "cycles", "ev_pending", "ev_enable")]
        for cycle in np.linspace(2, 3 * len(transfers), CUTS).astype(int):
            simulation.cut(transfers, int(cycle))
            if simulation.access(reads).tolist() != [MODEL, 0, 0, 0]:
                return False
        simulation.access([(words["ev_enable"], ALL_EVENTS)])
        return True

    @staticmethod
    def _is(simulation, compiled):
        """Whether a core says that it holds this model."""
        words = [STORE_WORD + word for word in (MODEL_ID, CHECKSUM, COMPLETE)]
        return simulation.access([(word, None) for word in words]).tolist() == [int(compiled.model.id[:8], 16),
                                                                                checksum(compiled), 1]

    def failure(self, simulation, registers):
        """The first check that a core fails, None if it passes all; ``registers``: what a right core reads there."""
        try:
            if self.registers(simulation) != registers:
                return "registers"
            if not self.is_reset(simulation):
                return "reset"
            for compiled, samples, flags, arguments, pause, wanted in self.streams:
                if compiled is not simulation.compiled:
                    if simulation.read_back() != loader_words(simulation.compiled):
                        return "read back"
                    simulation.load(compiled)
                    if simulation.read_back() != loader_words(compiled) or not self._is(simulation, compiled):
                        return "load"
                outputs, cycles, _ = simulation.stream(samples, flags, arguments, pause=pause, seed=pause)
                if not np.array_equal(outputs, wanted):
                    return "outputs"
                if np.any(cycles != compiled.cycles):
                    return "cycles"
        except LiteFormerError:
            return "status"
        finally:
            simulation.compiled = self.compiled
        return None


def examine(number, count, seed, folder):
    """Kill the mutants of a core.

    Args:
        number: of the core; count: mutants; folder: where finished results are kept.
    Returns:
        list of dicts ``core``, ``mutant``, ``mode``, ``place``, ``killed`` (check or None), ``by`` (quick or long), ``equal``
        (of one that is not killed: whether it is proven to be the core).
    """
    compiled = build(number)
    quick, thorough = Checks(compiled, ROWS, seed), Checks(compiled, LONG_ROWS, seed + 1)
    path = folder / f"core{number}-{count}-{seed}.json"
    done = json.loads(path.read_text()) if path.exists() else []
    with MutatedCore(compiled, count, seed, level=1) as core:
        _check(core, quick, thorough, number, done, path)
        _compare(core, done, path)
    return done


def _check(core, quick, thorough, number, done, path):
    """Run the checks on the mutants that are not in ``done`` yet."""
    core.choose(0)
    registers = Checks.registers(core)
    for checks in (quick, thorough):
        core.choose(0)
        if fault := checks.failure(core, registers):
            raise LiteFormerError(f"core {number} without a mutation fails the check {fault}; the checks are wrong")
    for mutant in range(len(done) + 1, len(core.mutations) + 1):
        core.choose(mutant)
        killed, by = quick.failure(core, registers), "quick"
        if killed is None:
            core.choose(mutant)
            killed, by = thorough.failure(core, registers), "long"
        found = core.mutations[mutant - 1]
        done.append({"core": number, "mutant": mutant, "mode": found["mode"], "place": found["place"],
                     "command": found["command"], "killed": killed, "by": by if killed else None})
        if mutant % 10 == 0 or mutant == len(core.mutations):
            write_atomically(path, json.dumps(done))
            print(f"core {number}: {mutant} of {len(core.mutations)}, {sum(not one['killed'] for one in done)} survive",
                  flush=True)


def _compare(core, done, path):
    """Of those that no check tells apart: which are proven to be the core."""
    left = [one for one in done if not one["killed"] and "equal" not in one]
    if not left:
        return
    comparison = core.comparison([one["mutant"] for one in left])
    for one in left:
        one["equal"] = comparison.equal(one["mutant"])
        write_atomically(path, json.dumps(done))
    print(f"core {left[0]['core']}: {sum(one['equal'] for one in left)} of {len(left)} survivors are proven equal", flush=True)


def summary(seed, results):
    """JSON-able: figures over all cores, and every survivor; ``results``: of ``examine``, in one list."""
    killed = [one for one in results if one["by"] == "quick"]
    missed = [one for one in results if one["by"] == "long"]
    other  = [one for one in results if not one["killed"]]
    by = {}
    for one in killed:
        by[one["killed"]] = by.get(one["killed"], 0) + 1
    return {"seed": seed, "mutants": len(results), "killed": len(killed), "missed": len(missed),
            "not told apart": len(other), "proven equal": sum(one["equal"] for one in other),
            "share": round(len(killed) / max(1, len(killed) + len(missed)), 4), "killed by": dict(sorted(by.items())),
            "missed ones": [{name: one[name] for name in ("core", "mutant", "mode", "place", "killed")} for one in missed],
            "survivors": [{name: one[name] for name in ("core", "mutant", "mode", "place", "equal")} | {"why": reason(one)}
                          for one in other]}


# Why a mutant is no fault, by what stands in its line: what the place does for the result. The first that fits.
REASONS = (
    (r"dsplanepair\d+_p = ", "a bit of a DSP block's 48 above the sums that are kept"),
    (r"cycles \+ 1'd1", "a bit of the cycle counter that no inference reaches"),
    (r"rowdivider_tail", "a bit of the numerator, a constant of the layer, that is so in every division"),
    (r"softmax_group\d* <= ", "the count of a column's groups that this shape has anyway"),
    (r"(write|load)_we(\[\d+\])?\)", "what a memory's write port carries while nothing is written"),
    (r"_flushing <= |if \(\S*engine1\)", "the flush after an abort takes longer; the proof of the abort forbids it"),
    (r"probabilities_write_enable", "a word is written again that was written just before"),
    (r"drainsequencer_abort \| \S*drainsequencer_start", "an abort leaves what the next start clears"),
    (r"if \(\(liteformercore_engine\d \| liteformercore_engine\d\)\)",
     "the engine counts as running after its end; nothing ends before the next start, which does the same"),
    (r"maxima_column_end|group\d* == \S*group_top",
     "the end of a column of scores, where this shape has columns of one group only"),
    (r"engineloader_settling|engineloader\d+ \| \S*engineloader\d+\)",
     "a read of the loader waits longer, or not for the cycle that it has to spare"),
    (r"modelstore_(checksum|model_id) = ", "a bit that is the same in both models' words"),
    (r"if \(\S*(drainsequencer_(step_end|valid|group_end)|computesequencer(\d+|_loads|_copy\d))\)",
     "a bit of a counter, address or field, taken over at the end of a tile or step, that this program does not reach or use"),
    (r"lutlane\d+_(lowest|upper|acc)", "a bit of a lane's product that no operands of this model reach"),
    (r"^(end|case .*)$", "a selection's code that this program does not use"),
    (r"sys_rst", "the reset of a register that is set anew before it is read, or holds its first value"),
    (r"kept_copy|matrixarray_register|if \(\S*matrixarray\d*\)|if \(.*active|_active = |capture_copy|drain_valid\) begin|awake",
     "a register that moves on, or holds, while nothing uses it: the enable saves power alone"),
    (r"^always ", "a bit that is the same in all words that are read there"),
    (r"next_value_ce|_next_value|window_cleared|if \(\S*window_push\)",
     "the state machine assigns the same value, or to a register that is read only after it is set anew"),
    (r"instruction\d*|_fetched|_current|engine_signal\d|slice_proxy|if \(\S*engineloader\d+\)",
     "a field or a bit of it that no instruction of this program sets"),
    (r"lutlane\d+_sum|probabilities_read|total|register\d+\[|drain_register|requantizer|lowest|product|scale|_distance"
     r"|_drain = |_rest = |_limited|unit_value|rowdivider_(step|read|load)|window_raw\[|quantize_raw|probabilities_write_dat"
     r"|collector_word",
     "a bit that no value of this model reaches, or below what the clamp and the rounding keep"),
    (r"downcounter|engineloader_(left|shifted)|sequencer_(column|next_column|tile|nextstate|tiles|remaining|base)"
     r"|sequencer_valid & |sequencer_\w+_nextstate|engine_source|_tile = ",
     "a bit of a counter or an address that this program does not reach"),
    (r"address|_adr|memory|storage|port", "an upper address bit, or a word, that this shape does not use"),
    (r"bus|wb_|csr|bank|interface|wishbone", "a bit of the bus that no master of the test drives, such as a byte select"),
)


def reason(one):
    """In words, why a mutant that no check tells apart may be none; a guess from its line, for a reader to judge."""
    for pattern, words in REASONS:
        if re.search(pattern, one["place"]):
            return words
    return "not explained"


def main(seed: Annotated[int, typer.Option(help="Of the mutations' choice and of rows and events.")] = 1,
         count: Annotated[int, typer.Option(min=1, max=1023, help="Mutants of each of the cores.")] = 200,
         out: Annotated[Path, typer.Option(help="Where the results go.")] = RESULT):
    """Mutate three cores and see which faults the checks notice."""
    folder = ROOT / "build" / "mutants" / sources_digest()
    folder.mkdir(parents=True, exist_ok=True)
    results = [one for number in range(len(CORES)) for one in examine(number, count, seed, folder)]
    found = summary(seed, results)
    write_atomically(out, json.dumps(found, indent=1) + "\n")
    print(f"{found['mutants']} mutants: {found['killed']} killed, {found['missed']} seen by the long check alone, "
          f"{found['not told apart']} told apart by none, {found['proven equal']} of these proven equal; "
          f"{found['share']:.1%} of those that differ are killed; seed {seed}")
    raise typer.Exit(found["share"] < LEAST)


if __name__ == "__main__":
    typer.run(main)
