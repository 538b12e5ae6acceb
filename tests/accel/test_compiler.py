# SPDX-License-Identifier: BSD-2-Clause
"""The compiler: options, memory images, layout, instruction words, accumulators."""

from collections import defaultdict

import numpy as np
import pytest

from liteformer.accel import LiteFormerError, numerics
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.images import pack
from liteformer.accel.compiler.layout import linear_shapes, make_layout
from liteformer.accel.hardware import compute_fields, drain_fields, encode, word_bits

from ..refusal import refusal
from .common import make_model
from .compiled_shapes import SHAPES, compiled


@pytest.mark.parametrize(("options", "message"), [
    ({"rows": 5}, "--rows 5 does not divide the 12 tokens of a window; possible: 1, 2, 3, 4, 6, 12"),
    ({"rows": 24}, "--rows 24 does not divide the 12 tokens of a window; possible: 1, 2, 3, 4, 6, 12"),
    ({"columns": 65}, "--columns 65 is outside 1 to 64"),
    ({"columns": -1}, "--columns -1 is outside 1 to 64"),
    ({"rows": 6, "requantizers": 4}, "--requantizers 4 does not divide the 6 rows; possible: 1, 2, 3, 6"),
    ({"rows": 6, "requantizers": 12}, "--requantizers 12 does not divide the 6 rows; possible: 1, 2, 3, 6"),
])
def test_option_errors(options, message):
    assert refusal(compile_model, make_model(window=12), HardwareOptions(**options)) == message


@pytest.mark.parametrize("options", [{"rows": -2}, {"rows": 0}, {"columns": 0}, {"requantizers": -1}, {"requantizers": 0},
                                     {"dsp_lanes": -2}], ids=str)
def test_options_below_one(options):
    with pytest.raises(LiteFormerError):
        compile_model(make_model(window=12), HardwareOptions(**options))


@pytest.mark.parametrize(("shape", "options"), [
    ({"window": 17, "readout": "mean"}, {"rows": 1}),
    ({"ffn": 2049}, {}),
    pytest.param({"d_model": 520}, {"columns": 1}, marks=pytest.mark.slow),
    ({"window": 12, "d_model": 64, "features": 1, "readout": "mean"}, {"columns": 64, "requantizers": 1}),
    ({"window": 12, "d_model": 16, "heads": 8, "ffn": 16}, {}),
    pytest.param({"window": 101, "d_model": 1, "layers": 2}, {}, marks=pytest.mark.slow),
    ({"window": 257, "d_model": 2, "ffn": 2}, {}),
], ids=str)
def test_large_models_compile_or_say_why(shape, options):
    try:
        compiled(shape, options)
    except LiteFormerError as error:
        assert str(error)


@pytest.mark.parametrize("window", [7, 13, 17])
def test_any_window_has_an_array(window):
    hw = compiled({"window": window}, {}).hw
    assert hw.tokens == window and hw.rows * hw.row_tiles == window


def test_one_token_and_many_channels():
    assert compiled({"window": 1, "d_model": 96}, {"device": "xc7s25"}).hw.columns <= 64


