/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the model of a loadable build, and tests the core: checksum over its memories, one known answer.
 *
 * A new model:
 *     liteformer_load_begin();
 *     for each memory, in order: liteformer_load_open(memory), then liteformer_load_part for each of its 32-bit parts
 *     if (liteformer_load_end(model_id, checksum) != LITEFORMER_OK) start again
 *
 * Between begin and a successful end the core refuses to run, also after a reset in between.
 */
#ifndef LITEFORMER_LOADING_H
#define LITEFORMER_LOADING_H

#include "liteformer.h"

/* Known window and memories of the model; a SoC without model.h has neither. */
#if __has_include(<generated/model.h>)
#include <generated/model.h>
#endif

/* Results of liteformer_self_test, also in the core's status register. */
enum liteformer_test {
	LITEFORMER_UNTESTED = 0,
	LITEFORMER_PASSED,         /* checksum, where the build is loadable, and known answer are right */
	LITEFORMER_BAD_CHECKSUM,   /* the memories do not hold the model, or not all of it */
	LITEFORMER_WRONG_ANSWER,   /* the known window gave another result than it should */
	LITEFORMER_NOT_TESTED_HERE /* checksum right; the known answer is that of another model */
};

/* Compare the memories with the stored checksum and the answer to a known window with the right one. Forgets all samples.
 * Call it after liteformer_init. */
enum liteformer_test liteformer_self_test(void);

#ifdef LITEFORMER_MEMORIES

#define LITEFORMER_STORE ((volatile uint32_t *)(LITEFORMER_WINDOW + 0x800))

enum liteformer_store { STORE_SELECT, STORE_DATA, STORE_MODEL, STORE_CHECKSUM, STORE_COMPLETE };

/* Number of memories, and of the 32-bit parts in each. */
extern const uint16_t liteformer_memory_parts[];
extern const uint32_t liteformer_memories;

/* From here on the model is incomplete and the core refuses to run. Stops a running inference and forgets all samples: they
 * were quantized for the old model. */
void liteformer_load_begin(void);

/* The parts that follow belong to this memory, 0 <= memory < liteformer_memories, from its first one on. Only between
 * liteformer_load_begin and liteformer_load_end: while a memory is open, the core takes no samples and no start. */
static inline void liteformer_load_open(uint32_t memory)
{
	LITEFORMER_STORE[STORE_SELECT] = memory;
}

/* Next part of the open memory. */
static inline void liteformer_load_part(uint32_t part)
{
	LITEFORMER_STORE[STORE_DATA] = part;
}

/* CRC-32 over the present contents of all memories, read back part by part. */
uint32_t liteformer_checksum(void);

/* Read everything back; if the checksum is right the model is complete and has this id.
 * Returns LITEFORMER_OK or LITEFORMER_NO_MODEL. */
enum liteformer_error liteformer_load_end(uint32_t model_id, uint32_t checksum);

#endif
#endif
