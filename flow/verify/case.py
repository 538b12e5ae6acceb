# SPDX-License-Identifier: BSD-2-Clause
"""One case of the million windows: a shape, its gateware in Verilator, and every output against the golden model."""

import time

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.accel.compiler.loading import loader_words, replace_model
from liteformer.accel.errors import LiteFormerError
from liteformer.flow.verify import shapes
from liteformer.flow.verify.windows import events, rows
from liteformer.soc.core_simulation import ABORT, CLEAR, EARLY, CoreSimulation
from liteformer.soc.simulation import Simulation

BATCH         = 500     # Windows that the golden model takes at once.
SPARE         = 1.3     # Rows for a window, since some only fill the window again.
CONTROL_TRIES = 24      # Corrupted images until one is seen: some bits are those of columns without a channel.
CONTROL_WINDOWS = 60
OTHER_FILES   = 7       # Memory contents before those of the weights; a loadable build has the softmax numerators as well.
LEVEL         = 1       # Of the C++ optimizer: builds in two thirds of the time and is as fast for small cores.


def expected(model, samples, ends):
    """Golden outputs of the windows that end at the rows ``ends``, and how often rare things happen in them.

    Returns:
        ``(int64 (len(ends), outputs), dict)``.
    """
    config, outputs, seen = model.config, [], {"ties": 0, "saturated_inputs": 0, "saturated_results": 0}
    if not len(ends):
        return np.zeros((0, config.outputs), np.int64), seen
    samples = samples.astype(np.int64)
    for first in range(0, len(ends), BATCH):
        index = ends[first:first + BATCH, None] + np.arange(1 - config.window, 1)
        trace = {}
        outputs.append(golden.infer(model, samples[index], trace))
        scores = trace["layers.0.score"]
        seen["ties"] += int(np.any((scores == scores.max(axis=-1, keepdims=True)).sum(axis=-1) > 1, axis=(1, 2)).sum())
        seen["saturated_inputs"] += int(np.any(np.isin(trace["input"], model.input_range), axis=(1, 2)).sum())
        limits = numerics.signed_range(config.bits["layers.0.hidden"])
        seen["saturated_results"] += int(np.any(np.isin(trace["layers.0.hidden"], limits), axis=(1, 2)).sum())
    return np.concatenate(outputs), seen


def _round(rng, simulation, windows):
    """Stream rows through a core until ``windows`` of its windows are compared; returns counts."""
    compiled = simulation.compiled
    model, counts = compiled.model, {}

    def add(more):
        for name, value in more.items():
            counts[name] = counts.get(name, 0) + value

    # The model before left its rows: the window is cleared before the first one.
    first = True
    while counts.get("windows", 0) < windows:
        missing = windows - counts.get("windows", 0)
        samples, patterns = rows(rng, model, int(SPARE * missing) + 2 * model.config.window)
        flags, arguments, ends = events(rng, compiled, len(samples))
        if len(ends) > missing:
            ends  = ends[:missing]
            samples, flags, arguments = (array[:ends[-1] + 1] for array in (samples, flags, arguments))
        flags[0] |= CLEAR
        outputs, cycles, clocks = simulation.stream(samples, flags, arguments, pause=int(rng.choice([0, 0, 1, 5])),
                                                    seed=int(rng.integers(1 << 31)))
        wanted, seen = expected(model, samples, ends)
        add({"windows": len(ends), "mismatches": int(np.any(outputs != wanted, axis=1).sum()),
             "wrong_cycles": int((cycles != compiled.cycles).sum()), "clocks": clocks, **seen,
             "aborts": int(np.count_nonzero(flags & ABORT)), "refused": int(np.count_nonzero(flags & EARLY)),
             "clears": int(np.count_nonzero(flags & CLEAR)) - first})
        counts.setdefault("patterns", {})
        for name, value in patterns.items():
            counts["patterns"][name] = counts["patterns"].get(name, 0) + value
        first = False
    return counts


