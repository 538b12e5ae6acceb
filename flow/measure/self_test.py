# SPDX-License-Identifier: BSD-2-Clause
"""Which single-bit flips of a model's memories the known windows of the self-test notice, in the integer model."""

import copy

import numpy as np

from liteformer.accel import golden, numerics
from liteformer.soc.known_window import WINDOWS, known_windows

FLIPS = 200
LEAST = 20               # Flips tried of a model that is slow to compute.
WORK  = 6_000_000_000    # Multiplications, about two seconds.
TABLE = "softmax.table"
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


def _changes(compiled, flips, raw):
    """Of each flip: whether an output for one of the windows ``raw`` changes, list of bool."""
    right = golden.infer(compiled.model, raw)
    # A sum of weights of the softmax can become zero.
    with np.errstate(divide="ignore"):
        return [bool(np.any(golden.infer(flipped(compiled, *flip), raw) != right)) for flip in flips]


def _count(compiled, flips, others):
    raw  = known_windows(compiled.model)
    seen = _changes(compiled, flips, raw)
    found = {"windows": len(raw), "flips": len(flips), "noticed": sum(seen)}
    if others is not None:
        left = [flip for flip, known in zip(flips, seen) if not known]
        found |= {"others": len(others), "told apart": sum(_changes(compiled, left, others))}
    return found


def noticed(compiled, flips=None, seed=0, others=None):
    """Flip bits one at a time and see whether an output of a known window changes.

    Args:
        compiled: CompiledModel; flips: to try, None for FLIPS or as many as take seconds; seed: of their choice; others: int64
        ``(N, window, features)``, windows for the flips that the known ones do not notice, or None.
    Returns:
        dict: ``windows``, ``flips`` tried, ``noticed``; with ``others``: ``others``, how many windows, and how many of the
        flips that were not noticed they ``told apart``.
    """
    model = compiled.model
    if flips is None:
        weights = sum(tensor.size for name, tensor in model.tensors.items() if name.endswith("weight"))
        tokens, heads = model.config.tokens, model.config.heads * model.config.layers
        flips = max(LEAST, min(FLIPS, WORK // (WINDOWS * tokens * (weights + SCORE * tokens * heads))))
    return _count(compiled, draw(compiled, flips, seed), others)


def noticed_in_the_table(compiled, others=None):
    """Flip every bit of the softmax's table, which is logic in any build; arguments and result as of ``noticed``."""
    bits, *_ = widths(compiled)[TABLE]
    return _count(compiled, [(TABLE, entry, bit) for entry in range(compiled.model[TABLE].size) for bit in range(bits)], others)
