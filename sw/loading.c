/* SPDX-License-Identifier: BSD-2-Clause */
#include "loading.h"

#ifdef LITEFORMER_MEMORIES

#define CLOSED 255

const uint16_t liteformer_memory_parts[] = LITEFORMER_MEMORIES;
const uint32_t liteformer_memories = sizeof(liteformer_memory_parts) / sizeof(*liteformer_memory_parts);

/* CRC-32 of IEEE 802.3, reflected: polynomial 0xedb88320, four bits at a time. */
static uint32_t crc_part(uint32_t crc, uint32_t part)
{
	static const uint32_t table[] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};

	crc ^= part;
	for (int nibble = 0; nibble < 8; nibble++)
		crc = (crc >> 4) ^ table[crc & 15];
	return crc;
}

uint32_t liteformer_checksum(void)
{
	uint32_t crc = 0xffffffff;

	for (uint32_t memory = 0; memory < liteformer_memories; memory++) {
		liteformer_load_open(memory);
		for (uint32_t left = liteformer_memory_parts[memory]; left; left--)
			crc = crc_part(crc, LITEFORMER_STORE[STORE_DATA]);
	}
	liteformer_load_open(CLOSED);
	return ~crc;
}

void liteformer_load_begin(void)
{
	LITEFORMER_STORE[STORE_COMPLETE] = 0;
	/* The samples in the window were quantized for the model that was there. */
	liteformer_clear();
}

enum liteformer_error liteformer_load_end(uint32_t model_id, uint32_t checksum)
{
	if (liteformer_checksum() != checksum)
		return LITEFORMER_NO_MODEL;
	LITEFORMER_STORE[STORE_MODEL] = model_id;
	LITEFORMER_STORE[STORE_CHECKSUM] = checksum;
	LITEFORMER_STORE[STORE_COMPLETE] = 1;
	return LITEFORMER_OK;
}

static int memories_are_right(void)
{
	uint32_t right = liteformer_checksum() == LITEFORMER_STORE[STORE_CHECKSUM];

	if (!right)
		liteformer_load_begin();
	return right && LITEFORMER_STORE[STORE_COMPLETE];
}

#else

static int memories_are_right(void)
{
	return 1;
}

#endif

#ifdef LITEFORMER_KNOWN_MODEL

/* xorshift of 32 bits; short shifts, since the small CPUs shift by one bit in a cycle. soc/known_window.py does the same. */
static uint32_t step(uint32_t state)
{
	state ^= state << 2;
	state ^= state >> 7;
	return state ^ state << 7;
}

static enum liteformer_test known_answer(void)
{
	/* Of each feature: the lowest sample, whose last four bits are the binary logarithm of a level. */
	static const int32_t ranges[] = LITEFORMER_KNOWN_RANGES;
	volatile int32_t *word = (volatile int32_t *)LITEFORMER_WINDOW;
	uint32_t state = LITEFORMER_KNOWN_MODEL, answer = LITEFORMER_KNOWN_MODEL;

	if (liteformer_model() != LITEFORMER_KNOWN_MODEL)
		return LITEFORMER_NOT_TESTED_HERE;
	for (uint32_t left = LITEFORMER_KNOWN_ROWS; left; left--) {
		enum liteformer_error error;

		/* Into the core at once: a row of many features would not fit the stack. */
		for (uint32_t feature = 0; feature < liteformer_features; feature++) {
			state = step(state);
			word[feature] = ranges[feature] + (int32_t)((state & LITEFORMER_KNOWN_LEVELS) << (ranges[feature] & 15));
		}
		error = liteformer_infer();
		/* The first rows do not fill the window. A window left out gives another answer, as one wrong output does. */
		if (error == LITEFORMER_NO_ANSWER)
			break;
		if (error == LITEFORMER_OK)
			for (uint32_t output = 0; output < liteformer_outputs; output++)
				answer = step(answer ^ (uint32_t)liteformer_result(output));
	}
	return answer == LITEFORMER_KNOWN_ANSWER ? LITEFORMER_PASSED : LITEFORMER_WRONG_ANSWER;
}

#else

static enum liteformer_test known_answer(void)
{
	return LITEFORMER_NOT_TESTED_HERE;
}

#endif

enum liteformer_test liteformer_self_test(void)
{
	enum liteformer_test result = LITEFORMER_BAD_CHECKSUM;

	liteformer_clear();
	if (memories_are_right())
		result = known_answer();
	liteformer_clear();
	liteformer_self_test_write(result);
	return result;
}
