#include "liteformer.h"

#define EVENTS ((1 << CSR_LITEFORMER_EV_PENDING_DONE_OFFSET) | (1 << CSR_LITEFORMER_EV_PENDING_ERROR_OFFSET))

uint32_t liteformer_window, liteformer_features, liteformer_outputs;

static enum liteformer_error ended(uint32_t events)
{
	if (events == 1 << CSR_LITEFORMER_EV_PENDING_DONE_OFFSET)
		return LITEFORMER_OK;
	if (events == 0)
		return LITEFORMER_NO_ANSWER;
	return (enum liteformer_error)((liteformer_status_read() >> CSR_LITEFORMER_STATUS_ERROR_OFFSET) & 0xf);
}

#ifdef LITEFORMER_WAIT_BY_INTERRUPT

/* Events that ended the inference, set by the interrupt handler. */
static volatile uint32_t events_seen;

/* Entered directly through mtvec: the common entry of the start code saves 16 registers, this one saves two. */
static void __attribute__((interrupt("machine"), aligned(4))) on_interrupt(void)
{
	uint32_t events = liteformer_ev_pending_read();

	liteformer_ev_pending_write(events);
	events_seen = events;
}

static void enable_interrupt(void)
{
	uint32_t lines = 0x880; /* machine external, and machine timer: SERV's only interrupt input */

	asm volatile("csrw mtvec, %0" ::"r"(on_interrupt));
#ifdef __vexriscv__
	asm volatile("csrw 0xbc0, %0" ::"r"(1 << LITEFORMER_INTERRUPT));
#endif
	asm volatile("csrw mie, %0" ::"r"(lines));
	asm volatile("csrsi mstatus, 8");
	liteformer_ev_enable_write(EVENTS);
}

#endif

/* The start code names this as the common interrupt handler; no interrupt other than the core's is enabled. */
void isr(void);
void isr(void)
{
}

enum liteformer_error liteformer_init(void)
{
	uint32_t shape;

	if (liteformer_identifier_read() != LITEFORMER_IDENTIFIER)
		return LITEFORMER_NOT_FOUND;
	shape = liteformer_shape_read();
	liteformer_window = (shape >> CSR_LITEFORMER_SHAPE_WINDOW_OFFSET) & ((1 << CSR_LITEFORMER_SHAPE_WINDOW_SIZE) - 1);
	liteformer_features = (shape >> CSR_LITEFORMER_SHAPE_FEATURES_OFFSET) & ((1 << CSR_LITEFORMER_SHAPE_FEATURES_SIZE) - 1);
	liteformer_outputs = (shape >> CSR_LITEFORMER_SHAPE_OUTPUTS_OFFSET) & ((1 << CSR_LITEFORMER_SHAPE_OUTPUTS_SIZE) - 1);
	liteformer_clear();
	liteformer_ev_pending_write(EVENTS);
#ifdef LITEFORMER_WAIT_BY_INTERRUPT
	enable_interrupt();
#endif
	return LITEFORMER_OK;
}

void liteformer_clear(void)
{
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_CLEAR_OFFSET);
}

void liteformer_abort(void)
{
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_ABORT_OFFSET);
}

void liteformer_push(const int32_t *row)
{
	volatile int32_t *word = (volatile int32_t *)LITEFORMER_BASE;
	const int32_t *end = row + liteformer_features;

	do
		*word++ = *row++;
	while (row != end);
}

void liteformer_start(void)
{
#ifdef LITEFORMER_WAIT_BY_INTERRUPT
	events_seen = 0;
#endif
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_START_OFFSET);
}

enum liteformer_error liteformer_wait(void)
{
#ifdef LITEFORMER_WAIT_BY_INTERRUPT
	uint32_t events, loops = LITEFORMER_WAIT_LOOPS;

	do
		events = events_seen;
	while (events == 0 && --loops);
	return ended(events);
#else
	return liteformer_poll();
#endif
}

enum liteformer_error liteformer_poll(void)
{
	uint32_t events, loops = LITEFORMER_WAIT_LOOPS;

	do
		events = liteformer_ev_pending_read();
	while (events == 0 && --loops);
	liteformer_ev_pending_write(events);
	return ended(events);
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
	case LITEFORMER_NOT_FOUND:
		return "no LiteFormer core at its address";
	}
	return "unknown error";
}
