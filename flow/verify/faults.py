# SPDX-License-Identifier: BSD-2-Clause
"""Flipped bits in the memories of a simulated SoC: does its firmware notice them at boot? `make faults`."""

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.lib.stride_tricks import sliding_window_view

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import model_memories
from liteformer.accel.random_model import random_model
from liteformer.flow.common.cache import write_atomically
from liteformer.flow.measure import self_test
from liteformer.flow.verify.windows import rows
from liteformer.soc.core_simulation import CLEAR, RUN, CoreSimulation
from liteformer.soc.protocol import SELF_TESTS, Client, Decoder
from liteformer.soc.simulation import RESET_CYCLES, Simulation

ROOT   = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "results" / "faults.json"
_, PASSED, BAD_MEMORIES, WRONG_ANSWER, _ = SELF_TESTS
LOADABLE = {"window": 4, "features": 2, "d_model": 4, "heads": 2, "ffn": 6, "bits": 4}
FIXED    = {"window": 12, "features": 5, "d_model": 16, "ffn": 32, "bits": 4}
OTHERS, MORE = 256, 4096   # Windows for what the known ones do not notice, in the core and in the integer model.
WAIT_LOOPS = 1 << 12     # A program with a flipped bit may never end.


def build(loadable, seed=0):
    """CompiledModel of the build that is damaged."""
    model = random_model(np.random.default_rng(seed), **(LOADABLE if loadable else FIXED))
    return compile_model(model, HardwareOptions(loadable=loadable, rows=2, columns=2, requantizers=1))


def find(compiled, paths):
    """Which of the files are memories that hold the model: dict memory -> (file, first word, words, bits of a word)."""
    images, places = compiled.images, {}
    contents = images | {f"stream{number}": words for number, words in enumerate(images["streams"])}
    words = {path: [int(word, 16) for word in path.read_text().split()] for path in sorted(paths)}
    for name, depth, bits, first in model_memories(compiled.hw, len(images["compute"]), len(images["drain"])):
        wanted = [int(word) & (1 << bits) - 1 for word in contents[name]]
        found  = [path for path, there in words.items() if there == wanted]
        # A fixed build has the numerators in its logic.
        if found:
            places[name] = found[0], first, depth, bits
    return places


@contextlib.contextmanager
def damage(places, flip):
    """The file of a memory with one bit flipped: (memory, word, bit), or None for none."""
    if not flip:
        yield
        return
    name, word, bit = flip
    path  = places[name][0]
    whole = path.read_text()
    words = whole.split()
    words[word] = f"{int(words[word], 16) ^ 1 << bit:0{len(words[word])}x}"
    path.write_text("\n".join(words) + "\n")
    try:
        yield
    finally:
        path.write_text(whole)


class DamagedSoC(Simulation):
    """A SoC that boots with one flipped bit in a memory.

    Attributes:
        places: as of ``find``.
    """

    def __init__(self, compiled, level=1, **options):
        super().__init__(compiled, level=level, wait_loops=WAIT_LOOPS, **options)

    def _load(self, shared_object, directory):
        self._files = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._shared_object = shared_object
        for path in self.design.images:
            shutil.copy(path, self._files)
        self.places = find(self.soc.liteformer.compiled, self._files.iterdir())
        super()._load(shared_object, self._files)

    def boot(self, flip=None):
        """Result of the self-test, one of SELF_TESTS, after a boot with the flip: (memory, word, bit), or None for none."""
        with damage(self.places, flip):
            super()._load(self._shared_object, self._files)
            self._decoder = Decoder()
            self.client = Client(self.exchange, "forecast")
            self.run(RESET_CYCLES)
            return self.client.info().self_test


def draw(places, count, seed):
    """``count`` different bits, all equally likely, each memory at least once: list of (memory, word, bit)."""
    rng = np.random.default_rng(seed)
    whole = [(name, first + word, bit) for name, (_, first, depth, bits) in places.items()
             for word in range(depth - first) for bit in range(bits)]
    chosen = [next(n for n in rng.permutation(len(whole)) if whole[n][0] == name) for name in places]
    chosen += [n for n in rng.permutation(len(whole)) if n not in chosen]
    return [whole[n] for n in chosen[:count]]


