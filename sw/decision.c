/* SPDX-License-Identifier: BSD-2-Clause */
#include "decision.h"

#define LARGEST_ERROR 0xffff
#define LARGEST_TOTAL 0xffffff
#define LARGEST_GAIN 7

uint32_t liteformer_argmax(const volatile int32_t *outputs, uint32_t count)
{
	uint32_t best = 0;
	int32_t largest = outputs[0];

	for (uint32_t output = 1; output < count; output++) {
		int32_t value = outputs[output];

		if (value > largest) {
			largest = value;
			best = output;
		}
	}
	return best;
}

/* Forecast minus what arrived, saturated. */
static inline int32_t residual_of(const struct liteformer_anomaly *anomaly, const volatile int32_t *forecast,
				  const int32_t *row, uint32_t target)
{
	int32_t expected = forecast[target];
	int32_t arrived = row[anomaly->features[target]] >> anomaly->shifts[target];
	uint32_t error = (uint32_t)expected - (uint32_t)arrived;

	if (expected < arrived)
		error = -error;
	if (error > LARGEST_ERROR)
		error = LARGEST_ERROR;
	return expected < arrived ? -(int32_t)error : (int32_t)error;
}

static inline uint32_t magnitude(int32_t value)
{
	return (uint32_t)(value < 0 ? -value : value);
}

static inline int scored(struct liteformer_anomaly *anomaly, uint32_t total)
{
	if (total > LARGEST_TOTAL)
		total = LARGEST_TOTAL;
	anomaly->score += total - (anomaly->score >> anomaly->smoothing);
	return anomaly->score > anomaly->threshold;
}

int liteformer_anomaly_update(struct liteformer_anomaly *anomaly, const volatile int32_t *forecast, const int32_t *row)
{
	uint32_t total = 0;

	for (uint32_t target = 0; target < anomaly->targets; target++)
		total += magnitude(residual_of(anomaly, forecast, row, target)) << anomaly->gains[target];
	return scored(anomaly, total);
}

int liteformer_anomaly_learn(struct liteformer_anomaly *anomaly, const volatile int32_t *forecast, const int32_t *row)
{
	uint32_t total = 0, part = 1u << anomaly->calibration, seen = anomaly->seen;

	for (uint32_t target = 0; target < anomaly->targets; target++) {
		int32_t residual = residual_of(anomaly, forecast, row, target);
		int32_t *mean = &anomaly->means[target];
		uint32_t *spread = &anomaly->spreads[target];
		uint32_t error;

		if (!seen)
			*mean = 0;
		if (seen < part) {
			*mean += residual;
			*spread = 0;
			continue;
		}
		if (seen == part)
			*mean >>= anomaly->calibration;
		error = magnitude(residual - *mean);
		if (error > LARGEST_ERROR)
			error = LARGEST_ERROR;
		if (seen < 2 * part) {
			*spread += error;
			continue;
		}
		if (seen == 2 * part) {
			uint32_t sum = *spread, gain = 0;

			while (gain < LARGEST_GAIN && sum <= anomaly->level >> (gain + 1))
				gain++;
			*spread = gain;
		}
		total += error << *spread;
	}
	if (seen <= 2 * part)
		anomaly->seen++;
	return scored(anomaly, total);
}
