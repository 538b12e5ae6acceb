/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic; above it stand the model's tables and constants. The steps and their names are those of docs/numerics.md. */

#define HALF ((int64_t)1 << 19)
#define LIFT ((int64_t)1 << 62)

/* Round, shift by 20 and clamp. C99 leaves the right shift of negative numbers open: `total` is lifted above zero for it. */
static int32_t requantize(int64_t total, int32_t lo, int32_t hi)
{
	int64_t value = (int64_t)((uint64_t)(total + HALF + LIFT) >> 20) - (LIFT >> 20);

	return value < lo ? lo : value > hi ? hi : (int32_t)value;
}

static sum_type product(const int8_t *x, const int8_t *weight, uint32_t count)
{
	sum_type sum = 0;

	while (count--)
		sum += *x++ * *weight++;
	return sum;
}

static void linear(const struct linear *layer, const int8_t *x, const int8_t *residual, int8_t *result)
{
	for (uint32_t channel = 0; channel < layer->outputs; channel++) {
		int64_t total = (int64_t)product(x, layer->weight + channel * layer->inputs, layer->inputs) * layer->multiplier[channel];

		if (residual)
			total += (int64_t)((int32_t)residual[channel] * layer->residual[channel]) * 256;
		total += (int64_t)layer->offset[channel] * 1024;
		result[channel] = (int8_t)requantize(total, layer->lo, layer->hi);
	}
}

static int8_t samples[WINDOW * FEATURES];
static int8_t hidden[TOKENS][CHANNELS], key[TOKENS][CHANNELS], value[TOKENS][CHANNELS];
static int8_t query[CHANNELS], context[CHANNELS], attended[CHANNELS], expanded[EXPANDED];
static int16_t score[TOKENS];

static void quantize(const int32_t *raw)
{
	for (uint32_t at = 0; at < WINDOW * FEATURES; at++) {
		int32_t sample = raw[at] < RAW_LOW ? RAW_LOW : raw[at] > RAW_HIGH ? RAW_HIGH : raw[at];
		int64_t total = (int64_t)sample * input_multiplier[at % FEATURES] + (int64_t)input_offset[at % FEATURES] * 1024;

		samples[at] = (int8_t)requantize(total, INPUT_LOW, INPUT_HIGH);
	}
}

static void attend(const struct layer *layer)
{
	for (uint32_t head = 0; head < HEADS; head++) {
		uint32_t first = head * HEAD_CHANNELS;
		int32_t largest = SCORE_LOW, sum = 0, rate;

		for (uint32_t token = 0; token < TOKENS; token++) {
			int64_t total = (int64_t)product(query + first, key[token] + first, HEAD_CHANNELS) * layer->score[head];

			score[token] = (int16_t)requantize(total, SCORE_LOW, SCORE_HIGH);
			if (score[token] > largest)
				largest = score[token];
		}
		for (uint32_t token = 0; token < TOKENS; token++) {
			int32_t distance = largest - score[token];

			score[token] = softmax_table[distance < TABLE ? distance : TABLE - 1]; /* The score is not needed any more. */
			sum += score[token];
		}
		rate = layer->context / sum;
		for (uint32_t channel = first; channel < first + HEAD_CHANNELS; channel++) {
			int32_t total = 0;

			for (uint32_t token = 0; token < TOKENS; token++)
				total += score[token] * value[token][channel];
			context[channel] = (int8_t)requantize((int64_t)total * rate, layer->context_low, layer->context_high);
		}
	}
}

void PREFIX(infer)(const int32_t *raw, int32_t *outputs)
{
	quantize(raw);
	for (uint32_t token = 0; token < TOKENS; token++)
		linear(&embed, samples + token * STRIDE * FEATURES, position[token], hidden[token]);
	for (uint32_t number = 0; number < LAYERS; number++) {
		const struct layer *layer = &layers[number];

		for (uint32_t token = 0; token < TOKENS; token++) {
			linear(&layer->key, hidden[token], 0, key[token]);
			linear(&layer->value, hidden[token], 0, value[token]);
		}
		for (uint32_t token = number == LAYERS - 1 ? FIRST_READ : 0; token < TOKENS; token++) {
			linear(&layer->query, hidden[token], 0, query);
			attend(layer);
			linear(&layer->project, context, hidden[token], attended);
			linear(&layer->expand, attended, 0, expanded);
			linear(&layer->contract, expanded, attended, hidden[token]);
		}
	}
	for (uint32_t output = 0; output < OUTPUTS; output++) {
		int64_t total = 0;

		for (uint32_t channel = 0; channel < CHANNELS; channel++) {
			int32_t pooled = 0;

			for (uint32_t token = FIRST_READ; token < TOKENS; token++)
				pooled += hidden[token][channel];
			total += (int64_t)pooled * head_weight[output * CHANNELS + channel];
		}
		total = total * head_multiplier[output] + (int64_t)head_offset[output] * 1024;
		outputs[output] = requantize(total, INT32_MIN, INT32_MAX);
#if SKIP
		{
			int64_t changed = (int64_t)outputs[output] + raw[(WINDOW - 1) * FEATURES + targets[output]];

			outputs[output] = changed < INT32_MIN ? INT32_MIN : changed > INT32_MAX ? INT32_MAX : (int32_t)changed;
		}
#endif
	}
}
