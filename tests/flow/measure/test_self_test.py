# SPDX-License-Identifier: BSD-2-Clause
"""Flips in the integer model are flips in the memories; the known windows notice most, one window few."""

import numpy as np
import pytest

from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.compiler.images import memory_images
from liteformer.accel.compiler.layout import make_layout
from liteformer.accel.random_model import random_model
from liteformer.flow.measure import self_test


def build(**shape):
    model = random_model(np.random.default_rng(3), **{"window": 4, "features": 3, "d_model": 8, "heads": 2, "bits": 4} | shape)
    return compile_model(model, HardwareOptions(rows=2, columns=2, requantizers=1))


def bits_of(compiled, model):
    """All memory contents of a model as lists of words."""
    hw = compiled.hw
    layout = make_layout(model.config, rows=hw.rows, columns=hw.columns, requantizers=hw.requantizers,
                         position_base=hw.residual_depth // 2)
    images = memory_images(model, hw, layout, compiled.steps)
    return [images[name] for name in sorted(images) if name != "streams"] + images["streams"]


@pytest.mark.parametrize("shape", [{}, {"readout": "mean", "bits": 6}, {"bit_overrides": {"layers.0.expand.weight": 3}}])
def test_a_flip_is_one_bit_of_the_memories(shape):
    compiled = build(**shape)
    right, seen = bits_of(compiled, compiled.model), set()
    for flip in self_test.draw(compiled, 300, 1):
        wrong = bits_of(compiled, self_test.flipped(compiled, *flip))
        changed = [int(one) ^ int(other) for before, after in zip(right, wrong) for one, other in zip(before, after)
                   if int(one) != int(other)]
        assert len(changed) == 1 and changed[0].bit_count() == 1, flip
        seen.add(flip[0].rpartition(".")[2])
    assert {"weight", "multiplier", "offset", "position", "residual", "table"} <= seen


def test_most_are_noticed_by_many_windows_and_few_by_one(monkeypatch):
    compiled = build()
    found = self_test.noticed(compiled)
    assert (found["windows"], found["flips"]) == (64, self_test.FLIPS)
    assert found == self_test.noticed(compiled)
    windows = self_test.known_windows
    monkeypatch.setattr(self_test, "known_windows", lambda model: windows(model)[:1])
    assert self_test.noticed(compiled)["noticed"] < found["noticed"] - 40 < self_test.FLIPS - 40
    # Negative control: without a window nothing is noticed.
    monkeypatch.setattr(self_test, "known_windows", lambda model: windows(model)[:0])
    assert self_test.noticed(compiled, 30)["noticed"] == 0


def test_other_windows_tell_more_apart():
    """The known windows among them add nothing, and every bit of the table is tried."""
    compiled = build()
    known = self_test.known_windows(compiled.model)
    more  = np.concatenate([known, known + 1000, known * 2])
    assert self_test.noticed(compiled, 100, 0, known)["told apart"] == 0
    found = self_test.noticed(compiled, 100, 0, more)
    assert found["others"] == len(more) and 0 < found["told apart"] <= 100 - found["noticed"]
    table = self_test.noticed_in_the_table(compiled)
    assert 0 < table["noticed"] < table["flips"] == compiled.model["softmax.table"].size * compiled.hw.table_top.bit_length()


def test_a_slow_model_has_fewer_tried(monkeypatch):
    monkeypatch.setattr(self_test, "WORK", 1)
    assert self_test.noticed(build())["flips"] == self_test.LEAST
