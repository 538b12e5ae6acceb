/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches a sensor: forecasts its next temperature, and lights the LED while the temperature is not the one that was forecast.
 * Every sample is a line of a CSV on the serial line, from which the next model is trained (docs/tutorial.md).
 *
 *     liteformer build MODEL --board arty_a7 --sensor xadc
 *
 * The model's features are the first ones of SENSOR_NAMES, in their order; its only output is the next temperature.
 */
#include "liteformer.h"
#include "sensor.h"

#include <generated/model.h>

/* Clock cycles from one sample to the next. */
#ifndef WATCH_PERIOD
#define WATCH_PERIOD CONFIG_CLOCK_FREQUENCY
#endif

/* The LED is on while the temperature is this many codes off, or more; 8 of the XADC's are a degree. */
#ifndef WATCH_BAND
#define WATCH_BAND 8
#endif

static const int8_t raw_shifts[] = LITEFORMER_RAW_SHIFTS, output_shifts[] = LITEFORMER_OUTPUT_SHIFTS;
static const int32_t raw_origins[] = LITEFORMER_RAW_ORIGINS, output_origins[] = LITEFORMER_OUTPUT_ORIGINS;

static int32_t shifted(int32_t value, int8_t shift)
{
	return shift < 0 ? value >> -shift : (int32_t)((uint32_t)value << shift);
}

static void put(char byte)
{
	while (uart_txfull_read())
		;
	uart_rxtx_write((uint8_t)byte);
}

static void put_text(const char *text)
{
	while (*text)
		put(*text++);
}

/* By subtraction: the small CPUs would take hundreds of cycles for a division. */
static void put_number(int32_t number)
{
	static const uint32_t powers[] = {1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
	uint32_t rest = (uint32_t)number, begun = 0;

	if (number < 0) {
		put('-');
		rest = -rest;
	}
	for (uint32_t digit = 0; digit < 10; digit++) {
		char figure = '0';

		for (; rest >= powers[digit]; rest -= powers[digit])
			figure++;
		begun |= figure != '0' || digit == 9;
		if (begun)
			put(figure);
	}
}

static void start_timer(void)
{
	timer0_en_write(0);
	timer0_reload_write(WATCH_PERIOD - 1);
	timer0_load_write(WATCH_PERIOD - 1);
	timer0_ev_pending_write(1);
	timer0_en_write(1);
}

static void wait_for_next_sample(void)
{
	while (!timer0_ev_pending_read())
		;
	timer0_ev_pending_write(1);
}

/* Whether a code is not the one that was forecast, in counts of the output. */
static uint32_t is_off(int32_t forecast, int32_t code)
{
	int32_t there = shifted(code, output_shifts[0]);
	/* Unsigned: the difference of two samples can be one bit more. */
	uint32_t error = forecast > there ? (uint32_t)forecast - (uint32_t)there : (uint32_t)there - (uint32_t)forecast;

	return error >= (uint32_t)shifted(WATCH_BAND, output_shifts[0]);
}

static void show(uint32_t on)
{
#ifdef CSR_LEDS_BASE
	leds_out_write(on);
#endif
	put(',');
	put_number((int32_t)on);
}

int main(void)
{
	int32_t values[SENSOR_VALUES], row[SENSOR_VALUES], forecast = 0;
	uint32_t known = 0;

	put_text("step," SENSOR_NAMES ",forecast,led\r\n");
	if (liteformer_init() != LITEFORMER_OK || liteformer_features > SENSOR_VALUES || liteformer_outputs != 1) {
		put_text("the model does not fit the sensor\r\n");
		return 1;
	}
	start_timer();
	for (int32_t step = 0;; step++) {
		wait_for_next_sample();
		/* After a missing sample, samples of another time must not make a window. */
		if (!sensor_read(values)) {
			liteformer_clear();
			known = 0;
			continue;
		}
		put_number(step);
		for (uint32_t value = 0; value < SENSOR_VALUES; value++) {
			put(',');
			put_number(values[value]);
		}
		put(',');
		if (known)
			put_number(shifted(forecast, -output_shifts[0]));
		show(known && is_off(forecast, values[0]));
		put_text("\r\n");
		for (uint32_t feature = 0; feature < liteformer_features; feature++)
			row[feature] = (int32_t)((uint32_t)shifted(values[feature], raw_shifts[feature]) - (uint32_t)raw_origins[feature]);
		liteformer_push(row);
		known = liteformer_infer() == LITEFORMER_OK;
		forecast = (int32_t)((uint32_t)liteformer_result(0) + (uint32_t)output_origins[0]);
	}
}