def test_options_are_kept():
    hw = compiled({"window": 12}, {"rows": 6, "columns": 5, "requantizers": 3, "dsp_lanes": 8}).hw
    assert (hw.rows, hw.columns, hw.requantizers, hw.dsp_lanes) == (6, 5, 3, 8)


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_pack(bits):
    lo, hi = numerics.signed_range(bits)
    values = np.random.default_rng(0).integers(lo, hi, (5, 7), endpoint=True)
    words = pack(values, bits)
    unpacked = [[((word >> (bits * i)) + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1)) for i in range(7)]
                for word in words]
    # Two's complement: shift the range to zero, wrap, shift back.
    assert unpacked == values.tolist()
    assert pack(values + 1, bits) != words


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_weight_streams_hold_every_weight_once(shape, options):
    """Read the streams back tile after tile, as the array does, and find each weight matrix."""
    built = compiled(shape, options)
    hw, config = built.hw, built.model.config
    found = {}
    for step in built.steps:
        if step.column_source >= len(hw.streams):
            continue
        stream = hw.streams[step.column_source]
        words = built.images["streams"][step.column_source]
        assert len(words) == stream.depth
        lanes, tile_columns = hw.columns * stream.groups, step.tile_columns(hw)
        half = 1 << (stream.bits - 1)
        name = step.name.partition("[")[0]
        for channel in range(step.channels):
            tile, lane = divmod(channel, tile_columns)
            assert lane < lanes
            weights = [((words[step.column_base + tile * step.k + k] >> (lane * stream.bits)) + half) % (2 * half) - half
                       for k in range(step.k)]
            first = step.parameter - parameter_base(built, name)
            found[name, first + channel] = weights
    expected = {(name, channel): weights for name in linear_shapes(config)
                for channel, weights in enumerate(built.model[f"{name}.weight"].tolist())}
    assert found == expected


