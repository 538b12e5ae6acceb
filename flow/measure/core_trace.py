# SPDX-License-Identifier: BSD-2-Clause
"""Every tensor that the core computes for one window, read from its requantizers in Migen's simulator."""

from collections import Counter

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.accel.gateware.drive import push_row
from liteformer.accel.gateware.engine import Engine
from liteformer.accel.gateware.simulate import run_simulation

# Tensor that a kind of step computes, if its name differs.
TENSORS = {"embed": "hidden", "project": "attended", "expand": "expanded", "contract": "hidden"}


def trace_core(compiled, window):
    """Simulate the engine for one window.

    Args:
        compiled: CompiledModel; window: integers ``(window, features)``, raw samples.
    Returns:
        dict tensor name -> int64 ``(1, ...)``, with names and shapes of the trace of ``golden.infer``; without the input and
        the softmax weights, which do not pass through these requantizers.
    Raises:
        LiteFormerError: the core does not finish in twice the predicted time.
    """
    engine, results, outputs = Engine(compiled.hw, compiled.images), [], []
    run_simulation(engine, _drive(engine, window, 2 * compiled.cycles + 100, results, outputs))
    if not outputs:
        raise LiteFormerError("the simulated core does not finish; its schedule is wrong")
    tensors = _tensors(compiled, iter(results))
    tensors["output"] = np.array(outputs)
    return {name: tensor[None] for name, tensor in tensors.items()}


def _drive(engine, window, limit, results, outputs):
    """Push a window, run, record the results of every cycle in which some leave the requantizers."""
    for row in window:
        yield from push_row(engine, engine.push_busy, row)
    yield engine.start.eq(1)
    yield
    yield engine.start.eq(0)
    valid, values = engine.drain.stage["valid"], engine.drain.results
    for _ in range(limit):
        if (yield valid):
            noted = []
            for value in values:
                noted.append((yield value))
            results.append(noted)
        if (yield engine.done):
            yield
            for output in engine.outputs:
                outputs.append((yield output))
            return
        yield


def _tensors(compiled, results):
    """Results in the order of the program, placed into their tensors."""
    config, hw = compiled.model.config, compiled.hw
    tensors, times = {}, Counter()
    for step in compiled.steps:
        if step.kind == "head":
            break
        one = step.mode != "narrow"
        values = _values(step, hw, results)
        prefix = f"layers.{step.layer}." if step.layer >= 0 else ""
        name, place = prefix + TENSORS.get(step.kind, step.kind), times[step.layer, step.kind, step.head]
        times[step.layer, step.kind, step.head] += 1
        tokens = 1 if one else config.tokens
        if step.kind == "score":
            tile, first, inner = place // hw.row_tiles, place % hw.row_tiles * hw.rows, (config.heads, tokens, config.tokens)
        else:
            # The heads of values are separate steps that name no head.
            parts = config.heads if step.kind == "value" else 1
            tile, first = place // parts, place % parts * step.channels if parts > 1 else step.head * config.head_dim
            inner = (tokens, config.ffn if step.kind == "expand" else config.d_model)
        tensor = tensors.setdefault(name, np.zeros(inner, np.int64))
        target = tensor[step.head] if step.kind == "score" else tensor
        rows = slice(0, 1) if one else slice(tile * hw.rows, (tile + 1) * hw.rows)
        target[rows, first:first + step.channels] = values
    return tensors


def _values(step, hw, results):
    """Results of a step, int64 ``(rows, channels)``, one row where it computes one token."""
    cycles = hw.groups if step.mode == "narrow" else 1
    columns = [np.concatenate([next(results) for _ in range(cycles)]) for _ in range(step.channels)]
    return np.stack(columns, axis=1)[:hw.rows if step.mode == "narrow" else 1]
