# SPDX-License-Identifier: BSD-2-Clause
"""Where the cycles of one inference go, measured from the engine's signals, not from the compiler's schedule."""

from dataclasses import dataclass

import numpy as np

from liteformer.accel.errors import LiteFormerError
from liteformer.flow.common import console
from liteformer.flow.common.inputs import random_windows

# What the array does in a cycle. "results under way" is the time from the last product of a step until its results are in
# a memory, if the next step needs them.
BUSY, REQUANTIZERS, UNDER_WAY, SOFTMAX, START = range(5)
STATES = ("multiplies", "waits for the requantizers", "waits for results under way", "waits for the softmax",
          "starts the program")


@dataclass(frozen=True)
class StepTime:
    """Cycles of one step, counted from the start pulse.

    Attributes:
        name, kind, macs: of the step. start, last_issue: first and last operands issued; last_select: its last sums leave the
        drain registers. issued: cycles with operands; span: all cycles from the end of the step before to its own last
        issue (to the end of the inference for the last step); first_select: its first sums leave the drain registers.
        selected: cycles in which sums left. idle: why lanes idle while operands are issued, in words; may be empty.
    """

    name: str
    kind: str
    macs: int
    start: int
    last_issue: int
    first_select: int
    last_select: int
    issued: int
    selected: int
    span: int
    idle: str = ""


@dataclass(frozen=True)
class Timeline:
    """One inference.

    Attributes:
        cycles: start pulse to done pulse; lanes: of the array. steps: list of StepTime. state: int8 ``(cycles + 1,)``, index
        into STATES. signals: dict of bool ``(cycles + 1,)``: ``select`` sums leave the drain registers, ``score`` scores
        reach the softmax, ``weigh`` the softmax looks weights up, ``divide`` it divides.
    """

    cycles: int
    lanes: int
    steps: list
    state: np.ndarray
    signals: dict

    def summary(self):
        """JSON-able dict: cycles of each state, and of each step."""
        return {
            "cycles": self.cycles,
            "states": {name: int(np.count_nonzero(self.state[1:] == code)) for code, name in enumerate(STATES)},
            "steps": [{"name": step.name, "macs": step.macs, "start": step.start, "last_issue": step.last_issue,
                       "last_select": step.last_select, "issued": step.issued, "drained": step.selected, "span": step.span,
                       "utilization": round(step.macs / (self.lanes * step.span), 4)} for step in self.steps],
        }


def timeline(compiled, recording):
    """Activity of the array in each cycle.

    Args:
        compiled: CompiledModel, for the names of the steps. recording: soc.recording.Recording of it.
    Returns:
        Timeline.
    Raises:
        LiteFormerError: the recording shows another number of steps than were compiled.
    """
    signals, cycles = recording.signals, recording.cycles
    steps, issue, select = compiled.steps, signals["issue"], signals["select"]
    # A program advances in the cycle before a step is active; its first advance loads step 0.
    running, draining = (np.cumsum(signals[name]) - signals[name] - 1 for name in ("next_step", "next_drain"))
    if not running[-1] == draining[-1] == len(steps) - 1:
        raise LiteFormerError(f"the engine ran {running[-1] + 1} steps and drained {draining[-1] + 1}, {len(steps)} were "
                              "compiled; this is a fault of the generator: report it with the model's shape")
    times, end = [], 0
    for number, step in enumerate(steps):
        issued, selected = (np.flatnonzero(signal & (which == number)) for signal, which in ((issue, running),
                                                                                             (select, draining)))
        last = int(issued[-1])
        until = cycles if number == len(steps) - 1 else last
        times.append(StepTime(step.name, step.kind, step.macs, int(issued[0]), last, int(selected[0]), int(selected[-1]),
                              len(issued), len(selected), until - end, _idle_lanes(step, compiled.hw)))
        end = last
    weigh = _second_passes(signals["score"], signals["weight"], compiled.hw.tokens)
    state = _states(times, issue, select, weigh, signals["divide"])
    return Timeline(cycles, compiled.hw.lanes, times, state, {"select": select, "score": signals["score"], "weigh": weigh,
                                                              "divide": signals["divide"]})


def _idle_lanes(step, hw):
    """Why a step cannot use every lane in every cycle."""
    reasons, offered = [], step.tiles(hw) * step.tile_columns(hw)
    if step.pool:
        reasons.append("rows summed once would do")
    elif step.mode == "single":
        reasons.append("one token")
    elif step.mode == "wide":
        reasons.append("one token, a row in each group")
    if step.passes > 1 and not step.row_continue:
        reasons.append(f"{step.passes} digits")
    if step.channels < offered:
        reasons.append(f"{step.channels} of {offered} columns")
    return ", ".join(reasons)


def _second_passes(score, weight, window):
    """Cycles from the last score of a head to its last weight."""
    weigh, weights = np.zeros(len(score), bool), np.flatnonzero(weight)
    for head in weights.reshape(-1, window):
        weigh[np.flatnonzero(score[:head[0]])[-1] + 1:head[-1] + 1] = True
    return weigh


def _states(times, issue, select, weigh, divide):
    state = np.full(len(issue), UNDER_WAY, np.int8)
    state[select] = REQUANTIZERS
    begin = 0
    for step in times:
        if step.kind == "context":
            # Its row operands are the weights, its requantizer's factors the reciprocals.
            waited = slice(begin, step.start)
            state[waited][weigh[waited] | (divide[waited] & ~select[waited])] = SOFTMAX
        begin = step.last_issue + 1
    state[issue] = BUSY
    state[:times[0].start] = START
    return state


def measure(compiled, seed=1):
    """Run one random window through the engine and measure its timeline.

    Returns:
        Timeline.
    Raises:
        LiteFormerError: Verilator is missing, or the engine does not run the compiled program.
    """
    from liteformer.soc.recording import record
    with console.step("Record one inference of the engine, cycle by cycle"):
        return timeline(compiled, record(compiled, random_windows(compiled.model, 1, seed)[0]))