def parameter_base(built, name):
    """First parameter word of a product: those of the same name start there."""
    return min(step.parameter for step in built.steps if step.name.partition("[")[0] == name)


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_parameters(shape, options):
    """Each channel's word holds its multiplier, offset and residual multiplier."""
    built = compiled(shape, options)
    hw, model = built.hw, built.model

    def signed(words, bits):
        return [word - ((word >> (bits - 1)) << bits) for word in words]

    multipliers = signed(built.images["multiplier"], hw.multiplier_bits)
    # A bias in the memory holds the rounding half too.
    offsets = [offset - numerics.ROUNDING for offset in signed(built.images["offset"], hw.offset_bits)]
    residuals = signed(built.images["residual_multiplier"], hw.residual_bits)
    for name in linear_shapes(model.config):
        base = parameter_base(built, name)
        for channel, multiplier in enumerate(model[f"{name}.multiplier"]):
            assert (multipliers[base + channel], offsets[base + channel]) == (multiplier, model[f"{name}.offset"][channel])
            if f"{name}.residual" in model.tensors:
                assert residuals[base + channel] == model[f"{name}.residual"][channel]
    for feature in range(model.config.features):
        assert multipliers[feature] == model["input.multiplier"][feature]
        assert offsets[feature] == model["input.offset"][feature]


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_layout_does_not_overlap(shape, options):
    built = compiled(shape, options)
    hw, config = built.hw, built.model.config
    layout = make_layout(config, rows=hw.rows, columns=hw.columns, requantizers=hw.requantizers)
    regions = [range(layout.hidden(tile), layout.hidden(tile) + config.d_model) for tile in range(hw.row_tiles)]
    # Context and expanded tokens share their words, with one row tile the queries too: the replay of all accesses below
    # shows that none is overwritten before its last read.
    shared = range(layout.context, layout.context + max(config.d_model, config.ffn))
    assert layout.expanded == layout.context
    assert (layout.query == layout.context) == (hw.row_tiles == 1)
    if hw.row_tiles > 1:
        regions.append(range(layout.query, layout.query + config.d_model))
    assert disjoint([*regions, shared], hw.row_depth)
    regions = [range(layout.parameters[name], layout.parameters[name] + outputs)
               for name, (outputs, _) in layout.linears.items()]
    regions += [range(layout.parameters[f"layers.{n}.score"], layout.parameters[f"layers.{n}.score"] + config.heads)
                for n in range(config.layers)]
    regions += [range(config.features), range(layout.parameters["zero"], layout.parameters["zero"] + 1)]
    assert disjoint(regions, hw.parameter_depth)
    for index, blocks in enumerate(layout.blocks):
        lanes = hw.columns * layout.stream_keys[index][1]
        regions = []
        for name, first, count in blocks:
            base = layout.weights[name, first][1]
            regions.append(range(base, base + -(-count // lanes) * layout.linears[name][1]))
        assert disjoint(regions, hw.streams[index].depth)
    heads = [range(layout.value(h), layout.value(h) + layout.head_value_words) for h in range(config.heads)]
    assert disjoint(heads, hw.value_depth)
    # Negative control.
    assert not disjoint([*heads, range(1)], hw.value_depth) and not disjoint(heads, hw.value_depth - 1)


def disjoint(regions, depth):
    """No address in two regions, and none beyond the memory."""
    addresses = [address for region in regions for address in region]
    return len(addresses) == len(set(addresses)) and min(addresses) >= 0 and max(addresses) < depth


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_mac_table_counts_every_product(shape, options):
    """Brute force: one for each weight or activation pair that a token needs, against the table and the steps."""
    built = compiled(shape, options)
    config = built.model.config
    n, d, count = config.tokens, config.d_model, defaultdict(int)
    count["embed"] = sum(1 for _ in range(n) for _ in range(d)
                         for _ in range(config.patch) for _ in range(config.features))
    for layer in range(config.layers):
        tokens = range(1 if config.readout == "last" and layer == config.layers - 1 else n)
        for kind, (outputs, inputs), used in (
                ("query", (d, d), tokens), ("key", (d, d), range(n)), ("value", (d, d), range(n)), ("project", (d, d), tokens),
                ("expand", (config.ffn, d), tokens), ("contract", (d, config.ffn), tokens)):
            count[kind] += sum(outputs * inputs for _ in used)
        for _ in range(config.heads):
            for _ in tokens:
                for _ in range(n):
                    count["score"] += d // config.heads
                    count["context"] += d // config.heads
    count["head"] = d * config.outputs
    assert config.mac_table() == dict(count) and config.macs == sum(count.values())
    steps = defaultdict(int)
    for step in built.steps:
        steps[step.kind] += step.macs
    assert steps == count
    assert 0 < built.utilization <= 1


def test_instruction_words():
    """Fields are packed from the lowest bit up; what does not fit or does not exist is refused."""
    fields = [("a", 3), ("b", 1), ("c", 4)]
    assert encode(fields, {"a": 5, "b": 1, "c": 9}) == 5 | 1 << 3 | 9 << 4
    assert encode(fields, {"c": 1}) == 1 << 4 and word_bits(fields) == 8
    with pytest.raises(ValueError, match="instruction field a = 8 does not fit 3 bits"):
        encode(fields, {"a": 8})
    with pytest.raises(ValueError, match=r"unknown instruction fields \['z'\]"):
        encode(fields, {"z": 0})


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_programs_fit_their_words(shape, options):
    built = compiled(shape, options)
    for name, fields in (("compute", compute_fields(built.hw)), ("drain", drain_fields(built.hw))):
        program = built.images[name]
        assert len(program) == len(built.steps)
        assert all(0 <= word < 1 << word_bits(fields) for word in program)


@pytest.mark.parametrize("bits", range(2, 9))
def test_accumulators_hold_the_extreme_sums(bits):
    """Every weight, query, key and value at its most extreme of one sign."""
    model = make_model(bits=bits, readout="mean")
    hw = compile_model(model, HardwareOptions(rows=4)).hw
    lo, hi = numerics.signed_range(hw.accumulator_bits)
    peak = 1 << (bits - 1)
    config, top = model.config, int(model["softmax.table"][0])
    assert lo <= -config.head_dim * peak * peak and config.head_dim * peak * peak <= hi
    assert lo <= -config.window * top * peak
    for name in linear_shapes(config):
        x_lo, x_hi = model.input_range if name == "embed" else numerics.signed_range(bits)
        weights = model[f"{name}.weight"]
        assert np.where(weights > 0, weights * x_hi, weights * x_lo).sum(axis=1).max() <= hi
        assert np.where(weights > 0, weights * x_lo, weights * x_hi).sum(axis=1).min() >= lo
