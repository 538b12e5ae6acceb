# SPDX-License-Identifier: BSD-2-Clause
"""Memory images: the model's integers packed into the words that the gateware's memories start with."""

import numpy as np

from liteformer.accel import numerics
from liteformer.accel.hardware import DEFAULT_WIDTHS, compute_fields, drain_fields, encode


def pack(values, bits):
    """Pack signed integers into words, the first element lowest.

    Args:
        values: int array ``(words, elements)``; bits: width of an element.
    Returns:
        list of Python ints, one per word.
    """
    masked = np.asarray(values, np.int64) & ((1 << bits) - 1)
    words = []
    for row in masked:
        word = 0
        for element in row[::-1]:
            word = (word << bits) | int(element)
        words.append(word)
    return words


def stream_words(model, hw, layout, stream):
    """Contents of one weight stream: tile by tile, k by k, the tile's channels side by side."""
    bits, groups = layout.stream_keys[stream]
    tile_columns = hw.columns * groups
    blocks = []
    for name, first, count in layout.blocks[stream]:
        weights = model[f"{name}.weight"][first:first + count]
        tiles = -(-count // tile_columns)
        padded = np.zeros((tiles * tile_columns, weights.shape[1]), np.int64)
        padded[:count] = weights
        blocks.append(padded.reshape(tiles, tile_columns, -1).transpose(0, 2, 1).reshape(-1, tile_columns))
    return pack(np.concatenate(blocks), bits)


def parameter_words(model, hw, layout):
    """Contents of the parameter memories: multiplier, bias (``offset``) and residual multiplier of every channel, by name.

    A bias holds the rounding half of the requantization as well, which then needs no adder.
    """
    table = np.zeros((layout.parameter_depth, 3), np.int64)
    table[:hw.features, 0] = model["input.multiplier"]
    table[:hw.features, 1] = model["input.offset"]
    for name, base in layout.parameters.items():
        if name == "zero":
            continue
        multiplier = model[f"{name}.multiplier"]
        rows = slice(base, base + len(multiplier))
        table[rows, 0] = multiplier
        if f"{name}.offset" in model.tensors:
            table[rows, 1] = model[f"{name}.offset"]
        if f"{name}.residual" in model.tensors:
            table[rows, 2] = model[f"{name}.residual"]
    table[:, 1] += numerics.ROUNDING
    names = ("multiplier", "offset", "residual_multiplier")
    bits = (hw.multiplier_bits, hw.offset_bits, hw.residual_bits)
    depths = (hw.parameter_depth, hw.parameter_depth, hw.residual_parameters)
    return {name: pack(column[:depth, None], width) for name, column, width, depth in zip(names, table.T, bits, depths)}


def residual_words(model, hw, layout):
    """Initial contents of the residual memory: room for the hidden state, then the positional encoding."""
    position = model["position"].reshape(hw.row_tiles, hw.rows, -1).transpose(0, 2, 1).reshape(-1, hw.rows)
    return [0] * layout.position_base + pack(position, hw.row_bits)


def program_widths(steps, hw, spare=False):
    """Widths of the counters that a scheduled program needs, as in ``Hardware.widths``; ``spare``: with room for others."""
    largest = {
        "wait": max(step.timing["wait"] for step in steps), "gap": max(step.timing["gap"] for step in steps),
        "k_last": max(step.k for step in steps) - 1, "passes_last": max(step.passes for step in steps) - 1,
        "tiles_last": max(step.tiles(hw) for step in steps) - 1,
        "columns_last": max(step.tile_columns(hw) for step in steps) - 1,
    }
    largest["wait"] = max(largest["wait"], largest["gap"])
    widths = {name: max(1, value.bit_length()) for name, value in largest.items()}
    # A smaller model may wait longer.
    return {name: max(bits, DEFAULT_WIDTHS[name]) for name, bits in widths.items()} if spare else widths


def program_words(steps, hw):
    """Both programs, compute and drain, as lists of instruction words."""
    compute, drain = [], []
    for step in steps:
        end = step is steps[-1]
        compute.append(encode(compute_fields(hw), {
            "wait": step.timing["wait"], "k_last": step.k - 1, "passes_last": step.passes - 1,
            "tiles_last": step.tiles(hw) - 1, "gap": step.timing["gap"], "row_source": step.row_source,
            "row_base": step.row_base, "row_continue": step.row_continue, "broadcast": step.broadcast,
            "column_source": step.column_source, "column_base": step.column_base, "column_step": step.column_step,
            "end": end}))
        has_residual = step.residual_read is not None
        drain.append(encode(drain_fields(hw), {
            "tiles_last": step.tiles(hw) - 1, "columns_last": step.tile_columns(hw) - 1,
            "columns_first": (step.tile_columns(hw) if step.tiles(hw) > 1 else step.last_columns(hw)) - 1,
            "columns_last_tile": step.last_columns(hw) - 1, "wide": step.mode == "wide", "single": step.mode == "single",
            "pool": step.pool, **{f"to_{name}": 1 for name in step.writes}, "base": step.base, "residual": has_residual,
            "residual_read": step.residual_read or 0, "residual_write": step.residual_write,
            "parameter": step.parameter, "parameter_step": step.parameter_step, "reciprocal": step.reciprocal,
            "head": step.head, "layer": max(step.layer, 0), "score_end": step.score_end, "clamp": step.clamp, "end": end}))
    return compute, drain


def memory_images(model, hw, layout, steps):
    """Contents of every memory of the engine, a dict; tables and numerators as integers, the rest as words."""
    compute, drain = program_words(steps, hw)
    return {
        "compute": compute, "drain": drain,
        "streams": [stream_words(model, hw, layout, s) for s in range(len(hw.streams))],
        **parameter_words(model, hw, layout),
        "residual": residual_words(model, hw, layout),
        "table": [int(v) for v in model["softmax.table"]],
        "numerators": [int(model[f"layers.{layer}.context.multiplier"][0]) for layer in range(model.config.layers)],
    }


def head_range(model, tokens=None):
    """Accumulator bound of the head's product, summed over ``tokens`` (default: what the readout sums)."""
    config = model.config
    tokens = tokens or (config.tokens if config.readout == "mean" else 1)
    lo, hi = numerics.signed_range(config.bits[f"layers.{config.layers - 1}.hidden"])
    low, high = numerics.accumulator_bound(model["head.weight"], lo, hi)
    return low * tokens, high * tokens


def accumulator_range(model, row_tiles):
    """Accumulator bound of the array with this model's weights.

    Args:
        row_tiles: a mean readout sums this many tokens in one lane.
    Returns:
        ``(lo, hi)`` over all products and both attention products.
    """
    config, bits = model.config, model.config.bits
    ranges = []

    def linear(name, source):
        lo, hi = model.input_range if source == "input" else numerics.signed_range(bits[source])
        ranges.append(numerics.accumulator_bound(model[f"{name}.weight"], lo, hi))

    linear("embed", "input")
    hidden, top = "hidden", int(model["softmax.table"][0])
    for layer in range(config.layers):
        prefix = f"layers.{layer}"
        for name, source in (("query", hidden), ("key", hidden), ("value", hidden), ("project", f"{prefix}.context"),
                             ("expand", f"{prefix}.attended"), ("contract", f"{prefix}.expanded")):
            linear(f"{prefix}.{name}", source)
        peak = config.head_dim << (bits[f"{prefix}.query"] + bits[f"{prefix}.key"] - 2)
        ranges.append((-peak, peak))
        lowest = config.tokens * top * numerics.signed_range(bits[f"{prefix}.value"])[0]
        ranges.append((lowest, -lowest))
        hidden = f"{prefix}.hidden"
    ranges.append(head_range(model, row_tiles if config.readout == "mean" else 1))
    return min(lo for lo, _ in ranges), max(hi for _, hi in ranges)
