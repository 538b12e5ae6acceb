/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor.h"

#ifdef CSR_XADC_BASE

/* The core reads every channel as soon as it is converted. */
int sensor_read(int32_t *values)
{
	values[0] = (int32_t)xadc_temperature_read();
	values[1] = (int32_t)xadc_vccint_read();
	values[2] = (int32_t)xadc_vccaux_read();
	values[3] = (int32_t)xadc_vccbram_read();
	return 1;
}

#elif defined(CSR_I2C_BASE)

#define ADDRESS 0x48
#define POINTER 0 /* of the temperature */

#define SCL (1 << CSR_I2C_W_SCL_OFFSET)
#define OE (1 << CSR_I2C_W_OE_OFFSET)
#define SDA (1 << CSR_I2C_W_SDA_OFFSET)

/* Turns of an empty loop in half a bit: at most 400 kHz at 100 MHz. */
#ifndef I2C_TURNS
#define I2C_TURNS 64
#endif

static void set(uint32_t lines)
{
	i2c_w_write(lines);
	for (uint32_t turns = I2C_TURNS; turns; turns--)
		asm volatile("");
}

static void start(void)
{
	set(SCL | OE | SDA);
	set(SCL | OE);
	set(OE);
}

static void stop(void)
{
	set(OE);
	set(SCL | OE);
	set(SCL | OE | SDA);
}

static void put_bit(uint32_t bit)
{
	uint32_t data = OE | (bit ? SDA : 0);

	set(data);
	set(SCL | data);
	set(data);
}

static uint32_t get_bit(void)
{
	uint32_t bit;

	set(0);
	set(SCL);
	bit = i2c_r_read() & 1;
	set(0);
	return bit;
}

/* Returns whether the sensor acknowledges. */
static int put_byte(uint32_t byte)
{
	for (uint32_t mask = 0x80; mask; mask >>= 1)
		put_bit(byte & mask);
	return !get_bit();
}

static uint32_t get_byte(int last)
{
	uint32_t byte = 0;

	for (uint32_t bits = 8; bits; bits--)
		byte = byte << 1 | get_bit();
	put_bit((uint32_t)last);
	return byte;
}

int sensor_read(int32_t *values)
{
	int there;

	start();
	there = put_byte(ADDRESS << 1) && put_byte(POINTER);
	start();
	there = there && put_byte(ADDRESS << 1 | 1);
	if (there) {
		uint32_t high = get_byte(0);

		values[0] = (int16_t)(high << 8 | get_byte(1)) >> 4;
	}
	stop();
	return there;
}

#else
#error the SoC has no sensor: build it with --sensor xadc or --sensor i2c
#endif
