/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves the core over the serial line: samples come in, forecasts, classes or alarms and their cycle counts go out. */
#include "liteformer.h"
#include "loading.h"
#include "protocol.h"

#include <generated/model.h>

/* Values of LITEFORMER_TASK; 0 is a forecast. */
#define CLASSIFICATION 1
#define ANOMALY 2

#define BENCH_MAXIMUM 1000

static enum liteformer_error error; /* of the last inference, or why there is no core */
static uint32_t end_to_end;         /* cycles of the last inference, seen from the CPU */
static enum liteformer_test tested; /* result of the last self-test */
static uint32_t held;               /* rows in the core's window */
#ifdef LITEFORMER_MEMORIES
/* Where the next part of the model goes; memory - 1 is the number of the open one, 0 is none. */
static uint32_t memory, position;
#endif

void protocol_put(uint8_t byte)
{
	while (uart_txfull_read())
		;
	uart_rxtx_write(byte);
}

#if LITEFORMER_TASK == CLASSIFICATION
#define DECISION_WORDS 1
static uint32_t class;
#elif LITEFORMER_TASK == ANOMALY
#define DECISION_WORDS 2
static const uint8_t features[] = LITEFORMER_ANOMALY_FEATURES;
static const uint8_t shifts[] = LITEFORMER_ANOMALY_SHIFTS, gains[] = LITEFORMER_ANOMALY_GAINS;
#if LITEFORMER_ANOMALY_CALIBRATION
static int32_t means[sizeof(gains)];
static uint32_t spreads[sizeof(gains)];
#define UPDATE liteformer_anomaly_learn
#else
#define UPDATE liteformer_anomaly_update
#endif
static struct liteformer_anomaly anomaly = {
	.features = features,
	.shifts = shifts,
	.gains = gains,
	.targets = sizeof(gains),
	.smoothing = LITEFORMER_ANOMALY_SMOOTHING,
	.threshold = LITEFORMER_ANOMALY_THRESHOLD,
#if LITEFORMER_ANOMALY_CALIBRATION
	.calibration = LITEFORMER_ANOMALY_CALIBRATION,
	.level = LITEFORMER_ANOMALY_LEVEL,
	.means = means,
	.spreads = spreads,
#endif
};
static uint32_t alarm;
static uint8_t forecast_waits; /* the last inference's forecast is that of the row to come */
#else
#define DECISION_WORDS 0
#endif

#if LITEFORMER_TASK == ANOMALY
/* In the ROM once: infer() contains what it calls. */
static void __attribute__((noinline)) compare(const int32_t *row)
{
	if (forecast_waits)
		alarm = (uint32_t)UPDATE(&anomaly, liteformer_results(), row);
	forecast_waits = 0;
}
#endif

static void take(const int32_t *row)
{
#if LITEFORMER_TASK == ANOMALY
	compare(row);
#endif
	liteformer_push(row);
}

/* The timer counts down through all 32 bits, one per clock cycle. */
static void start_clock(void)
{
	timer0_reload_write(0xffffffff);
	timer0_load_write(0xffffffff);
	timer0_en_write(1);
}

static uint32_t now(void)
{
	timer0_update_value_write(1);
	return -timer0_value_read();
}

/* Calls are as long as the rest of the way from a sample to its result. */
#define WITHOUT_CALLS __attribute__((flatten))

static enum protocol_status status_of(enum liteformer_error code)
{
	return code == LITEFORMER_OK ? PROTOCOL_OK : (enum protocol_status)(PROTOCOL_NOT_READY - LITEFORMER_NOT_READY + code);
}

/* A fixed model always is. */
static int model_is_complete(void)
{
#ifdef LITEFORMER_MEMORIES
	return liteformer_status_read() & 1 << CSR_LITEFORMER_STATUS_MODEL_OFFSET;
#else
	return 1;
#endif
}

static void answer_info(void)
{
	protocol_begin(PROTOCOL_OK, 1 + 11 * 4);
	protocol_word(liteformer_identifier_read());
	protocol_word(liteformer_version_read());
	protocol_word(liteformer_model());
	protocol_word(liteformer_window);
	protocol_word(liteformer_features);
	protocol_word(liteformer_outputs);
	protocol_word(CONFIG_CLOCK_FREQUENCY);
	protocol_word(PROTOCOL_PAYLOAD);
	protocol_word(LITEFORMER_TASK);
	protocol_word(liteformer_build_read());
	protocol_word(tested);
	protocol_end();
}

