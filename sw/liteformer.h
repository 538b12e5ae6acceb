/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver of the LiteFormer core. No heap, no C library; several.h is about more than one core in a system.
 *
 * Use:
 *     liteformer_init();
 *     for each time step:
 *         liteformer_push(row);                       one raw sample of every feature
 *         if (liteformer_infer() == LITEFORMER_OK)    start, wait, check
 *             forecast = liteformer_result(0);
 *
 * Samples are integers, the physical value times the model's raw scale; results are integers, the physical value times
 * the model's output scale.
 */
#ifndef LITEFORMER_H
#define LITEFORMER_H

#include <stdint.h>

#include <generated/csr.h>
#include <generated/mem.h>
#include <generated/soc.h>

#include "decision.h"

#ifdef LITEFORMER_SEVERAL
#include "several.h"
#else
#define LITEFORMER_WINDOW LITEFORMER_BASE
#endif

#define LITEFORMER_IDENTIFIER 0x4c464d52u

/* Both events of the core, an inference done or failed. */
#define LITEFORMER_EVENTS (1u << CSR_LITEFORMER_EV_PENDING_DONE_OFFSET | 1u << CSR_LITEFORMER_EV_PENDING_ERROR_OFFSET)

enum liteformer_error {
	LITEFORMER_OK = 0,
	LITEFORMER_NOT_READY,  /* fewer samples than the window since reset or clear */
	LITEFORMER_ABORTED,    /* liteformer_abort was called */
	LITEFORMER_NO_ANSWER,  /* the core did not finish in time */
	LITEFORMER_NOT_FOUND,  /* no core, or another one, at the address */
	LITEFORMER_NO_MODEL    /* the model is being replaced, or its transfer broke off */
};

/* Shape of the model in the core; valid after liteformer_init. */
extern uint32_t liteformer_window, liteformer_features, liteformer_outputs;

/* Check that the core is there, read its shape, forget all samples, enable its interrupt. Call it before all others.
 * Returns LITEFORMER_OK or LITEFORMER_NOT_FOUND. */
enum liteformer_error liteformer_init(void);

/* Forget all samples, the result and what a liteformer_wait would return; a running inference is stopped. The window is empty
 * afterwards. */
void liteformer_clear(void);

/* Push the sample of one time step: liteformer_features integers. While an inference runs, it waits for its end. Without a
 * complete model the sample is dropped. */
void liteformer_push(const int32_t *row);

/* Start an inference on the samples pushed so far and return at once. How the ones before it ended is dropped, so that the next
 * liteformer_wait is about this one. While an inference runs, this starts no other. */
static inline void liteformer_start(void)
{
	liteformer_control_write(1 << CSR_LITEFORMER_CONTROL_START_OFFSET);
}

/* Wait until the inference ends: by interrupt where the CPU has one (LITEFORMER_WAIT_BY_INTERRUPT), else by polling. Called
 * again, it returns the same at once; its event stays pending until the next start or clear.
 * It takes the trap vector (mtvec), and leaves all interrupts disabled (mie, mstatus); an application with its own interrupts
 * uses liteformer_poll and sets them after liteformer_init.
 * Returns LITEFORMER_OK, LITEFORMER_NOT_READY, LITEFORMER_ABORTED, LITEFORMER_NO_ANSWER or LITEFORMER_NO_MODEL. */
enum liteformer_error liteformer_wait(void);

/* The same by reading the core's event register, without the interrupt. */
enum liteformer_error liteformer_poll(void);

/* Start and wait. */
enum liteformer_error liteformer_infer(void);

/* Stop a running inference; its liteformer_wait returns LITEFORMER_ABORTED. Returns when the core is free again. */
void liteformer_abort(void);

/* Output number `output` of the last inference, 0 <= output < liteformer_outputs. */
static inline int32_t liteformer_result(uint32_t output)
{
	return ((volatile int32_t *)(LITEFORMER_WINDOW + 0x400))[output];
}

/* All outputs of the last inference, liteformer_outputs of them; they stay until the next one ends. */
static inline const volatile int32_t *liteformer_results(void)
{
	return (const volatile int32_t *)(LITEFORMER_WINDOW + 0x400);
}

/* Clock cycles the core took for the last inference, from start to done. */
static inline uint32_t liteformer_cycles(void)
{
	return liteformer_cycles_read();
}

/* First 8 hexadecimal digits of the model's id, as an integer. */
static inline uint32_t liteformer_model(void)
{
	return liteformer_model_id_read();
}

/* What an error means, as a constant English text. */
const char *liteformer_error_text(enum liteformer_error error);

#endif
