/* SPDX-License-Identifier: BSD-2-Clause */
/* The exported C on the SoC's own CPU: of each window its cycles and its outputs go out as bytes, lowest first. */
#include <generated/csr.h>

#include "liteformer_model.h"
#include "windows.h"

static void put(uint32_t word)
{
	for (unsigned byte = 0; byte < 4; byte++) {
		while (uart_txfull_read())
			;
		uart_rxtx_write((uint8_t)(word >> 8 * byte));
	}
}

static uint32_t now(void)
{
	timer0_update_value_write(1);
	return -timer0_value_read();
}

int main(void)
{
	/* The timer counts down through all 32 bits, one per clock cycle. */
	timer0_reload_write(0xffffffff);
	timer0_load_write(0xffffffff);
	timer0_en_write(1);
	for (unsigned window = 0; window < WINDOWS; window++) {
		int32_t outputs[LITEFORMER_MODEL_OUTPUTS];
		uint32_t begin = now();

		liteformer_model_infer(samples[window], outputs);
		put(now() - begin);
		for (unsigned output = 0; output < LITEFORMER_MODEL_OUTPUTS; output++)
			put((uint32_t)outputs[output]);
	}
	return 0;
}
