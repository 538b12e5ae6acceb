/* SPDX-License-Identifier: BSD-2-Clause */
/* What an application computes from the outputs: a class, or an alarm. Independent of the hardware; accel/decision.py computes the
 * same integers.
 */
#ifndef LITEFORMER_DECISION_H
#define LITEFORMER_DECISION_H

#include <stdint.h>

/* Classification: index of the largest of `count` outputs, the first one if several are equal. */
uint32_t liteformer_argmax(const volatile int32_t *outputs, uint32_t count);

/* Anomaly detection. Use, with the outputs of the last inference still in the core:
 *     liteformer_anomaly_update(&anomaly, liteformer_results(), row)    when a row arrives,
 *     liteformer_push(row); liteformer_infer();                         the forecast of the row after it.
 * The numbers are in the model file. */
struct liteformer_anomaly {
	const uint8_t *features; /* of each target, its feature */
	const uint8_t *shifts;   /* of each target, the right shift from raw counts to those of the output */
	const uint8_t *gains;    /* of each target, the left shift of its error, at most 7 */
	uint8_t targets;         /* how many, at most 64 */
	uint8_t smoothing;       /* right shift of the exponential smoothing, at most 6 */
	uint32_t threshold;      /* a score above it is an alarm */
	uint32_t score;          /* smoothed sum of the absolute forecast errors, times 1 << smoothing */
	/* Of liteformer_anomaly_learn alone: */
	uint8_t calibration;     /* log2 of the rows that teach the mean residuals, and of those that teach the gains; at most 8 */
	uint16_t seen;           /* rows since the last gap, not counted on after those that teach and one */
	uint32_t level;          /* a target whose residuals are that far from their mean, in sum, has gain 0 */
	int32_t *means;          /* of each target, learned */
	uint32_t *spreads;       /* likewise; in the end the gain */
};

/* Take the forecast of the row that arrived; returns whether the score is now an alarm. Set score to 0 after a gap. */
int liteformer_anomaly_update(struct liteformer_anomaly *anomaly, const volatile int32_t *forecast, const int32_t *row);

/* The same for a model with a calibration: the first rows teach means and gains, which replace those of the model, and raise no
 * alarm. Set score and seen to 0 after a gap. */
int liteformer_anomaly_learn(struct liteformer_anomaly *anomaly, const volatile int32_t *forecast, const int32_t *row);

#endif
