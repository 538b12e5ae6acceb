/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware on the host: the core's window is a page whose every access traps into a model of the registers, the serial line
 * is a buffer, and time passes with every look at the timer. x86-64 Linux.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "host.h"

#define PAGE 4096
#define TRAP 0x100 /* the flag that makes the processor stop behind one instruction */
#define WRITE 2    /* in the error code of a page fault */

unsigned char host_window[PAGE] __attribute__((aligned(PAGE)));

/* The core. */
static uint32_t held, row_words, outputs[HOST_OUTPUTS], next[HOST_OUTPUTS], valid, error, events, enabled, test, cycles, mute, busy;
static int32_t rows[HOST_WINDOW][HOST_FEATURES];
static uint32_t selected = 255, part, complete = 1, model = HOST_MODEL, checksum = HOST_CHECKSUM;
static uint32_t memories[HOST_MEMORIES + 1][HOST_PARTS];
static const uint32_t parts[] = HOST_MEMORY_PARTS;

/* The line. */
static const uint8_t *input;
static size_t left;
static uint8_t *replies;
static size_t written, room;
static uint32_t time_now, idle;
static jmp_buf ended;
static int trapped_write;
static uint32_t trapped_word;

static void push(uint32_t feature, int32_t value)
{
	if (feature >= HOST_FEATURES || !complete || selected < HOST_MEMORIES)
		return;
	rows[HOST_WINDOW - 1][feature] = value;
	row_words++;
	if (feature != HOST_FEATURES - 1)
		return;
	if (held < HOST_WINDOW)
		held++;
	/* What an inference on this window gives, see Shape.outputs_of. */
	for (uint32_t output = 0; output < HOST_OUTPUTS; output++) {
		uint32_t sum = output;
		for (uint32_t row = 0; row < HOST_WINDOW; row++)
			for (uint32_t f = 0; f < HOST_FEATURES; f++)
				sum = sum * 31 + (uint32_t)rows[row][f];
		next[output] = sum;
	}
	memmove(rows[0], rows[1], sizeof(rows) - sizeof(rows[0]));
}

static uint32_t read_word(uint32_t word)
{
	if (word >= 0x100 && word < 0x200)
		return valid ? outputs[(word - 0x100) % HOST_OUTPUTS] : 0;
	if (word < 0x200)
		return 0;
	switch (word - 0x200) {
	case 1: {
		uint32_t value = selected < HOST_MEMORIES ? memories[selected][part % HOST_PARTS] : 0;
		part++;
		return value;
	}
	case 2:
		return model;
	case 3:
		return checksum;
	case 4:
		return complete;
	}
	return 0;
}

static void write_word(uint32_t word, uint32_t value)
{
	if (word < 0x100) {
		push(word, (int32_t)value);
		return;
	}
	switch (word - 0x200) {
	case 0:
		selected = value;
		part = 0;
		break;
	case 1:
		/* Past the last part of a memory: what the firmware must never do. */
		if (selected < HOST_MEMORIES && !complete) {
			if (part >= parts[selected])
				host_fault("a part behind the end of a memory");
			else
				memories[selected][part++] = value;
		} else {
			host_fault("a part without an open memory");
		}
		break;
	case 2:
		model = value;
		break;
	case 3:
		checksum = value;
		break;
	case 4:
		complete = value & 1;
		break;
	}
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t address = (uintptr_t)info->si_addr;

	if (address < (uintptr_t)host_window || address >= (uintptr_t)host_window + PAGE) {
		signal(number, SIG_DFL);
		return;
	}
	mprotect(host_window, PAGE, PROT_READ | PROT_WRITE);
	trapped_word = (uint32_t)(address - (uintptr_t)host_window) / 4;
	trapped_write = (registers[REG_ERR] & WRITE) != 0;
	if (!trapped_write)
		((uint32_t *)host_window)[trapped_word] = read_word(trapped_word);
	registers[REG_EFL] |= TRAP;
}

static void on_step(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP;
	if (trapped_write)
		write_word(trapped_word, ((uint32_t *)host_window)[trapped_word]);
	mprotect(host_window, PAGE, PROT_NONE);
}

void host_fault(const char *text)
{
	fprintf(stderr, "fault: %s\n", text);
	abort();
}

/* Registers. */
uint32_t liteformer_identifier_read(void) { return mute == 3 ? 0 : HOST_IDENTIFIER; }
uint32_t liteformer_version_read(void) { return 0x10000; }
uint32_t liteformer_model_id_read(void) { return model; }
uint32_t liteformer_build_read(void) { return HOST_BUILD; }
uint32_t liteformer_shape_read(void) { return HOST_WINDOW | HOST_FEATURES << 11 | HOST_OUTPUTS << 20; }
uint32_t liteformer_cycles_read(void) { return cycles; }
uint32_t liteformer_self_test_read(void) { return test; }
void liteformer_self_test_write(uint32_t value) { test = value; }
void liteformer_ev_enable_write(uint32_t value) { enabled = value; }
void liteformer_ev_pending_write(uint32_t value) { events &= ~value; }

