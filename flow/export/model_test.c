/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the model with what the golden model computed. */
#include <stdio.h>
#include <string.h>

#include "test_vectors.h"

#if TASK
#include "decision.h"
#endif

int main(void)
{
	int32_t outputs[OUTPUTS];
	unsigned long wrong = 0;
#if TASK == 2
	int32_t before[OUTPUTS];
	struct liteformer_anomaly anomaly = ANOMALY;
#endif

	for (unsigned long window = 0; window < WINDOWS; window++) {
		INFER(samples[window], outputs);
		for (unsigned output = 0; output < OUTPUTS; output++)
			wrong += outputs[output] != expected[window][output];
#if TASK == 1
		wrong += liteformer_argmax(outputs, OUTPUTS) != decisions[window][0];
#elif TASK == 2
		unsigned alarm = 0;

		if (window && !memcmp(samples[window], samples[window - 1] + FEATURES, sizeof(samples[0]) - FEATURES * sizeof(int32_t)))
			alarm = (unsigned)UPDATE(&anomaly, before, samples[window] + (WINDOW - 1) * FEATURES);
		else
			anomaly.score = anomaly.seen = 0;
		memcpy(before, outputs, sizeof(outputs));
		wrong += anomaly.score != decisions[window][0] || alarm != decisions[window][1];
#endif
	}
	if (wrong) {
		printf("FAIL: %lu numbers differ from the golden model\n", wrong);
		return 1;
	}
	printf("PASS: %lu windows equal the golden model\n", (unsigned long)WINDOWS);
	return 0;
}
