# SPDX-License-Identifier: BSD-2-Clause
"""Random shapes of models and arrays over everything that the generator can build, and models with unusual tensors."""

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.devices import DEVICES
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.model import QuantizedModel
from liteformer.accel.random_model import random_model
from liteformer.accel.tensors import tensor_names, tensor_range

# The shapes of the first cases; the others are random.
KNOWN = (
    {"window": 12, "features": 7, "d_model": 32, "bits": 4, "readout": "mean"},
    {"window": 12, "features": 7, "d_model": 32, "bits": 4, "readout": "last"},
    {"window": 6, "features": 7, "d_model": 16, "bits": 8, "readout": "mean"},
    {"window": 96, "patch": 8, "stride": 8, "features": 1, "d_model": 32, "bits": 4, "readout": "last"},
    {"window": 1, "features": 1, "d_model": 1, "ffn": 1, "bits": 2, "readout": "last"},
)
CYCLES = 1200           # Most cycles of a random case: many small shapes say more than a few large ones.
PUMPED = 2              # Every so many cases the DSP blocks run at twice the clock, where the device's can.
# A model counts as alive if so many of so many random windows have different results.
ALIVE, WINDOWS = 8, 64
SOFTMAX_LENGTHS = tuple(1 << n for n in range(1, 10))


def _divisors(n):
    return [k for k in range(1, n + 1) if n % k == 0]


def _shape(rng):
    """Arguments of ``random_model``."""
    tokens = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16]))
    patch  = int(rng.integers(2, 9)) if rng.random() < 0.35 else 1
    stride = int(rng.integers(1, patch + 1))
    d      = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24]))
    layers = int(rng.choice([1, 1, 1, 2, 2, 3]))
    shape  = {
        "window": (tokens - 1) * stride + patch, "patch": patch, "stride": stride,
        "features": int(rng.choice([1, 1, 2, 3, 4, 5, 7, 9, 17])), "outputs": int(rng.choice([1, 1, 2, 3, 5])), "d_model": d,
        "heads": int(rng.choice(_divisors(d))), "layers": layers, "ffn": int(rng.integers(1, 4 * d + 1)),
        "readout": str(rng.choice(["mean", "last"])), "skip": str(rng.choice(["none", "persistence"])),
        "bits": int(rng.integers(numerics.MIN_BITS, numerics.MAX_BITS + 1)),
    }
    if rng.random() < 0.5:
        shape["bit_overrides"] = {name: int(rng.integers(numerics.MIN_BITS, numerics.MAX_BITS + 1))
                                  for name in tensor_names(layers) if rng.random() < 0.5}
    return shape


def _options(rng, tokens):
    """Fields of HardwareOptions."""
    device = str(rng.choice(list(DEVICES)))
    rows   = int(rng.choice(_divisors(tokens))) if rng.random() < 0.7 else None
    options = {
        "device": device, "loadable": bool(rng.random() < 0.3), "rows": rows,
        "columns": int(rng.integers(1, 17)) if rng.random() < 0.7 else None,
        "requantizers": int(rng.choice(_divisors(rows or tokens))) if rng.random() < 0.5 else None,
    }
    if DEVICES[device].dsp_block.accumulator and rng.random() < 0.5:
        options["dsp_lanes"] = 2 * int(rng.integers(0, DEVICES[device].dsp + 1))
    return options


def _staircase(rng, model):
    """A softmax table of any length that never rises."""
    top   = int(rng.integers(1, min(model["softmax.table"][0] + 1, 128)))
    steps = np.sort(rng.integers(0, top + 1, int(rng.choice(SOFTMAX_LENGTHS))))[::-1]
    return np.concatenate([[top], steps[1:]])


def unusual(rng, model):
    """The model with some tensors replaced by what training would hardly give: extremes, zeros, one-hot, flat scores.

    Returns:
        ``(QuantizedModel, list of what was replaced)``.
    """
    tensors, replaced = dict(model.tensors), []
    if rng.random() < 0.5:
        tensors["softmax.table"] = _staircase(rng, model)
        replaced.append("softmax.table")
    for name, tensor in model.tensors.items():
        kind = name.rpartition(".")[2]
        lo, hi = tensor_range(model.config, name)
        if name == "softmax.table" or rng.random() < 0.85:
            continue
        if name.endswith(("score.multiplier", "context.multiplier")):
            new = rng.choice([1, hi, int(rng.integers(1, hi + 1))], tensor.shape)
        elif name == "input.multiplier":
            new = rng.choice([0, 1, (1 << 17) - 1, 1 << 12], tensor.shape)
        elif kind == "weight":
            peaks = rng.choice([lo, hi], tensor.shape)
            one_hot = np.zeros_like(tensor)
            one_hot[np.arange(len(tensor)), rng.integers(0, tensor.shape[1], len(tensor))] = hi
            new = [peaks, np.full_like(tensor, lo), np.zeros_like(tensor), one_hot][int(rng.integers(4))]
        elif rng.random() < 0.5:
            new = rng.choice([lo, hi, 0], tensor.shape)
        else:
            new = np.clip(tensor.astype(np.int64) << int(rng.integers(1, 6)), lo, hi)
        tensors[name] = new
        replaced.append(name)
    return QuantizedModel(model.config, {name: np.asarray(t, np.int32) for name, t in tensors.items()}), replaced


def shuffled(rng, model):
    """Another model of the same shape and widths: every tensor but the softmax table in another order."""
    tensors = {name: tensor if name == "softmax.table" else rng.permutation(tensor.ravel()).reshape(tensor.shape)
               for name, tensor in model.tensors.items()}
    return QuantizedModel(model.config, tensors)


def alive(model):
    """Whether the results depend on the windows: in a dead model nothing would be seen."""
    spread = (1 << 27) // int(max(1, np.median(model["input.multiplier"])))
    rows = np.random.default_rng(0).integers(-spread, spread, (WINDOWS, model.config.window, model.config.features))
    return len(np.unique(golden.infer(model, np.clip(rows, -(1 << 31), (1 << 31) - 1)), axis=0)) >= ALIVE


def draw(seed, number):
    """One case.

    Args:
        seed: of the run; number: of the case.
    Returns:
        ``(compiled, facts, rng)``: CompiledModel; dict of shape, options and replaced tensors for the record; Generator.
    """
    rng = np.random.default_rng([seed, number])
    for attempt in range(1000):
        shape   = dict(KNOWN[number]) if number < len(KNOWN) else _shape(rng)
        model   = random_model(rng, **shape)
        options = {} if number < len(KNOWN) else _options(rng, model.config.tokens)
        if options and number % PUMPED == 0 and DEVICES[options["device"]].dsp_block.accumulator:
            options["pump"] = True
        replaced = []
        if number >= len(KNOWN) and rng.random() < 0.6:
            model, replaced = unusual(rng, model)
        if number >= len(KNOWN) and not alive(model):
            continue
        try:
            compiled = compile_model(model, HardwareOptions(**options))
        except LiteFormerError:  # Too big for the device that was drawn.
            continue
        if compiled.cycles <= CYCLES or number < len(KNOWN):
            return compiled, {"shape": shape, "options": options, "unusual": replaced, "drawn": attempt + 1}, rng
    raise LiteFormerError(f"no shape of case {number} of seed {seed} fits; choose another seed")
