# SPDX-License-Identifier: BSD-2-Clause
"""Times of a training step: three kinds of steps, and a ratio that follows from them."""

import json

import pytest
import torch

from liteformer.flow.publish import bench_train


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Few and small steps, and the threads as they were."""
    monkeypatch.setattr(bench_train, "ROUNDS", 2)
    monkeypatch.setattr(bench_train, "STEPS", 1)
    monkeypatch.setattr(bench_train, "SHAPES", [{"window": 3, "d_model": 4, "batch": 8}])
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_a_line_for_each_shape(capsys):
    bench_train.main()
    line, = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["window"] == 3 and all(found[name] > 0 for name in ("float", "qat", "settled"))
    assert min(found["qat"], found["settled"]) / found["float"] - 0.01 <= found["ratio"] <= (
        max(found["qat"], found["settled"]) / found["float"] + 0.01)


def test_a_step_changes_the_weights(monkeypatch):
    """What is timed is a training: the weights move."""
    seen, step = [], torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *_: seen.append(
        [p.detach().clone() for p in self.param_groups[0]["params"]]) or step(self))
    bench_train.measure(window=3, d_model=4, batch=8)
    # Float, in the training with the batch's statistics, with running ones; each of two rounds.
    assert len(seen) == 6 and not all(torch.equal(a, b) for a, b in zip(seen[0], seen[3]))
