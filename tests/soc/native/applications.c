/* SPDX-License-Identifier: BSD-2-Clause */
/* What surrounds an application: timer, LED, XADC, and a TMP102 on the two wires of an I2C bus. What happens comes as bytes:
 * of each look at the timer, whether its period is over; of each conversion of the XADC, two, the lower one first; of each read
 * through I2C, which byte is not acknowledged (1 to 3, 0 for none), and two of the temperature's register, the upper one first.
 */
#include "host.h"

void timer0_ev_pending_write(uint32_t value) { (void)value; }
uint32_t timer0_ev_pending_read(void) { return host_byte(); }

void leds_out_write(uint32_t value)
{
	if (value > 1)
		host_fault("the LED is neither on nor off");
}

static uint32_t conversion(void)
{
	uint32_t low = host_byte();

	return host_byte() << 8 | low;
}

uint32_t xadc_temperature_read(void) { return conversion(); }
uint32_t xadc_vccint_read(void) { return conversion(); }
uint32_t xadc_vccaux_read(void) { return conversion(); }
uint32_t xadc_vccbram_read(void) { return conversion(); }

#define SCL (1 << CSR_I2C_W_SCL_OFFSET)
#define OE (1 << CSR_I2C_W_OE_OFFSET)
#define SDA (1 << CSR_I2C_W_SDA_OFFSET)

/* The lines as the master leaves them, bits and bytes since they began, and what the sensor answers. */
static uint32_t clock_was, data_was, bits, byte, bytes, deaf, answer, sending, low;

/* Whether the sensor acknowledges the byte that it has received. */
static uint32_t acknowledges(void)
{
	static const uint32_t wanted[] = {0x90, 0x00, 0x91};

	if (bytes == 3 || byte != wanted[bytes])
		host_fault("not the sensor's address or the register of its temperature");
	return ++bytes != deaf;
}

static void start_or_stop(uint32_t stops)
{
	bits = sending = low = 0;
	if (stops) {
		bytes = 0;
	} else if (!bytes) {
		deaf = host_byte();
		answer = host_byte() << 8;
		answer |= host_byte();
	}
}

static void rises(uint32_t data)
{
	if (!sending && bits < 8)
		byte = (byte << 1 | data) & 0xff;
	/* The master acknowledges all bytes but the last. */
	if (sending && bits == 8)
		sending = !data;
	bits++;
}

static void falls(void)
{
	static uint32_t place;

	if (bits == 9) {
		bits = 0;
		if (bytes == 3 && low) {
			sending = 1;
			place = 16;
		}
		low = 0;
	} else if (bits == 8) {
		low = !sending && acknowledges();
	}
	if (sending && bits < 8) {
		if (!place)
			host_fault("more than two bytes are read");
		low = !(answer >> --place & 1);
	}
}

void i2c_w_write(uint32_t lines)
{
	uint32_t clock = (lines & SCL) != 0, data = !(lines & OE) || (lines & SDA);

	if (clock && clock_was && data != data_was)
		start_or_stop(data);
	else if (clock && !clock_was)
		rises(data);
	else if (!clock && clock_was)
		falls();
	clock_was = clock;
	data_was = data;
}

uint32_t i2c_r_read(void) { return data_was && !low; }
