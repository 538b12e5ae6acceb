/* SPDX-License-Identifier: BSD-2-Clause */
/* An application that multiplies and divides, which VexRiscv minimal and SERV do in libgcc: answers with the results' bytes. */
#include "liteformer.h"

static volatile int32_t a = -30011, b = 7001, c = 13, d = 1009;
static volatile uint64_t wide = 0xfedcba9876543210;

static void put(uint32_t word)
{
	for (int byte = 0; byte < 4; byte++) {
		while (uart_txfull_read())
			;
		uart_rxtx_write((uint8_t)(word >> 8 * byte));
	}
}

int main(void)
{
	put((uint32_t)(a * b / c % d));
	put((uint32_t)(wide / (uint32_t)d));
	return 0;
}
