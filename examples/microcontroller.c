/* SPDX-License-Identifier: BSD-2-Clause */
/* The exported C in a program: a line of raw samples for each time step comes in, a line of forecasts goes out as soon as the window
 * is full. On a microcontroller, a sensor takes the place of scanf.
 *
 *     liteformer export build/plant --format c -o build/plant_c
 *     cc -Ibuild/plant_c examples/microcontroller.c build/plant_c/liteformer_model.c -o build/forecast
 */
#include <stdio.h>
#include <string.h>

#include "liteformer_model.h"

enum { WINDOW = LITEFORMER_MODEL_WINDOW, FEATURES = LITEFORMER_MODEL_FEATURES, OUTPUTS = LITEFORMER_MODEL_OUTPUTS };

int main(void)
{
	static int32_t window[WINDOW * FEATURES];
	int32_t outputs[OUTPUTS];
	int rows = 0;

	for (;;) {
		memmove(window, window + FEATURES, (WINDOW - 1) * FEATURES * sizeof(window[0]));
		for (int feature = 0; feature < FEATURES; feature++) {
			long sample;

			if (scanf("%ld", &sample) != 1)
				return 0;
			window[(WINDOW - 1) * FEATURES + feature] = (int32_t)sample;
		}
		if (++rows < WINDOW)
			continue;
		liteformer_model_infer(window, outputs);
		for (int output = 0; output < OUTPUTS; output++)
			printf(output ? " %ld" : "%ld", (long)outputs[output]);
		printf("\n");
	}
}