uint32_t liteformer_status_read(void)
{
	return (held == HOST_WINDOW && !busy) | busy << 1 | valid << 2 | complete << 3 | error << 4 | test << 8;
}

uint32_t liteformer_ev_pending_read(void)
{
	return events;
}

void liteformer_control_write(uint32_t value)
{
	if (value & 1) {
		uint32_t ready = held == HOST_WINDOW && complete;
		valid = error = 0;
		events = 0;
		cycles = 100 + row_words % 7;
		if (mute == 1 || mute == 2) {
			/* An interrupt lost, a core that never ends. */
			busy = mute == 2;
			return;
		}
		valid = ready;
		if (ready)
			memcpy(outputs, next, sizeof(outputs));
		error = complete ? (ready ? 0 : 1) : 3;
		events |= ready ? 1 : 2;
	}
	if (value & 2 && busy) {
		busy = 0;
		error = 2;
		events |= 2;
	}
	if (value & 4 && !busy)
		held = valid = error = 0;
}

/* Timer and line. */
void timer0_reload_write(uint32_t value) { (void)value; }
void timer0_load_write(uint32_t value) { (void)value; }
void timer0_en_write(uint32_t value) { (void)value; }
void timer0_update_value_write(uint32_t value) { (void)value; }
uint32_t timer0_value_read(void) { return -(time_now += 3); }
void uart_ev_pending_write(uint32_t value) { (void)value; }
void uart_rxtx_write(uint32_t byte)
{
	if (written < room)
		replies[written] = (uint8_t)byte;
	written++;
}

uint32_t uart_txfull_read(void)
{
	/* Full every fifth time. */
	static uint32_t turn;
	return ++turn % 5 == 0;
}

uint32_t uart_rxempty_read(void)
{
	if (left)
		return 0;
	/* A frame that has begun is given up after a while; then the run ends. */
	time_now += HOST_TIMEOUT / 2;
	if (++idle > 6)
		longjmp(ended, 1);
	return 1;
}

uint32_t uart_rxtx_read(void)
{
	left--;
	return *input++;
}

/* For what an application measures: the next byte, at the end of which the run ends. */
uint32_t host_byte(void)
{
	if (!left)
		longjmp(ended, 1);
	return uart_rxtx_read();
}

int firmware_main(void);
const char *liteformer_error_text(int error);
void isr(void);
void litex_startup_init(void);

/* What only an application calls. */
static size_t texts(uint8_t *answers)
{
	size_t length = 0;

	for (int code = 0; code < 8; code++) {
		const char *text = liteformer_error_text(code);

		memcpy(answers + length, text, strlen(text));
		length += strlen(text);
		answers[length++] = '\n';
	}
	isr();
	litex_startup_init();
	return length;
}

/* Boot the firmware, send it `count` bytes and return the length of all it answered, of which `capacity` bytes are kept.
 * `quiet`: 1, the core never raises an event; 2, it stays busy as well; 3, there is no core; 4, only the texts of errors. */
static size_t host_run(const uint8_t *bytes, size_t count, uint8_t *answers, size_t capacity, uint32_t quiet)
{
	static int ready;

	if (!ready) {
		struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
		struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER};

		sigaction(SIGSEGV, &fault, 0);
		sigaction(SIGTRAP, &step, 0);
		mprotect(host_window, PAGE, PROT_NONE);
		ready = 1;
	}
	input = bytes;
	left = count;
	replies = answers;
	room = capacity;
	written = idle = 0;
	mute = quiet;
	busy = 0;
	if (quiet == 4)
		return texts(answers);
	if (!setjmp(ended))
		firmware_main();
	return written;
}

/* Of each run, from the standard input: number of bytes, quiet, the bytes; to the standard output: number of bytes
 * answered, the bytes. */
int main(void)
{
	static uint8_t bytes[1 << 22], answers[1 << 22];
	uint32_t head[2];

	while (fread(head, sizeof(head), 1, stdin) == 1) {
		uint32_t count = head[0];

		if (count > sizeof(bytes) || fread(bytes, 1, count, stdin) != count)
			return 2;
		count = (uint32_t)host_run(bytes, count, answers, sizeof(answers), head[1]);
		if (count > sizeof(answers))
			return 3;
		fwrite(&count, sizeof(count), 1, stdout);
		fwrite(answers, 1, count, stdout);
		fflush(stdout);
	}
	return 0;
}
