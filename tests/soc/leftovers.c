/* SPDX-License-Identifier: BSD-2-Clause */
/* Provokes what an inference can leave behind: after each of the cases below, one more row and an inference must give the new
 * window's output, and after a clear there must be no window. Sends, for each case, a letter and the bytes that say how it went.
 */
#include "loading.h"

static void put(uint32_t byte)
{
	while (uart_txfull_read())
		;
	uart_rxtx_write((uint8_t)byte);
}

static void put_result(enum liteformer_error error)
{
	uint32_t word = (uint32_t)liteformer_result(0);

	put(error);
	for (int byte = 0; byte < 4; byte++)
		put(word >> 8 * byte);
}

/* The next row of the test's series: xorshift, 13 bits. */
static void push(void)
{
	static uint32_t state = 1;
	int32_t row[8];

	for (uint32_t feature = 0; feature < liteformer_features; feature++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		row[feature] = (int32_t)(state & 0x1fff) - 0x1000;
	}
	liteformer_push(row);
}

static void fill(void)
{
	for (uint32_t step = 0; step < liteformer_window; step++)
		push();
}

static void infer_next(char name)
{
	put((uint8_t)name);
	push();
	put_result(liteformer_infer());
}

/* As above, by polling. */
static void poll_next(char name)
{
	put((uint8_t)name);
	push();
	liteformer_start();
	put_result(liteformer_poll());
}

/* Whether the window is empty: one row less than a window is not enough. */
static void show_empty(char name)
{
	put((uint8_t)name);
	for (uint32_t step = 1; step < liteformer_window; step++)
		push();
	put(liteformer_infer());
}

static void until_free(void)
{
	while (liteformer_status_read() & 1 << CSR_LITEFORMER_STATUS_BUSY_OFFSET)
		;
}

int main(void)
{
	liteformer_init();
	fill();
	infer_next('a');

	/* An end that nobody waited for: done, aborted, refused; then both ways to wait. */
	for (int way = 0; way < 2; way++) {
		void (*then)(char) = way ? poll_next : infer_next;

		liteformer_start();
		until_free();
		then('b');
		liteformer_start();
		liteformer_abort();
		then('c');
		liteformer_clear();
		liteformer_start();
		until_free();
		fill();
		then('d');
		/* Done and aborted at once. */
		liteformer_start();
		until_free();
		liteformer_start();
		liteformer_abort();
		then('e');
	}

	/* An abort is this inference's, however soon the next start follows; a wait says the same again. */
	push();
	liteformer_start();
	liteformer_abort();
	put('f');
	put(liteformer_wait());
	put(liteformer_wait());
	put(liteformer_poll());
	liteformer_start();
	liteformer_abort();
	liteformer_start();
	put_result(liteformer_wait());

	/* A clear while the core runs, after an abort, and while a sample or a refused start is on its way. */
	liteformer_start();
	liteformer_clear();
	show_empty('g');
	fill();
	liteformer_start();
	liteformer_abort();
	liteformer_clear();
	show_empty('h');
	fill();
	liteformer_clear();
	show_empty('i');
	liteformer_start();
	liteformer_clear();
	put('j');
	put(liteformer_poll());
	fill();
	infer_next('k');

	/* A start over: its samples and its events are those of nobody. */
	liteformer_start();
	liteformer_init();
	show_empty('l');
	fill();
	infer_next('m');

#ifdef LITEFORMER_MEMORIES
	/* The same memories again, under the same checksum. */
	liteformer_start();
	liteformer_load_begin();
	put('n');
	put(liteformer_infer());
	put(liteformer_load_end(liteformer_model(), LITEFORMER_STORE[STORE_CHECKSUM]));
	show_empty('o');
	fill();
	infer_next('p');
#endif
	put('.');
	return 0;
}
