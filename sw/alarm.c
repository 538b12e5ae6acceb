/* SPDX-License-Identifier: BSD-2-Clause */
/* Example of an application: one sample per time step, a forecast of the next, an LED that is on while the forecast is above a
 * threshold. Copy it and replace read_sensor, and wait_for_next_sample if the sensor sets the pace.
 *
 *     liteformer build MODEL --board arty_a7 --application alarm.c
 */
#include "liteformer.h"

/* Raw output above which the LED is on: the physical value times the model's output scale. */
#ifndef ALARM_THRESHOLD
#define ALARM_THRESHOLD 0
#endif

/* Clock cycles from one sample to the next; the timer of the SoC counts them. */
#ifndef ALARM_PERIOD
#define ALARM_PERIOD CONFIG_CLOCK_FREQUENCY
#endif

#define MAX_FEATURES 32

/* Stands in for a sensor: a triangle wave, shifted from one feature to the next. Values are the physical ones times the model's
 * raw scale, as integers. */
static int32_t read_sensor(uint32_t feature)
{
	static uint32_t step;
	uint32_t phase = step + 5 * feature;

	if (feature == liteformer_features - 1)
		step++;
	return (int32_t)((phase & 32 ? ~phase & 31 : phase & 31) << 9) - (16 << 9);
}

static void start_timer(void)
{
	timer0_en_write(0);
	timer0_reload_write(ALARM_PERIOD);
	timer0_load_write(ALARM_PERIOD);
	timer0_ev_pending_write(1);
	timer0_en_write(1);
}

static void wait_for_next_sample(void)
{
	while (!timer0_ev_pending_read())
		;
	timer0_ev_pending_write(1);
}

/* The LED, and a character on the serial line. */
static void show(int alarm)
{
#ifdef CSR_LEDS_BASE
	leds_out_write(alarm);
#endif
#ifdef CSR_UART_BASE
	if (!uart_txfull_read())
		uart_rxtx_write(alarm ? '!' : '.');
#endif
}

int main(void)
{
	int32_t row[MAX_FEATURES];

	if (liteformer_init() != LITEFORMER_OK || liteformer_features > MAX_FEATURES)
		return 1;
	start_timer();
	for (;;) {
		wait_for_next_sample();
		for (uint32_t feature = 0; feature < liteformer_features; feature++)
			row[feature] = read_sensor(feature);
		liteformer_push(row);
		if (liteformer_infer() == LITEFORMER_OK)
			show(liteformer_result(0) > ALARM_THRESHOLD);
	}
}
