# SPDX-License-Identifier: BSD-2-Clause
"""From a model and an array to the complete hardware shape: widths, depths and the place of every memory."""

from dataclasses import replace

import numpy as np

from liteformer.accel import numerics
from liteformer.accel.compiler.images import accumulator_range, head_range
from liteformer.accel.compiler.memories import plan_memories
from liteformer.accel.devices import SERIES_7
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import Hardware, StreamShape, memory_shapes
from liteformer.accel.model import QuantizedModel

# Bits by which the parameters of a later model may exceed those of the first one.
SPARE_BITS = 2


def widest_weights(model):
    """The model with the most negative weights everywhere, whose sums reach as far as those of any model of its shape."""
    return QuantizedModel(model.config, {
        name: np.full_like(tensor, -numerics.signed_range(model.config.bits[name])[1]) if name.endswith(".weight") else tensor
        for name, tensor in model.tensors.items()})


def check_input(model, block):
    """Refuse a model whose samples' multiplier does not fit the narrow port of a DspBlock, where it goes.

    Raises:
        LiteFormerError: it does not.
    """
    largest, limit = int(model["input.multiplier"].max()), numerics.signed_range(block.narrow)[1]
    if largest > limit:
        raise LiteFormerError(f"input.multiplier is up to {largest}, the device's multipliers take samples times {limit} at "
                              "most; choose a larger raw_scale or another --device")


def make_hardware(model, array, layout, halves, loadable=False, family=SERIES_7):
    """Complete hardware shape for a model on an array.

    Args:
        array: Array; layout: Layout made for it; halves: block RAM budget of the core, in its smallest blocks.
        loadable: leave room for other models of the same shape; family: Family of the device.
    Raises:
        LiteFormerError: see ``check_input``.
    """
    config, dsp_block = model.config, family.dsp_block
    check_input(model, dsp_block)
    row_bits, column_bits = config.row_bits, config.column_bits
    bounded = widest_weights(model) if loadable else model
    accumulator_bits = numerics.signed_bits(*accumulator_range(bounded, layout.row_tiles))

    def spare(bits, limit):
        return min(limit, bits + SPARE_BITS) if loadable else bits

    def widest(suffixes, added=0):
        values = [np.asarray(tensor) + added for name, tensor in model.tensors.items()
                  if name.endswith(suffixes) and not name.endswith("context.multiplier")]
        return max(numerics.signed_bits(v.min(), v.max()) for v in values)

    # Multipliers that fit the narrow port are free in a loadable build.
    multiplier_bits = max(2, widest((".multiplier",)), dsp_block.narrow if loadable else 0)
    numerator = max(int(model[f"layers.{layer}.context.multiplier"][0]) for layer in range(config.layers))
    table = model["softmax.table"]
    table_top = int(table[0])
    low, high = model.input_range
    digits = numerics.digit_count
    hw = Hardware(
        rows=array.rows, columns=array.columns, requantizers=array.requantizers, dsp_lanes=array.dsp_lanes, pump=array.pump,
        row_bits=row_bits, column_bits=column_bits, accumulator_bits=accumulator_bits, row_tiles=layout.row_tiles,
        features=config.features, patch=config.patch, stride=config.stride, outputs=config.outputs, heads=config.heads,
        layers=config.layers,
        input_bits=config.bits["input"], input_high=high, input_digits=digits(config.bits["input"], row_bits),
        probability_digits=numerics.digits_for(table_top, row_bits),
        pool=config.readout == "mean", wide=config.readout == "last",
        streams=tuple(StreamShape(bits, groups, depth)
                      for (bits, groups), depth in zip(layout.stream_keys, layout.stream_depths)),
        row_depth=layout.row_depth, residual_depth=2 * layout.row_tiles * config.d_model,
        key_depth=layout.row_tiles * config.d_model, value_depth=config.heads * layout.head_value_words,
        parameter_depth=layout.parameter_depth, residual_parameters=layout.residual_parameters, multiplier_bits=multiplier_bits,
        residual_bits=spare(max(2, widest((".residual",))), numerics.RESIDUAL_BITS),
        offset_bits=spare(widest((".offset",), numerics.ROUNDING), numerics.OFFSET_BITS + 1),
        numerator_bits=max(numerator.bit_length() + loadable, table_top.bit_length()), table_length=len(table),
        table_top=table_top,
        clamps=tuple(sorted({bits for name, bits in config.bits.items() if name != "input" and not name.endswith(
            ("weight", "position", "probability"))})),
        skip_features=tuple(config.target_features) if config.skip == "persistence" else (),
        head_bits=numerics.signed_bits(*head_range(bounded)), loadable=bool(loadable), dsp_block=dsp_block,
        ram_shapes=family.ram_shapes, read_ports=family.read_ports)
    streams = [(stream.depth, stream.groups * array.columns * stream.bits) for stream in hw.streams]
    styles, plans, _, _ = plan_memories(memory_shapes(hw), streams, halves, loadable, family)
    return replace(hw, styles=styles,
                   streams=tuple(replace(stream, plan=plan) for stream, plan in zip(hw.streams, plans)))
