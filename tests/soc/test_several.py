# SPDX-License-Identifier: BSD-2-Clause
"""Two cores with different models in one SoC, and one driver that serves both."""

import numpy as np
import pytest

from liteformer.accel import golden
from liteformer.accel.random_model import random_model
from liteformer.soc.integration import add_liteformer

from ..plain_soc import PlainSoC, c_rows, run

FIRST = random_model(np.random.default_rng(5), window=4, features=2, d_model=8, bits=4)
PUMP = random_model(np.random.default_rng(7), window=6, features=2, d_model=8, bits=3, outputs=2)
ROWS = np.random.default_rng(6).integers(-30_000, 30_000, (7, 2))

APPLICATION = """
#include "liteformer.h"
static const int32_t rows[][2] = {%s};

static void put(uint32_t word)
{
	for (int byte = 0; byte < 4; byte++)
		uart_rxtx_write((word >> 8 * byte) & 0xff);
}

int main(void)
{
	put(liteformer_init());
	LITEFORMER_SELECT(PUMP);
	put(liteformer_init());
	put(liteformer_window);
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(rows[step]);
	liteformer_start();
	/* The pump's core runs while the other one gets its samples, and keeps its event. */
	LITEFORMER_SELECT(LITEFORMER);
	put(liteformer_window);
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(rows[step]);
	put(liteformer_infer());
	put((uint32_t)liteformer_result(0));
	put(liteformer_model());
	LITEFORMER_SELECT(PUMP);
	put(liteformer_wait());
	put((uint32_t)liteformer_result(0));
	put((uint32_t)liteformer_result(1));
	put(liteformer_model());
	/* What ended before does not end this: the other core's event is pending. */
	liteformer_push(rows[6]);
	put(liteformer_infer());
	put((uint32_t)liteformer_result(1));
	return 0;
}
"""


class SoC(PlainSoC):
    """With both cores."""

    by_interrupt = True

    def add_core(self):
        add_liteformer(self, FIRST, wait_by_interrupt=self.by_interrupt)
        add_liteformer(self, PUMP, name="pump", wait_by_interrupt=self.by_interrupt)


def signed(identifier):
    return int(np.uint32(int(identifier[:8], 16)).astype(np.int32))


@pytest.mark.parametrize("by_interrupt, options", [
    (True, {}), pytest.param(False, {"csr_data_width": 8}, marks=pytest.mark.slow),
    pytest.param(False, {"cpu_type": "serv", "cpu_variant": "standard"}, marks=pytest.mark.slow)])
def test_each_core_answers_for_its_model(by_interrupt, options, tmp_path, monkeypatch):
    monkeypatch.setattr(SoC, "by_interrupt", by_interrupt)
    monkeypatch.setattr(SoC, "options", options)
    first, = golden.infer(FIRST, ROWS[None, :4])
    pump, next_pump = golden.infer(PUMP, np.stack([ROWS[:6], ROWS[1:]]))
    assert len({*first, *pump, *next_pump}) == 5 and 0 not in (*first, *pump, *next_pump)
    assert run(monkeypatch, tmp_path, SoC, APPLICATION % c_rows(ROWS), 13) == [
        0, 0, 6, 4, 0, first[0], signed(FIRST.id), 0, *pump, signed(PUMP.id), 0, next_pump[1]]
