/* SPDX-License-Identifier: BSD-2-Clause */
/* A sensor that LiteX has a core for, as integers: the codes that it counts in. sensor.c serves the one in the SoC.
 *
 * XADC (7 series, `--sensor xadc`): temperature of the die and supply voltages.
 *     temperature in degrees Celsius = code * 503.975 / 4096 - 273.15, a voltage = code * 3 / 4096
 * I2C (`--sensor i2c`): a TMP102, LM75 or TMP75 at address 0x48.
 *     temperature in degrees Celsius = code / 16
 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdint.h>

#include <generated/csr.h>

#ifdef CSR_XADC_BASE
#define SENSOR_VALUES 4
#define SENSOR_NAMES "temperature,vccint,vccaux,vccbram"
#else
#define SENSOR_VALUES 1
#define SENSOR_NAMES "temperature"
#endif

/* Read all values; returns 0, and leaves them as they are, if the sensor does not answer. */
int sensor_read(int32_t *values);

#endif