static void answer_result(void)
{
	if (error != LITEFORMER_OK) {
		protocol_answer(status_of(error));
		return;
	}
	protocol_begin(PROTOCOL_OK, 1 + 4 * (2 + liteformer_outputs + DECISION_WORDS));
	protocol_word(liteformer_cycles());
	protocol_word(end_to_end);
	for (uint32_t output = 0; output < liteformer_outputs; output++)
		protocol_word((uint32_t)liteformer_result(output));
#if LITEFORMER_TASK == CLASSIFICATION
	protocol_word(class);
#elif LITEFORMER_TASK == ANOMALY
	protocol_word(anomaly.score);
	protocol_word(alarm);
#endif
	protocol_end();
}

/* The time from the newest sample in memory to its forecast, class or alarm in a register, which is what an application
 * waits for. */
static void WITHOUT_CALLS infer(const int32_t *newest)
{
	enum liteformer_error code;
	uint32_t begin;

	timer0_update_value_write(1);
	if (newest)
		take(newest);
	liteformer_start();
	begin = -timer0_value_read(); /* As it was at the beginning. */
	code = liteformer_wait();
#if LITEFORMER_TASK == CLASSIFICATION
	class = liteformer_argmax(liteformer_results(), liteformer_outputs);
#else
	(void)liteformer_result(0);
#endif
#if LITEFORMER_TASK == ANOMALY
	forecast_waits = code == LITEFORMER_OK;
#endif
	end_to_end = now() - begin;
	error = code;
}

/* The payload's rows are pushed; an inference begins with the last of them still in memory. Everything that can be refused is
 * refused before the first push. */
static void serve_rows(int inference)
{
	const int32_t *row = (const int32_t *)protocol_frame.payload, *end = row + (protocol_frame.length >> 2);
	const int32_t *newest = 0;
	uint32_t rows = held;

	if (liteformer_features == 0) {
		protocol_answer(PROTOCOL_NO_CORE);
		return;
	}
	for (; row < end; row += liteformer_features)
		if (rows != liteformer_window)
			rows++;
	if (row != end || (protocol_frame.length & 3)) {
		protocol_answer(PROTOCOL_BAD_LENGTH);
		return;
	}
	if (!model_is_complete()) {
		protocol_answer(PROTOCOL_NO_MODEL);
		return;
	}
	if (inference && rows != liteformer_window) {
		protocol_answer(PROTOCOL_NOT_READY);
		return;
	}
	held = rows;
	row = (const int32_t *)protocol_frame.payload;
	if (inference && row != end)
		newest = end -= liteformer_features;
	for (; row != end; row += liteformer_features)
		take(row);
	if (inference) {
		infer(newest);
		answer_result();
	} else {
		protocol_answer(PROTOCOL_OK);
	}
}

/* Forgets samples and score; keeps what was read from the core. */
static void restart(void)
{
	held = 0;
#ifdef LITEFORMER_MEMORIES
	memory = 0; /* A checksum may follow, which closes it. */
#endif
#if LITEFORMER_TASK == ANOMALY
	anomaly.score = 0;
#if LITEFORMER_ANOMALY_CALIBRATION
	anomaly.seen = 0;
#endif
	alarm = 0;
	forecast_waits = 0;
#endif
	error = liteformer_init();
	if (error == LITEFORMER_OK)
		error = LITEFORMER_NOT_READY;
}

static void self_test(void)
{
	restart();
	tested = error == LITEFORMER_NOT_FOUND ? LITEFORMER_UNTESTED : liteformer_self_test();
}

static void answer_self_test(void)
{
	self_test();
	if (error == LITEFORMER_NOT_FOUND) {
		protocol_answer(PROTOCOL_NO_CORE);
		return;
	}
	protocol_begin(PROTOCOL_OK, 1 + 4);
	protocol_word(tested);
	protocol_end();
}

