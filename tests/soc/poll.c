/* SPDX-License-Identifier: BSD-2-Clause */
/* An application without the protocol: two windows of ones, waited for by polling, answered with one byte each. */
#include "liteformer.h"

static void put(const char *text)
{
	for (; *text; text++) {
		while (uart_txfull_read())
			;
		uart_rxtx_write((uint8_t)*text);
	}
}

int main(void)
{
	static const int32_t row[3] = {1, 1, 1};

	put(liteformer_error_text(liteformer_init()));
	put("; ");
	liteformer_start();
	put(liteformer_error_text(liteformer_poll()));
	put("; ");
	for (uint32_t step = 0; step < liteformer_window; step++)
		liteformer_push(row);
	liteformer_start();
	put(liteformer_error_text(liteformer_poll()));
	put(liteformer_result(0) == 12 ? "; 12\n" : "; wrong\n");
	return 0;
}
