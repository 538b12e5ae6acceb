# SPDX-License-Identifier: BSD-2-Clause
"""The core in a clock domain of its own: slower and faster than the SoC, with commands that arrive before the last one has."""

import numpy as np
import pytest
from litex.gen import LiteXModule
from migen import ClockDomain, If, Signal

from liteformer.accel import golden
from liteformer.accel.compiler import compile_model
from liteformer.accel.random_model import random_model
from liteformer.soc import crossing
from liteformer.soc.integration import add_liteformer

from ..plain_soc import PlainSoC, c_rows, run

MODEL = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
RAW = np.random.default_rng(6).integers(-30_000, 30_000, (2, 4, 2))

APPLICATION = """
#include "liteformer.h"
static const int32_t first[][2] = {%s}, second[][2] = {%s};

static void put(uint32_t word)
{
	for (int byte = 0; byte < 4; byte++)
		uart_rxtx_write((word >> 8 * byte) & 0xff);
}

static uint32_t state(void)
{
	return liteformer_status_read() & 0xff;
}

int main(void)
{
	uint32_t hasty;

	liteformer_init();
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(first[step]);
	put(liteformer_infer());
	put((uint32_t)liteformer_result(0));
	put(liteformer_cycles());
	put(state());
	/* What is read directly behind a start is not from before it. */
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(second[step]);
	liteformer_start();
	hasty = state();
	put(hasty);
	put(liteformer_wait());
	put((uint32_t)liteformer_result(0));
	/* Stopped, refused. */
	liteformer_start();
	liteformer_abort();
	put(liteformer_wait());
	liteformer_clear();
	put(liteformer_infer());
	put(state());
	/* Two commands one behind the other: the second waits for the first. */
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(second[step]);
	liteformer_start();
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_ABORT_OFFSET);
	put(liteformer_wait());
	return 0;
}
"""
READY, BUSY, DONE, COMPLETE = 1, 2, 4, 8
NOT_READY, ABORTED = 1, 2


class Clocks(LiteXModule):
    """``sys`` and ``core``, the pin's clock divided."""

    def __init__(self, pin, sys_division, core_division):
        self.cd_pin  = ClockDomain(reset_less=True)
        self.cd_sys  = ClockDomain()
        self.cd_core = ClockDomain()

        # # #

        begun = Signal(6)
        self.comb += self.cd_pin.clk.eq(pin)
        self.sync.pin += If(begun != 63, begun.eq(begun + 1))
        for domain, division in ((self.cd_sys, sys_division), (self.cd_core, core_division)):
            self.comb += domain.rst.eq(begun != 63)
            if division == 1:
                self.comb += domain.clk.eq(pin)
                continue
            count, clock = Signal(max=division), Signal()
            self.sync.pin += [count.eq(count + 1), If(count == division - 1, count.eq(0)), clock.eq(count < division // 2)]
            self.comb += domain.clk.eq(clock)


class SoC(PlainSoC):
    """With the core in the domain ``core``."""

    options = {"cpu_type": "vexriscv"}
    wait_by_interrupt = False

    def add_core(self):
        add_liteformer(self, MODEL, clock_domain="core", wait_by_interrupt=self.wait_by_interrupt)


def answers(monkeypatch, folder, divisions, by_interrupt=False):
    """Words of APPLICATION with ``sys`` and ``core`` divided."""
    sys_division, core_division = divisions
    monkeypatch.setattr(SoC, "clocks", lambda self, pin: Clocks(pin, sys_division, core_division))
    monkeypatch.setattr(SoC, "division", sys_division)
    monkeypatch.setattr(SoC, "wait_by_interrupt", by_interrupt)
    return run(monkeypatch, folder, SoC, APPLICATION % tuple(c_rows(window) for window in RAW), 11)


def expected():
    first, second = (int(value) for value in golden.infer(MODEL, RAW)[:, 0])
    assert first != second and 0 not in (first, second)
    return [0, first, None, READY | DONE | COMPLETE, BUSY | COMPLETE, 0, second, ABORTED, NOT_READY,
            COMPLETE | NOT_READY << 4, ABORTED]


def same(words):
    """Whether the words are those of ``expected``, and the cycles those of the compiler."""
    return [word if wanted is not None else None for word, wanted in zip(words, expected())] == expected()


@pytest.mark.parametrize("divisions", [
    (1, 3), pytest.param((3, 2), marks=pytest.mark.slow), pytest.param((3, 1), marks=pytest.mark.slow)])
def test_sys_and_core_divided(divisions, tmp_path, monkeypatch):
    words = answers(monkeypatch, tmp_path, divisions, by_interrupt=divisions == (1, 3))
    assert same(words), words
    assert words[2] == compile_model(MODEL).cycles


@pytest.mark.slow
def test_a_state_that_does_not_wait_is_seen(tmp_path, monkeypatch):
    """Negative control: without hiding it, the core shows the last inference's result directly behind a start."""
    commands = crossing.CrossedCore._cross_commands
    monkeypatch.setattr(crossing.CrossedCore, "_cross_commands", lambda self, *names: commands(self, *names) & 0)
    assert not same(answers(monkeypatch, tmp_path, (1, 3)))
