# SPDX-License-Identifier: BSD-2-Clause
"""The schedule, re-checked by replaying every access of every step, and the order of the steps."""

from collections import defaultdict

import pytest

from liteformer.accel.compiler.layout import make_layout
from liteformer.accel.compiler.plan import plan
from liteformer.accel.compiler.schedule import schedule
from liteformer.accel.compiler.steps import build_steps
from liteformer.accel.gateware.sequencer import ROW_MEMORY, ROW_PROBABILITY

from .compiled_shapes import SHAPES, compiled


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
