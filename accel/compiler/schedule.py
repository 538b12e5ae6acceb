# SPDX-License-Identifier: BSD-2-Clause
"""Timing: the cycle of every issue, drain and write, and the waits that keep reads behind the writes they need.

The core never stalls by itself; it runs exactly the schedule computed here, cycle for cycle.
"""

import numpy as np

from liteformer.accel.gateware.drain.drain import SELECT_TO_RESULT
from liteformer.accel.gateware.sequencer import (
    ROW_INPUT,
    ROW_MEMORY,
    ROW_PROBABILITY,
    ROW_WHOLE,
    key_source,
    value_source,
    wide_key_source,
)
from liteformer.accel.gateware.softmax.softmax import SCORE_TO_DIVISION, SCORE_TO_FIRST_WEIGHT, SCORE_TO_NEXT, Softmax
from liteformer.accel.hardware import DRAIN_TO_VISIBLE

# From the start pulse to issue time 0, and from the last selection to the done pulse.
START_CYCLES = 2
DONE_CYCLES = SELECT_TO_RESULT + 1


class _Timeline:
    """When each memory word becomes visible, and when shared units are free."""

    def __init__(self, hw):
        self.hw = hw
        depths = {"row": hw.row_depth, "residual": hw.residual_depth, "key": hw.key_depth, "value": hw.value_depth,
                  "probability": hw.heads * hw.tokens}
        self.ready = {name: np.zeros(max(depth, 1), np.int64) for name, depth in depths.items()}
        self.rate_ready = np.zeros((hw.heads, hw.groups), np.int64)
        self.last_issue = -1
        self.drain_free = 0
        self.second_pass_end = 0
        self.divide_end = 0

    def reads(self, step):
        """(memory, addresses, offsets from the step's first issue) of its row and column operands."""
        hw, k = self.hw, np.arange(step.k)
        tile_starts = np.arange(step.tiles(hw)) * step.interval(hw)
        passes = np.arange(step.passes)
        offsets = tile_starts[:, None, None] + passes[None, :, None] * step.k + k
        row = np.broadcast_to(step.row_base + k + (passes[:, None] * step.k if step.row_continue else 0),
                              offsets.shape[1:])
        if step.row_source != ROW_INPUT:
            memory = {ROW_MEMORY: "row", ROW_PROBABILITY: "probability", ROW_WHOLE: "probability"}[step.row_source]
            yield memory, np.broadcast_to(row, offsets.shape), offsets
        if step.column_source in (key_source(hw), wide_key_source(hw)):
            yield "key", np.broadcast_to(step.column_base + k, offsets.shape), offsets
        elif step.column_source == value_source(hw):
            tiles = np.arange(step.tiles(hw))[:, None, None] * hw.value_tokens
            yield "value", np.broadcast_to(step.column_base + tiles + k // hw.requantizers, offsets.shape), offsets

    def earliest(self, step):
        """First issue cycle that respects every dependency."""
        hw = self.hw
        work = step.k * step.passes
        start = self.last_issue + 1
        # The sums of the previous tile must have left the drain registers.
        start = max(start, self.drain_free - self.hw.issue_to_drain - work + 1)
        # The drain sequencer needs two cycles from one instruction to the next.
        start = max(start, self.drain_free + 1 - self._length(step))
        for memory, addresses, offsets in self.reads(step):
            start = max(start, int((self.ready[memory][addresses] - offsets).max()))
        first_select = work - 1 + self.hw.issue_to_drain
        if step.reciprocal:
            groups = hw.groups if step.mode == "narrow" else 1
            start = max(start, int((self.rate_ready[step.head, :groups] - np.arange(groups)).max()) - first_select)
        if step.residual_read is not None:
            for tile, columns in self._columns(step):
                selects = self._selects(step, tile, columns)
                words = self.ready["residual"][step.residual_read + tile * step.tile_columns(hw) + np.arange(columns)]
                start = max(start, int((words - selects).max()))
        if "score" in step.writes:
            start = max(start, self.second_pass_end - SELECT_TO_RESULT - first_select)
            if step.score_end:
                start = max(start, self.divide_end - SELECT_TO_RESULT - self._length(step))
        return start

    def _columns(self, step):
        tiles = step.tiles(self.hw)
        for tile in range(tiles):
            yield tile, step.last_columns(self.hw) if tile == tiles - 1 else step.tile_columns(self.hw)

    def _selects(self, step, tile, columns):
        """Selection cycle of the first group of each column, from the step's first issue."""
        base = tile * step.interval(self.hw) + step.k * step.passes - 1 + self.hw.issue_to_drain
        return base + np.arange(columns) * step.column_cycles(self.hw)

    def _length(self, step):
        """From the first issue to the last selection."""
        tile, columns = list(self._columns(step))[-1]
        return int(self._selects(step, tile, columns)[-1]) + step.column_cycles(self.hw) - 1

    def place(self, step, start):
        """Commit a step at its start cycle: record when its results are visible."""
        hw, cycles = self.hw, step.column_cycles(self.hw)
        tiles = step.tiles(hw)
        for tile, columns in self._columns(step):
            visible = start + self._selects(step, tile, columns) + cycles - 1 + DRAIN_TO_VISIBLE
            channel = tile * step.tile_columns(hw) + np.arange(columns)
            if "row" in step.writes:
                self.ready["row"][step.base + channel] = visible
            if "key" in step.writes:
                self.ready["key"][step.base + channel] = visible
            if "residual" in step.writes:
                self.ready["residual"][step.residual_write + channel] = visible
            if "value" in step.writes:
                words = step.base + tile * hw.value_tokens + np.arange(hw.groups)
                self.ready["value"][words] = visible[-1]
        self.last_issue = start + (tiles - 1) * step.interval(hw) + step.k * step.passes - 1
        last_select = start + self._length(step)
        self.drain_free = last_select + 1
        if step.score_end:
            self._softmax(step, last_select + SELECT_TO_RESULT)
        step.timing = {"start": start, "last_issue": self.last_issue, "last_select": last_select}
        return last_select

    def _softmax(self, step, arrival):
        """Second pass and division of one head, from the cycle in which its last score arrives."""
        hw = self.hw
        groups = hw.groups if step.mode == "narrow" else 1
        keys = np.arange(hw.tokens)
        words = slice(step.head * hw.tokens, (step.head + 1) * hw.tokens)
        self.ready["probability"][words] = arrival + SCORE_TO_FIRST_WEIGHT + keys * groups + groups - 1
        self.second_pass_end = arrival + hw.tokens * groups + SCORE_TO_NEXT
        begin = arrival + hw.tokens * groups + SCORE_TO_DIVISION
        self.rate_ready[step.head, :groups] = begin + np.arange(1, groups + 1) * Softmax.divide_cycles(hw)
        self.divide_end = int(self.rate_ready[step.head, groups - 1])


def schedule(steps, hw):
    """Place every step as early as its operands allow; fills ``step.timing`` with start, wait, gap and end.

    Returns:
        Cycles of one inference, from the start pulse to the done pulse.
    """
    timeline = _Timeline(hw)
    last_select = 0
    for step in steps:
        before = timeline.last_issue
        start = timeline.earliest(step)
        if step.k * step.passes * step.tiles(hw) == 1:
            start = max(start, before + 2)
        last_select = timeline.place(step, start)
        step.timing["wait"] = start - before - 1
        step.timing["gap"] = step.interval(hw) - step.k * step.passes if step.tiles(hw) > 1 else 0
    return START_CYCLES + last_select + DONE_CYCLES
