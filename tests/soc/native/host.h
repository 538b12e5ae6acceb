/* SPDX-License-Identifier: BSD-2-Clause */
/* What the generated headers of a SoC declare, for the firmware on the host; shape.h has the shape of the core. */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>

#include "shape.h"

#define HOST_IDENTIFIER 0x4c464d52u
#define HOST_TIMEOUT 10000

extern unsigned char host_window[];
void host_fault(const char *text);

#define LITEFORMER_BASE ((uintptr_t)host_window)
#define LITEFORMER_WAIT_LOOPS 50
#define LITEFORMER_FRAME_TIMEOUT HOST_TIMEOUT
#define CONFIG_CLOCK_FREQUENCY 100000000
#define CSR_UART_EV_PENDING_RX_OFFSET 1
#define CSR_LITEFORMER_EV_PENDING_DONE_OFFSET 0
#define CSR_LITEFORMER_EV_PENDING_ERROR_OFFSET 1
#define CSR_LITEFORMER_CONTROL_START_OFFSET 0
#define CSR_LITEFORMER_CONTROL_ABORT_OFFSET 1
#define CSR_LITEFORMER_CONTROL_CLEAR_OFFSET 2
#define CSR_LITEFORMER_STATUS_MODEL_OFFSET 3
#define CSR_LITEFORMER_STATUS_ERROR_OFFSET 4
#define CSR_LITEFORMER_STATUS_ERROR_SIZE 4
#define CSR_LITEFORMER_SHAPE_WINDOW_OFFSET 0
#define CSR_LITEFORMER_SHAPE_WINDOW_SIZE 11
#define CSR_LITEFORMER_SHAPE_FEATURES_OFFSET 11
#define CSR_LITEFORMER_SHAPE_FEATURES_SIZE 9
#define CSR_LITEFORMER_SHAPE_OUTPUTS_OFFSET 20
#define CSR_LITEFORMER_SHAPE_OUTPUTS_SIZE 7

uint32_t liteformer_identifier_read(void), liteformer_version_read(void), liteformer_model_id_read(void);
uint32_t liteformer_build_read(void), liteformer_shape_read(void), liteformer_cycles_read(void), liteformer_status_read(void);
uint32_t liteformer_self_test_read(void), liteformer_ev_pending_read(void);
void liteformer_self_test_write(uint32_t value), liteformer_ev_enable_write(uint32_t value);
void liteformer_ev_pending_write(uint32_t value), liteformer_control_write(uint32_t value);
void timer0_reload_write(uint32_t value), timer0_load_write(uint32_t value), timer0_en_write(uint32_t value);
void timer0_update_value_write(uint32_t value), uart_ev_pending_write(uint32_t value), uart_rxtx_write(uint32_t byte);
uint32_t timer0_value_read(void), uart_txfull_read(void), uart_rxempty_read(void), uart_rxtx_read(void);

/* Applications. */
#define CSR_LEDS_BASE 0
#define CSR_UART_BASE 0
uint32_t timer0_ev_pending_read(void), xadc_temperature_read(void), xadc_vccint_read(void), xadc_vccaux_read(void);
uint32_t xadc_vccbram_read(void), i2c_r_read(void), host_byte(void);
void timer0_ev_pending_write(uint32_t value), leds_out_write(uint32_t value), i2c_w_write(uint32_t lines);
#define CSR_I2C_W_SCL_OFFSET 0
#define CSR_I2C_W_OE_OFFSET 1
#define CSR_I2C_W_SDA_OFFSET 2

#endif
