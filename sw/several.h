/* SPDX-License-Identifier: BSD-2-Clause */
/* For a system with more than one core, which defines LITEFORMER_SEVERAL: every call of the driver concerns the selected core.
 *
 * Use, with cores called liteformer (which must exist: all cores have its registers) and pump:
 *     LITEFORMER_SELECT(PUMP);
 *     liteformer_init();          once for each core
 *     liteformer_push(row); liteformer_start();
 *     LITEFORMER_SELECT(LITEFORMER);        the other core runs on
 */
#ifndef LITEFORMER_SEVERAL_H
#define LITEFORMER_SEVERAL_H

/* Of the selected core: byte addresses, number of the interrupt. */
extern struct liteformer_place {
	unsigned long window, registers;
	uint32_t interrupt;
} liteformer_place;

/* Select the core whose window and registers are at these byte addresses, and read its shape. Results, events and samples of the
 * others stay in them. */
void liteformer_select(unsigned long window, unsigned long registers, uint32_t interrupt);

/* Select a core by its name in the SoC, in capitals. */
#ifdef LITEFORMER_WAIT_BY_INTERRUPT
#define LITEFORMER_SELECT(NAME) liteformer_select(NAME##_BASE, CSR_##NAME##_BASE, NAME##_INTERRUPT)
#else
#define LITEFORMER_SELECT(NAME) liteformer_select(NAME##_BASE, CSR_##NAME##_BASE, 0)
#endif

#define LITEFORMER_WINDOW liteformer_place.window

/* In place of the functions of csr.h, whose addresses are constants. */
#define LITEFORMER_AT(NAME) (liteformer_place.registers + (CSR_LITEFORMER_##NAME##_ADDR - CSR_LITEFORMER_BASE))
#define LITEFORMER_BYTES(NAME) (CSR_LITEFORMER_##NAME##_SIZE * CONFIG_CSR_DATA_WIDTH / 8)
#define LITEFORMER_READ(NAME) ((uint32_t)_csr_rd(LITEFORMER_AT(NAME), LITEFORMER_BYTES(NAME)))
#define LITEFORMER_WRITE(NAME, value) _csr_wr(LITEFORMER_AT(NAME), value, LITEFORMER_BYTES(NAME))

#define liteformer_identifier_read() LITEFORMER_READ(IDENTIFIER)
#define liteformer_version_read() LITEFORMER_READ(VERSION)
#define liteformer_model_id_read() LITEFORMER_READ(MODEL_ID)
#define liteformer_build_read() LITEFORMER_READ(BUILD)
#define liteformer_shape_read() LITEFORMER_READ(SHAPE)
#define liteformer_status_read() LITEFORMER_READ(STATUS)
#define liteformer_cycles_read() LITEFORMER_READ(CYCLES)
#define liteformer_ev_pending_read() LITEFORMER_READ(EV_PENDING)
#define liteformer_control_write(value) LITEFORMER_WRITE(CONTROL, value)
#define liteformer_self_test_write(value) LITEFORMER_WRITE(SELF_TEST, value)
#define liteformer_ev_pending_write(value) LITEFORMER_WRITE(EV_PENDING, value)
#define liteformer_ev_enable_write(value) LITEFORMER_WRITE(EV_ENABLE, value)

#endif