/* Runs the present window several times. */
static void bench(void)
{
	uint32_t count = protocol_frame.payload[0], begin, cycles;

	if (protocol_frame.length != 4 || count == 0 || count > BENCH_MAXIMUM) {
		protocol_answer(PROTOCOL_BAD_LENGTH);
		return;
	}
	begin = now();
	for (uint32_t left = count; left; left--) {
		error = liteformer_infer();
		if (error != LITEFORMER_OK) {
			answer_result();
			return;
		}
	}
	cycles = now() - begin;
	protocol_begin(PROTOCOL_OK, 1 + 2 * 4);
	protocol_word(liteformer_cycles());
	protocol_word(cycles);
	protocol_end();
}

#ifdef LITEFORMER_MEMORIES

static enum protocol_status load_begin(void)
{
	restart();
	if (error == LITEFORMER_NOT_FOUND)
		return PROTOCOL_NO_CORE;
	liteformer_load_begin();
	return PROTOCOL_OK;
}

/* Memory, number of the first part, parts. A frame that arrives twice is used once. */
static enum protocol_status load_data(void)
{
	const uint32_t *word = protocol_frame.payload;
	uint32_t parts = (protocol_frame.length >> 2) - 2;

	if ((protocol_frame.length & 3) || protocol_frame.length < 12)
		return PROTOCOL_BAD_LENGTH;
	/* A memory that is open on a complete model would block it. The number of the first part may be anything. */
	if (model_is_complete() || word[0] >= liteformer_memories || parts > liteformer_memory_parts[word[0]] ||
	    word[1] > liteformer_memory_parts[word[0]] - parts)
		return PROTOCOL_BAD_MODEL;
	if (word[0] + 1 == memory && word[1] + parts == position)
		return PROTOCOL_OK;
	if (word[1] == 0) {
		liteformer_load_open(word[0]);
		memory = word[0] + 1;
		position = 0;
	}
	if (word[0] + 1 != memory || word[1] != position)
		return PROTOCOL_BAD_MODEL;
	position += parts;
	for (word += 2; parts; parts--)
		liteformer_load_part(*word++);
	return PROTOCOL_OK;
}

static enum protocol_status load_end(void)
{
	if (protocol_frame.length != 8)
		return PROTOCOL_BAD_LENGTH;
	memory = 0;
	if (liteformer_load_end(protocol_frame.payload[0], protocol_frame.payload[1]) != LITEFORMER_OK)
		return PROTOCOL_BAD_MODEL;
	self_test();
	return PROTOCOL_OK;
}

static enum protocol_status load(void)
{
	if (protocol_frame.command == PROTOCOL_LOAD_BEGIN)
		return load_begin();
	return protocol_frame.command == PROTOCOL_LOAD_DATA ? load_data() : load_end();
}

#else

static enum protocol_status load(void)
{
	return PROTOCOL_FIXED_MODEL;
}

#endif

static void serve(void)
{
	switch (protocol_frame.command) {
	case PROTOCOL_INFO:
		answer_info();
		break;
	case PROTOCOL_PUSH:
	case PROTOCOL_INFER:
		serve_rows(protocol_frame.command == PROTOCOL_INFER);
		break;
	case PROTOCOL_RESULT:
		answer_result();
		break;
	case PROTOCOL_RESET:
		restart();
		protocol_answer(error == LITEFORMER_NOT_FOUND ? PROTOCOL_NO_CORE : PROTOCOL_OK);
		break;
	case PROTOCOL_LOAD_BEGIN:
	case PROTOCOL_LOAD_DATA:
	case PROTOCOL_LOAD_END:
		protocol_answer(load());
		break;
	case PROTOCOL_SELF_TEST:
		answer_self_test();
		break;
	case PROTOCOL_BENCH:
		bench();
		break;
	default:
		protocol_answer(PROTOCOL_BAD_COMMAND);
	}
}

int main(void)
{
	uint32_t heard = 0;

	start_clock();
	self_test();
	for (;;) {
		if (!uart_rxempty_read()) {
			uint8_t byte = (uint8_t)uart_rxtx_read();

			uart_ev_pending_write(1 << CSR_UART_EV_PENDING_RX_OFFSET);
			if (protocol_receive(byte))
				serve();
			if (protocol_pending())
				heard = now();
		} else if (protocol_pending() && now() - heard > LITEFORMER_FRAME_TIMEOUT) {
			protocol_timeout();
		}
	}
}