def _merged(one, other):
    return {key: _merged(one.get(key, {}), other.get(key, {})) if isinstance(one.get(key, other.get(key)), dict)
            else one.get(key, 0) + other.get(key, 0) for key in one | other}


def weight_files(simulation):
    """Files with the contents of the weight memories: all behind those of programs, window, position and parameters."""
    return simulation.images[OTHER_FILES + simulation.compiled.hw.loadable:]


def control(rng, simulation):
    """Negative control: flip a bit of random words in the files of the weights until an output differs from the golden model.

    Returns:
        corrupted files tried until one was seen, 0 if none was.
    """
    compiled = simulation.compiled
    streams = weight_files(simulation)
    sizes   = np.array([len(path.read_text().split()) for path in streams])
    samples, _ = rows(rng, compiled.model, CONTROL_WINDOWS + compiled.model.config.window)
    flags, _, ends = events(rng, compiled, len(samples))
    wanted, _ = expected(compiled.model, samples, ends)
    for attempt in range(1, CONTROL_TRIES + 1):
        path = streams[int(rng.choice(len(streams), p=sizes / sizes.sum()))]
        whole = path.read_text()
        words = whole.split()
        place, bit = int(rng.integers(len(words))), int(rng.integers(4 * len(words[0])))
        words[place] = f"{int(words[place], 16) ^ 1 << bit:0{len(words[place])}x}"
        path.write_text("\n".join(words) + "\n")
        try:
            simulation.restart()
            outputs, _, _ = simulation.stream(samples, flags & ~np.uint8(ABORT))
        finally:
            path.write_text(whole)
        if not np.array_equal(outputs, wanted):
            return attempt
    return 0


def run_case(seed, number, windows, soc_windows=0):
    """Build the core of case ``number`` and compare ``windows`` windows; of a loadable build half of them with a second model.

    Args:
        soc_windows: windows to compare through firmware and serial protocol as well.
    Returns:
        JSON-able dict.
    """
    begin = time.perf_counter()
    compiled, facts, rng = shapes.draw(seed, number)
    hw = compiled.hw
    facts |= {"number": number, "cycles": compiled.cycles, "array": [hw.rows, hw.columns, hw.requantizers, hw.dsp_lanes],
              "loadable": hw.loadable}
    with CoreSimulation(compiled, level=LEVEL) as simulation:
        counts = _round(rng, simulation, windows // 2 if hw.loadable else windows)
        if hw.loadable:
            other = replace_model(compiled, shapes.shuffled(rng, compiled.model))
            if simulation.read_back() != loader_words(compiled):
                raise LiteFormerError(f"case {number}: the memories read back differ from the model's")
            simulation.load(other)
            if simulation.read_back() != loader_words(other):
                raise LiteFormerError(f"case {number}: the memories read back differ from the model that was loaded")
            counts = _merged(counts, _round(rng, simulation, windows - windows // 2))
            simulation.compiled = compiled
        facts["control"] = control(rng, simulation)
    if soc_windows:
        facts["soc"] = soc_case(rng, compiled, soc_windows)
    return facts | {"counts": counts, "seconds": round(time.perf_counter() - begin, 1)}


def soc_case(rng, compiled, windows):
    """The same shape behind firmware and serial protocol; returns ``{"windows": .., "mismatches": ..}``."""
    model = compiled.model
    samples, _ = rows(rng, model, windows + model.config.window - 1)
    ends  = np.arange(model.config.window - 1, len(samples))
    raw   = samples[ends[:, None] + np.arange(1 - model.config.window, 1)].astype(np.int64)
    wanted, _ = expected(model, samples, ends)
    with Simulation(compiled, level=LEVEL) as simulation:
        outputs = simulation.infer(raw).outputs
    return {"windows": windows, "mismatches": int(np.any(outputs != wanted, axis=1).sum())}
