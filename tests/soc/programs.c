/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs each of the linked programs, first undisturbed and then with interrupts, and sends what it left: registers, scratch memory,
 * traps, and the number of interrupts. Without multiplications, so that it is RV32I on every CPU. */
#include "liteformer.h"

#define WORDS 16 /* Of scratch memory. */
#define TRAPS 16 /* Kept of one run. */

#define CSR_WRITE(name, value) __asm__ volatile ("csrw " name ", %0" :: "r" (value) : "memory")
#define CSR_READ(name, value)  __asm__ volatile ("csrr %0, " name : "=r" (value))

struct program {
	void (*start)(void);
	uint32_t interruptible;
};

/* The programs, the last one without a start; what they work on is where x2 points to. */
extern const struct program programs[];
extern uint32_t scratch[WORDS], registers[32];
void run(void (*start)(void));

static volatile uint32_t interrupts, traps, trap[3 * TRAPS], kept;

static void wait_for_the_timer(uint32_t cycles)
{
	timer0_en_write(0);
	timer0_ev_pending_write(1);
	timer0_load_write(cycles);
	timer0_en_write(1);
}

static void __attribute__((interrupt, aligned(4))) handler(void)
{
	uint32_t cause, place, value;

	CSR_READ("mcause", cause);
	if (cause >> 31) {
		/* Not in step with the programs. */
		wait_for_the_timer(180 + ((interrupts << 3 | interrupts >> 3) & 63));
		interrupts++;
		return;
	}
	CSR_READ("mepc", place);
	CSR_READ("mtval", value);
	if (traps < TRAPS) {
		trap[kept++] = cause;
		trap[kept++] = place;
		trap[kept++] = value;
	}
	traps++;
	CSR_WRITE("mepc", place + 4);
}

static void put(uint32_t word)
{
	for (int byte = 0; byte < 4; byte++) {
		while (uart_txfull_read())
			;
		uart_rxtx_write((uint8_t)(word >> 8 * byte));
	}
}

static void run_and_send(void (*start)(void), uint32_t interruptible)
{
	uint32_t value = 0x80c0a1b3;

	for (int word = 0; word < WORDS; word++)
		scratch[word] = value ^= value << 3 ^ value >> 5;
	interrupts = traps = kept = 0;
	CSR_WRITE("mepc", 0);
	CSR_WRITE("mie", 0x880);
	CSR_WRITE("0xbc0", 1 << TIMER0_INTERRUPT);
	if (interruptible) {
		timer0_ev_enable_write(1);
		wait_for_the_timer(400);
		CSR_WRITE("mstatus", 0x1888);
	}
	run(start);
	CSR_WRITE("mstatus", 0x1880);
	timer0_en_write(0);
	for (int number = 0; number < 32; number++)
		put(registers[number]);
	for (int word = 0; word < WORDS; word++)
		put(scratch[word]);
	put(traps);
	for (uint32_t word = 0; word < 3 * TRAPS; word++)
		put(word < kept ? trap[word] : 0);
	put(interrupts);
}

int main(void)
{
	CSR_WRITE("mtvec", (uint32_t)handler);
	CSR_WRITE("mstatus", 0x1880);
	for (const struct program *program = programs; program->start; program++) {
		run_and_send(program->start, 0);
		if (program->interruptible)
			run_and_send(program->start, 1);
	}
	return 0;
}
