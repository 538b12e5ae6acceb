# SPDX-License-Identifier: BSD-2-Clause
"""The compiler: options, memory images, layout, and a schedule re-checked by replaying every access."""

import functools
import json
from collections import defaultdict

import numpy as np
import pytest

from liteformer.accel import LiteFormerError, numerics
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.images import pack
from liteformer.accel.compiler.layout import linear_shapes, make_layout
from liteformer.accel.compiler.plan import plan
from liteformer.accel.compiler.schedule import schedule
from liteformer.accel.compiler.steps import build_steps
from liteformer.accel.gateware.sequencer import ROW_MEMORY, ROW_PROBABILITY
from liteformer.accel.hardware import compute_fields, drain_fields, encode, word_bits

from ..refusal import refusal
from .common import make_model

SHAPES = [
    ({"readout": "mean"}, {}),
    ({"readout": "last", "layers": 2, "heads": 2}, {"rows": 2}),
    ({"readout": "mean", "window": 12, "d_model": 32, "features": 7}, {}),
    ({"readout": "last", "window": 12, "d_model": 32, "features": 7}, {}),
    ({"readout": "mean", "window": 12, "d_model": 24, "heads": 4, "layers": 3, "bits": 6},
     {"rows": 4, "columns": 5, "requantizers": 1}),
    ({"readout": "last", "window": 10, "d_model": 12, "heads": 3, "layers": 2, "bits": 8, "outputs": 9},
     {"rows": 5, "columns": 7, "requantizers": 5}),
    ({"readout": "mean", "window": 6, "d_model": 6, "heads": 6, "layers": 2}, {"rows": 1, "columns": 1}),
    ({"readout": "last", "window": 22, "patch": 4, "stride": 2, "features": 3, "d_model": 8}, {"rows": 5}),
    ({"readout": "last", "window": 24, "d_model": 8, "ffn": 5}, {"rows": 12, "columns": 3, "requantizers": 3}),
]


def compiled(shape, options):
    """The model of a shape, compiled once for all tests of this file."""
    return _compiled(json.dumps(shape), json.dumps(options))


@functools.cache
def _compiled(shape, options):
    return compile_model(make_model(**json.loads(shape)), HardwareOptions(**json.loads(options)))


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


