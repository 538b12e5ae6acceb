# SPDX-License-Identifier: BSD-2-Clause
"""Measured timeline: what the engine's signals say is what the compiler scheduled, and a changed program shows."""

from dataclasses import replace

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler.schedule import START_CYCLES
from liteformer.accel.errors import LiteFormerError
from liteformer.accel.hardware import compute_fields
from liteformer.accel.random_model import random_model
from liteformer.flow.common.inputs import random_windows
from liteformer.flow.measure import hardware, timeline
from liteformer.flow.measure.timeline_plot import draw, label
from liteformer.soc.recording import record


@pytest.fixture(scope="module")
def compiled():
    """Two row tiles, so that every kind of step and of wait occurs."""
    model = random_model(np.random.default_rng(1), window=4, features=2, d_model=4, bits=4, readout="mean")
    return hardware.compile_model(model, rows=2, columns=2, requantizers=1, dsp_lanes=0)


@pytest.fixture(scope="module")
def recording(compiled):
    return record(compiled, random_windows(compiled.model, 1, 1)[0])


def scheduled(compiled):
    """Start, last issue and last selection of every step by the compiler's account, from the start pulse."""
    return [tuple(step.timing[key] + START_CYCLES for key in ("start", "last_issue", "last_select")) for step in compiled.steps]


def measured(compiled, recording):
    return [(step.start, step.last_issue, step.last_select) for step in timeline.timeline(compiled, recording).steps]


def test_measured_is_scheduled(compiled, recording):
    assert measured(compiled, recording) == scheduled(compiled)
    assert recording.cycles == compiled.cycles
    assert recording.outputs.tolist() == golden.infer(compiled.model, random_windows(compiled.model, 1, 1))[0].tolist()


def test_every_cycle_is_accounted_for(compiled, recording):
    result = timeline.timeline(compiled, recording).summary()
    assert sum(result["states"].values()) == sum(step["span"] for step in result["steps"]) == compiled.cycles
    assert result["states"]["multiplies"] == sum(step.k * step.passes * step.tiles(compiled.hw) for step in compiled.steps)
    assert result["states"]["waits for results under way"] and result["states"]["waits for the requantizers"]
    assert sum(step["macs"] for step in result["steps"]) == compiled.model.config.macs


def test_a_later_start_is_seen(compiled):
    """Negative control: a program that waits one cycle more before step 3 is measured so, whatever the schedule says."""
    words, shift = list(compiled.images["compute"]), 0
    for name, bits in compute_fields(compiled.hw):
        if name == "wait":
            break
        shift += bits
    words[3] += 1 << shift
    changed = replace(compiled, images=compiled.images | {"compute": words})
    late = measured(changed, record(changed, random_windows(compiled.model, 1, 1)[0]))
    expected = scheduled(compiled)
    assert late[:3] == expected[:3]
    assert late[3:] == [tuple(cycle + 1 for cycle in times) for times in expected[3:]]


def test_other_steps_than_compiled(compiled, recording):
    with pytest.raises(LiteFormerError, match=f"^the engine ran {len(compiled.steps)} steps "):
        timeline.timeline(replace(compiled, steps=compiled.steps[:-1]), recording)


def test_softmax_takes_two_passes(compiled, recording):
    """Each row tile has its softmax: scores come in, weights go out, then one division a row."""
    signals, hw = recording.signals, compiled.hw
    assert np.count_nonzero(signals["score"]) == hw.tokens * hw.tokens
    assert np.count_nonzero(signals["weight"]) == hw.row_tiles * hw.tokens
    edges = np.flatnonzero(np.diff(signals["divide"].astype(int)) == 1)
    assert len(edges) == hw.row_tiles


def test_picture(compiled, recording, tmp_path):
    """A PNG with every step; the labels say what the steps are."""
    result = timeline.timeline(compiled, recording)
    draw(result, "Title", tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.png"]
    labels = [label(step) for step in result.steps]
    assert labels[:3] == ["load and embed, rows 0", "load and embed, rows 1", "keys, rows 0"]
    assert result.steps[-1].idle.startswith("rows summed once would do")


def test_waits_are_distinguished():
    """By hand: two steps, the second one a context that waits for sums leaving, then for the softmax, then for a result."""
    steps = [timeline.StepTime("a", "score", 1, 1, 2, 3, 4, 2, 2, 2), timeline.StepTime("b", "context", 1, 8, 9, 9, 9, 2, 1, 7)]
    cycle = np.arange(10)
    state = timeline._states(steps, issue=np.isin(cycle, [1, 2, 8, 9]), select=np.isin(cycle, [3, 4]),
                             weigh=np.isin(cycle, [5]), divide=np.isin(cycle, [4, 6]))
    assert [timeline.STATES[code] for code in state[[0, 1, 3, 4, 5, 6, 7]]] == [
        "starts the program", "multiplies", "waits for the requantizers", "waits for the requantizers",
        "waits for the softmax", "waits for the softmax", "waits for results under way"]