def examine(compiled, count, seed):
    """Boot with ``count`` flips, one at a time.

    Returns:
        ``(dict, list)``: ``flips``, ``noticed``, ``bits`` of the memories, ``memories``: name -> [flips, noticed]; the flips
        that are not noticed.
    Raises:
        LiteFormerError: the undamaged build does not pass its self-test.
    """
    with DamagedSoC(compiled) as soc:
        if soc.boot() != PASSED:
            raise LiteFormerError("the undamaged build fails its self-test; the check is wrong")
        seen, missed = {name: [0, 0] for name in soc.places}, []
        for number, flip in enumerate(draw(soc.places, count, seed), 1):
            found = soc.boot(flip) == (BAD_MEMORIES if compiled.hw.loadable else WRONG_ANSWER)
            seen[flip[0]][0] += 1
            seen[flip[0]][1] += found
            missed += [] if found else [flip]
            if number % 200 == 0:
                print(f"{number} flips, {sum(noticed for _, noticed in seen.values())} noticed", flush=True)
        bits = sum((depth - first) * width for _, first, depth, width in soc.places.values())
    return {"bits": bits, "flips": sum(tried for tried, _ in seen.values()),
            "noticed": sum(noticed for _, noticed in seen.values()), "memories": seen}, missed


def told_apart(compiled, flips, seed):
    """Which flips change an output or a count of cycles of any of OTHERS windows of the core.

    Returns:
        dict: ``windows`` tried, ``told apart``: memory -> how many of its flips.
    """
    windows, found = _windows(compiled.model, seed, OTHERS), {}
    wanted = golden.infer(compiled.model, windows)
    with CoreSimulation(compiled, level=1) as core:
        places = find(compiled, core.images)
        for flip in flips:
            with damage(places, flip):
                core.restart()
            if not _is_right(core, windows, wanted):
                found[flip[0]] = found.get(flip[0], 0) + 1
    return {"windows": OTHERS, "told apart": found}


def _windows(model, seed, count):
    """``count`` windows, each a row later, int64 ``(count, window, features)``."""
    window = model.config.window
    samples, _ = rows(np.random.default_rng(seed), model, count + window - 1)
    return sliding_window_view(samples.astype(np.int64), window, 0).swapaxes(1, 2)


def _is_right(core, windows, wanted):
    """Whether a core answers windows, each a row later, as it should, a few first."""
    samples = np.concatenate([windows[0, :-1], windows[:, -1]])
    ready   = len(windows[0]) - 1
    flags   = np.where(np.arange(len(samples)) < ready, 0, RUN)
    flags[0] |= CLEAR
    try:
        for count in (len(windows) // 8, len(windows)):
            outputs, cycles, _ = core.stream(samples[:ready + count], flags[:ready + count])
            if not np.array_equal(outputs, wanted[:count]) or (cycles != core.compiled.cycles).any():
                return False
    except LiteFormerError:
        return False
    return True


def main(seed: Annotated[int, typer.Option(help="Of the choice of bits.")] = 1,
         loadable: Annotated[int, typer.Option(min=1, help="Flips in the loadable build.")] = 2000,
         fixed: Annotated[int, typer.Option(min=1, help="Flips in the fixed build.")] = 1000,
         out: Annotated[Path, typer.Option(help="Where the results go.")] = RESULT):
    """Flip bits in a loadable and in a fixed build, and count what the boot notices."""
    found = {"seed": seed, "loadable": examine(build(True), loadable, seed)[0]}
    found["fixed"], missed = examine(build(False), fixed, seed)
    found["fixed"] |= {"others": told_apart(build(False), missed, seed)}
    others = {wanted: _windows(build(wanted).model, seed, MORE) for wanted in (True, False)}
    found["integer model"] = self_test.noticed(build(False), fixed, seed, others[False])
    for name, wanted in (("loadable", True), ("fixed", False)):
        found[name]["table"] = self_test.noticed_in_the_table(build(wanted), others[wanted])
    write_atomically(out, json.dumps(found, indent=1) + "\n")
    for name in ("loadable", "fixed", "integer model"):
        print(f"{name}: {found[name]['noticed']} of {found[name]['flips']} flips noticed; seed {seed}")
    raise typer.Exit(found["loadable"]["noticed"] != found["loadable"]["flips"])


if __name__ == "__main__":
    typer.run(main)
