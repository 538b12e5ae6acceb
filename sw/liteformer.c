/* SPDX-License-Identifier: BSD-2-Clause */
#include "liteformer.h"

/* The number of features as a constant where the model is known, and no other core may have another. */
#if __has_include(<generated/model.h>)
#include <generated/model.h>
#endif
#if defined(LITEFORMER_FEATURES) && !defined(LITEFORMER_SEVERAL)
#define FEATURES LITEFORMER_FEATURES
#else
#define FEATURES liteformer_features
#endif

#define DONE (1u << CSR_LITEFORMER_EV_PENDING_DONE_OFFSET)
#define FIELD(word, name) (((word) >> CSR_LITEFORMER_##name##_OFFSET) & ((1u << CSR_LITEFORMER_##name##_SIZE) - 1))

/* Error field of the status register whose number differs in enum liteformer_error. */
#define NO_MODEL 3

uint32_t liteformer_window, liteformer_features, liteformer_outputs;

/* The start code names this as the common interrupt handler; the driver's own is entered without it. */
void isr(void);
void isr(void)
{
}

/* LiteX's start code calls this from 2025 on; LiteX's own library, where it is linked, uses it. */
void litex_startup_init(void);
void __attribute__((weak)) litex_startup_init(void)
{
}

/* The events stay until the next start: they are this inference's, since a start drops those before it. */
static enum liteformer_error finish(uint32_t events)
{
	uint32_t error;

	if (events == DONE)
		return LITEFORMER_OK;
	if (events == 0)
		return LITEFORMER_NO_ANSWER;
	error = FIELD(liteformer_status_read(), STATUS_ERROR);
	return error == NO_MODEL ? LITEFORMER_NO_MODEL : (enum liteformer_error)error;
}

#ifdef LITEFORMER_WAIT_BY_INTERRUPT

/* Machine external interrupt, and machine timer interrupt: the only input that SERV has. */
#define INTERRUPT_LINES 0x880

/* VexRiscv has a mask of its own; of several cores, only the selected one ends a wait. */
#ifdef __vexriscv__
static inline void let_through(uint32_t interrupt)
{
	asm volatile("csrw 0xbc0, %0" ::"r"(1 << interrupt));
}
#endif

static void enable_interrupt(void)
{
	asm volatile("csrw mie, zero");
#if defined(__vexriscv__) && !defined(LITEFORMER_SEVERAL)
	let_through(LITEFORMER_INTERRUPT);
#endif
	liteformer_ev_enable_write(LITEFORMER_EVENTS);
}

/* Interrupts are enabled in this loop only. The interrupt's entry is what follows the loop: nothing is saved, restored or
 * returned to, and entering it disables interrupts in mstatus. All but the loop happens while the core computes. */
enum liteformer_error liteformer_wait(void)
{
	uint32_t events;

#if defined(__vexriscv__) && defined(LITEFORMER_SEVERAL)
	let_through(liteformer_place.interrupt);
#endif
	asm volatile("la t1, 2f\n"
		     "csrw mtvec, t1\n"
		     "csrw mie, %1\n"
		     "mv t0, %0\n"
		     "csrsi mstatus, 8\n"
		     "1: addi t0, t0, -1\n"
		     "bnez t0, 1b\n"
		     "csrci mstatus, 8\n"
		     ".balign 4\n"
		     "2:" ::"r"(LITEFORMER_WAIT_LOOPS), "r"(INTERRUPT_LINES) : "t0", "t1", "memory");
	events = liteformer_ev_pending_read();
	asm volatile("csrw mie, zero");
	return finish(events);
}

#else

static void enable_interrupt(void)
{
}

enum liteformer_error liteformer_wait(void)
{
	return liteformer_poll();
}

#endif

enum liteformer_error liteformer_poll(void)
{
	uint32_t events, loops = LITEFORMER_WAIT_LOOPS;

	do
		events = liteformer_ev_pending_read();
	while (events == 0 && --loops);
	return finish(events);
}

enum liteformer_error liteformer_infer(void)
{
	liteformer_start();
	return liteformer_wait();
}

static void read_shape(void)
{
	uint32_t shape = liteformer_shape_read();

	liteformer_window = FIELD(shape, SHAPE_WINDOW);
	liteformer_features = FIELD(shape, SHAPE_FEATURES);
	liteformer_outputs = FIELD(shape, SHAPE_OUTPUTS);
}

#ifdef LITEFORMER_SEVERAL

struct liteformer_place liteformer_place = {
	.window = LITEFORMER_BASE,
	.registers = CSR_LITEFORMER_BASE,
#ifdef LITEFORMER_INTERRUPT
	.interrupt = LITEFORMER_INTERRUPT,
#endif
};

void liteformer_select(unsigned long window, unsigned long registers, uint32_t interrupt)
{
	liteformer_place = (struct liteformer_place){window, registers, interrupt};
	read_shape();
}

#endif

enum liteformer_error liteformer_init(void)
{
	if (liteformer_identifier_read() != LITEFORMER_IDENTIFIER)
		return LITEFORMER_NOT_FOUND;
	read_shape();
	liteformer_clear();
	enable_interrupt();
	return LITEFORMER_OK;
}

/* The core takes no clear while it is busy, and events from before would be taken for those of a later inference. */
void liteformer_clear(void)
{
	liteformer_abort();
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_CLEAR_OFFSET);
	liteformer_ev_pending_write(LITEFORMER_EVENTS);
}

/* After an abort the core is busy for 31 cycles, until its pipelines are empty; it would ignore a start or a clear. */
void liteformer_abort(void)
{
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_ABORT_OFFSET);
	for (uint32_t turns = 64; turns; turns--)
		asm volatile("");
}

/* Unrolled, and each word is loaded before the one before it is stored, which would wait for its own. */
void liteformer_push(const int32_t *row)
{
	volatile int32_t *word = (volatile int32_t *)LITEFORMER_WINDOW;
	const uint32_t features = FEATURES;
	int32_t value = row[0];

#pragma GCC unroll 8
	for (uint32_t feature = 1; feature < features; feature++) {
		int32_t next = row[feature];
		asm("" : "+r"(next));
		word[feature - 1] = value;
		value = next;
	}
	word[features - 1] = value;
}

const char *liteformer_error_text(enum liteformer_error error)
{
	switch (error) {
	case LITEFORMER_OK:
		return "no error";
	case LITEFORMER_NOT_READY:
		return "the window is not full yet";
	case LITEFORMER_ABORTED:
		return "the inference was aborted";
	case LITEFORMER_NO_ANSWER:
		return "the core did not finish in time";
	case LITEFORMER_NO_MODEL:
		return "the core holds no complete model";
	case LITEFORMER_NOT_FOUND:
		return "no LiteFormer core at its address";
	}
	return "unknown error";
}
