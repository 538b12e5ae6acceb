# SPDX-License-Identifier: BSD-2-Clause
"""The C driver on the real core: nothing that an inference left behind is taken for the next one's; a clear always clears."""

from pathlib import Path

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.compiler import HardwareOptions, compile_model
from liteformer.accel.random_model import random_model

WINDOW, FEATURES = 4, 3
# A small array: SERV needs more than a hundred cycles from a start to an abort.
SLOW = HardwareOptions(rows=1, columns=1, requantizers=1)
OK, NOT_READY, ABORTED, NO_ANSWER, _, NO_MODEL = range(6)
LEFTOVERS = Path(__file__).with_name("leftovers.c")


@pytest.fixture(scope="module")
def model():
    return random_model(np.random.default_rng(5), window=WINDOW, features=FEATURES, d_model=8, bits=4)


def series(count):
    """The first samples that leftovers.c pushes: xorshift, 13 bits."""
    state, values = 1, []
    for _ in range(count):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        values.append((state & 0x1FFF) - 0x1000)
    return values


class Expected:
    """What leftovers.c sends, from the golden model; ``next`` is the number of the next row."""

    def __init__(self, model):
        self.model, self.next, self.sent, self.outputs = model, 0, b"", []

    def rows(self, count):
        self.next += count

    def result(self):
        window = np.array(series(self.next * FEATURES)).reshape(-1, FEATURES)[-WINDOW:]
        output = int(golden.infer(self.model, window[None])[0, 0])
        self.outputs.append(output)
        self.sent += bytes([OK]) + output.to_bytes(4, "little", signed=True)

    def infer_next(self, name):
        self.rows(1)
        self.sent += name.encode()
        self.result()

    def show_empty(self, name):
        self.rows(WINDOW - 1)
        self.sent += name.encode() + bytes([NOT_READY])


def expected(model, loadable):
    it = Expected(model)
    it.rows(WINDOW)
    it.infer_next("a")
    for _ in range(2):
        it.infer_next("b")
        it.infer_next("c")
        it.rows(WINDOW)
        it.infer_next("d")
        it.infer_next("e")
    it.rows(1)
    it.sent += b"f" + bytes([ABORTED] * 3)
    it.result()
    it.show_empty("g")
    it.rows(WINDOW)
    it.show_empty("h")
    it.rows(WINDOW)
    it.show_empty("i")
    it.sent += b"j" + bytes([NO_ANSWER])
    it.rows(WINDOW)
    it.infer_next("k")
    it.show_empty("l")
    it.rows(WINDOW)
    it.infer_next("m")
    if loadable:
        it.sent += b"n" + bytes([NO_MODEL, OK])
        it.show_empty("o")
        it.rows(WINDOW)
        it.infer_next("p")
    # A result of the window before is seen.
    assert all(one != other for one, other in zip(it.outputs, it.outputs[1:]))
    return it.sent + b"."


@pytest.mark.parametrize("cpu", ["vexriscv", "serv"])
def test_nothing_is_left_over(simulate, model, cpu):
    """Events of start, abort, clear, refused start and init; clear while busy and right after an abort."""
    sent = expected(model, loadable=False)
    simulation = simulate(compile_model(model, SLOW), cpu=cpu, applications=(LEFTOVERS,), wait_loops=2000)
    assert simulation.run(2_000_000, len(sent)) == sent


def test_no_sample_survives_another_model(simulate, model):
    sent = expected(model, loadable=True)
    simulation = simulate(compile_model(model, HardwareOptions(loadable=True)), applications=(LEFTOVERS,), wait_loops=2000)
    assert simulation.run(2_000_000, len(sent)) == sent