class Replay:
    """Goes through the steps cycle by cycle from ``timing`` alone: who issues what when, who writes what when.

    The rules are those of the blocks' documentation: sums are in the drain registers DRAIN cycles after the last issue of a
    tile, a result selected in cycle s is visible to a read issued in s + 8 or later; memory words are written once per
    column (values: once per tile and group).
    """

    # By bits of a column operand: a register for each adder of a product.
    DRAIN = {2: 7, 3: 7, 4: 7, 5: 8, 6: 8, 7: 9, 8: 9}
    VISIBLE = 8

    def __init__(self, built):
        self.hw = built.hw
        self.events = []       # (cycle, 0 for a write or 1 for a read, memory, address), in program order
        self.problems = []
        drain_free = issue_free = 0
        for step in built.steps:
            start = step.timing["start"]
            if start < issue_free:
                self.problems.append(f"{step.name} issues before the step before has ended")
            for tile in range(step.tiles(self.hw)):
                begin = start + tile * step.interval(self.hw)
                self._issue(step, tile, begin)
                issue_free = begin + step.k * step.passes
                select = issue_free - 1 + self.DRAIN[self.hw.column_bits]
                if select < drain_free:
                    self.problems.append(f"{step.name} overwrites the drain registers")
                drain_free = self._drain(step, tile, select)

    def _issue(self, step, tile, begin):
        hw = self.hw
        for p in range(step.passes):
            for k in range(step.k):
                cycle = begin + p * step.k + k
                row = step.row_base + k + (p * step.k if step.row_continue else 0)
                if step.row_source in (ROW_MEMORY, ROW_PROBABILITY):
                    self.read(cycle, "row" if step.row_source == ROW_MEMORY else "probability", row)
                kind = step.column_source - len(hw.streams)
                if kind in (0, 2):
                    self.read(cycle, "key", step.column_base + k)
                elif kind == 1:
                    self.read(cycle, "value", step.column_base + tile * hw.value_tokens + k // hw.requantizers)

    def _drain(self, step, tile, select):
        hw, cycles = self.hw, step.column_cycles(self.hw)
        columns = step.last_columns(hw) if tile == step.tiles(hw) - 1 else step.tile_columns(hw)
        for column in range(columns):
            channel = tile * step.tile_columns(hw) + column
            first, last = select + column * cycles, select + (column + 1) * cycles - 1
            if step.residual_read is not None:
                self.read(first, "residual", step.residual_read + channel)
            for memory, base in (("row", step.base), ("key", step.base), ("residual", step.residual_write)):
                if memory in step.writes:
                    self.write(last + self.VISIBLE, memory, base + channel)
            if "value" in step.writes:
                for group in range(hw.groups):
                    self.write(last + self.VISIBLE, "value", step.base + tile * hw.value_tokens + group)
        return select + columns * cycles

    def read(self, cycle, memory, address):
        self.events.append((cycle, 1, memory, address))

    def write(self, cycle, memory, address):
        self.events.append((cycle, 0, memory, address))


def written_before_read(built):
    """Each read of a word must see the writes of all steps before it in program order, and none of a later one.

    The order of reads and writes of each word in time must be that in program order.
    """
    replay = Replay(built)
    words = defaultdict(list)
    for cycle, order, memory, address in replay.events:
        # The softmax unit writes probabilities in its own time; the engine's tests cover it.
        if memory != "probability":
            words[memory, address].append((cycle, order))
    problems = list(replay.problems)
    for word, accesses in words.items():
        expected, writes = {}, 0
        for position, (_, order) in enumerate(accesses):
            expected[position] = writes
            writes += order == 0
        writes = 0
        for _, order, position in sorted((cycle, order, position) for position, (cycle, order) in enumerate(accesses)):
            if order == 0:
                writes += 1
            elif writes != expected[position]:
                problems.append(f"{word} is read after {writes} writes instead of {expected[position]}")
    return problems


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_no_read_before_its_write(shape, options):
    built = compiled(shape, options)
    assert written_before_read(built) == []
    assert built.cycles >= max(step.timing["last_select"] for step in built.steps)
    # Negative control: any step that waits, started one cycle earlier, is found (scores also wait for the softmax).
    waiting = [step for step in built.steps[1:] if step.timing["wait"] and step.row_source == ROW_MEMORY
               and "score" not in step.writes and step.k * step.passes * step.tiles(built.hw) > 1]
    assert waiting
    for step in waiting:
        step.timing["start"] -= 1
        assert written_before_read(built), step.name
        step.timing["start"] += 1


@pytest.mark.parametrize(("shape", "options"), SHAPES, ids=str)
def test_waits_and_gaps_give_the_scheduled_starts(shape, options):
    """The sequencer only knows waits and gaps; adding them up must give the starts of the schedule."""
    built = compiled(shape, options)
    cycle = 0
    for step in built.steps:
        cycle += step.timing["wait"]
        assert cycle == step.timing["start"]
        tiles = step.tiles(built.hw)
        cycle += tiles * step.k * step.passes + (tiles - 1) * step.timing["gap"]
        assert cycle == step.timing["last_issue"] + 1


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


@pytest.mark.parametrize(("shape", "options"), [
    ({"window": 12, "d_model": 32, "features": 7}, {"rows": 12, "columns": 8, "requantizers": 3}),
    ({"window": 12, "d_model": 32, "heads": 4}, {"rows": 6, "columns": 4, "requantizers": 3}),
    ({"window": 6, "d_model": 14}, {"rows": 6, "columns": 4, "requantizers": 2}),
], ids=str)
def test_values_ahead_of_the_scores(shape, options):
    """Values cut in two are the same products, and the order that is taken is the fastest one."""
    built = compiled({"readout": "last"} | shape, options)
    model, hw = built.model, built.hw
    layout = make_layout(model.config, rows=hw.rows, columns=hw.columns, requantizers=hw.requantizers)

    def products(ahead):
        """(k, stream word, parameter, word of the value memory) of each tile, and the MACs."""
        values = [step for step in build_steps(model, hw, layout, ahead) if step.kind == "value"]
        assert all(step.last_columns(hw) > 0 for step in values)
        return sorted((step.k, step.column_base + tile * step.k, step.parameter + tile * hw.columns,
                       step.base + tile * hw.value_tokens) for step in values for tile in range(step.tiles(hw))), sum(
            step.macs for step in values), sum(step.channels for step in values)

    cycles = [schedule(build_steps(model, hw, layout, ahead), hw) for ahead in range(3)]
    assert products(0) == products(1) == products(2) == products(99)
    assert plan(model, hw, layout)[1] == built.cycles == min(cycles)
    assert (cycles[0] > built.cycles) == ("heads" not in shape)
    # As many steps as a build has room for.
    assert plan(model, hw, layout, len(build_steps(model, hw, layout)))[1] >= built.cycles
    assert len(plan(model, hw, layout, 1)[0]) == len(build_steps(model, hw, layout))
