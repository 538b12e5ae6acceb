# SPDX-License-Identifier: BSD-2-Clause
"""Which single-bit flips of a model's memories the known windows of the self-test notice, in the integer model."""

import copy

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.soc.known_window import known_windows

FLIPS = 200
LEAST = 20               # Flips tried of a model that is slow to compute.
WORK  = 6_000_000_000    # Multiplications, about two seconds.
SCORE = 100              # What a score takes, softmax included, in multiplications.


def widths(compiled):
    """Bits that an integer of each tensor has in its memory, dict name -> (bits, what the memory adds to it, signed)."""
    hw, bits = compiled.hw, compiled.model.config.bits
    kinds = {"multiplier": (hw.multiplier_bits, 0, True), "residual": (hw.residual_bits, 0, True),
             "offset": (hw.offset_bits, numerics.ROUNDING, True), "position": (hw.row_bits, 0, True),
             "table": (hw.table_top.bit_length(), 0, False)}
    return {name: (hw.numerator_bits, 0, False) if name.endswith("context.multiplier") else
            (bits[name], 0, True) if name.endswith("weight") else kinds[name.rpartition(".")[2]]
            for name in compiled.model.tensors}


def flipped(compiled, name, place, bit):
    """The model with one bit of one integer flipped as it stands in its memory; unchecked, since a fault keeps to no range."""
    bits, added, signed = widths(compiled)[name]
    tensor = compiled.model.tensors[name].astype(np.int64)
    word = (int(tensor.flat[place]) + added ^ 1 << bit) & (1 << bits) - 1
    tensor.flat[place] = (word - (signed and word >> bits - 1 << bits)) - added
    other = copy.copy(compiled.model)
    object.__setattr__(other, "tensors", compiled.model.tensors | {name: tensor})
    return other


def draw(compiled, count, seed):
    """``count`` random bits of the memories, all equally likely: list of (tensor, place, bit)."""
    rng, model, bits = np.random.default_rng(seed), compiled.model, widths(compiled)
    names = list(bits)
    sizes = np.array([model.tensors[name].size * bits[name][0] for name in names], float)
    return [(name, int(rng.integers(model.tensors[name].size)), int(rng.integers(bits[name][0])))
            for name in map(names.__getitem__, rng.choice(len(names), count, p=sizes / sizes.sum()))]


def noticed(compiled, flips=None, seed=0):
    """Flip bits one at a time and see whether an output of a known window changes.

    Args:
        compiled: CompiledModel; flips: to try, None for FLIPS or as many as take seconds; seed: of their choice.
    Returns:
        dict: ``windows``, ``flips`` tried, ``noticed``.
    """
    model, raw = compiled.model, known_windows(compiled.model)
    if flips is None:
        weights = sum(tensor.size for name, tensor in model.tensors.items() if name.endswith("weight"))
        tokens, heads = model.config.tokens, model.config.heads * model.config.layers
        flips = max(LEAST, min(FLIPS, WORK // (len(raw) * tokens * (weights + SCORE * tokens * heads))))
    right = golden.infer(model, raw)
    # A sum of weights of the softmax can become zero.
    with np.errstate(divide="ignore"):
        seen = sum(bool(np.any(golden.infer(flipped(compiled, *flip), raw) != right)) for flip in draw(compiled, flips, seed))
    return {"windows": len(raw), "flips": flips, "noticed": seen}
