/* SPDX-License-Identifier: BSD-2-Clause */
#include "decision.h"

#define LARGEST_ERROR 0xffff
#define LARGEST_TOTAL 0xffffff

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

int liteformer_anomaly_update(struct liteformer_anomaly *anomaly, const volatile int32_t *forecast, const int32_t *row)
{
	uint32_t total = 0;

	for (uint32_t target = 0; target < anomaly->targets; target++) {
		int32_t expected = forecast[target];
		int32_t arrived = row[anomaly->features[target]] >> anomaly->shifts[target];
		uint32_t error = (uint32_t)expected - (uint32_t)arrived;

		if (expected < arrived)
			error = -error;
		if (error > LARGEST_ERROR)
			error = LARGEST_ERROR;
		total += error << anomaly->gains[target];
	}
	if (total > LARGEST_TOTAL)
		total = LARGEST_TOTAL;
	anomaly->score += total - (anomaly->score >> anomaly->smoothing);
	return anomaly->score > anomaly->threshold;
}
