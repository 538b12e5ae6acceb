/* SPDX-License-Identifier: BSD-2-Clause */
#include "protocol.h"

#define FRAME_START 0x7e
#define ESCAPE 0x7d
#define ESCAPE_FLIP 0x20
#define HEADER 5
#define CRC_BYTES 2
#define CRC_INITIAL 0xffff

struct protocol_frame protocol_frame;

static uint8_t receiving;  /* between a start byte and the frame's last byte */
static uint8_t flip;       /* what the escape byte before this one asks for */
static uint32_t position;  /* bytes of the frame so far */
static uint32_t expected;  /* bytes of the whole frame, start byte not counted */
static uint32_t crc;       /* of the frame received */
static uint32_t reply_crc; /* of the frame sent */

/* CRC-16/CCITT (polynomial 0x1021, most significant bit first), eight bits at a time. */
static uint32_t crc_step(uint32_t value, uint32_t byte)
{
	uint32_t x = (value >> 8) ^ byte;

	x ^= x >> 4;
	return ((value << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
}

int protocol_pending(void)
{
	return receiving;
}

static int fail(enum protocol_status status)
{
	receiving = 0;
	protocol_answer(status);
	return 0;
}

static void start(void)
{
	receiving = 1;
	flip = 0;
	position = 0;
	expected = HEADER + CRC_BYTES;
	crc = CRC_INITIAL;
	protocol_frame.version = 0;
	protocol_frame.sequence = 0;
	protocol_frame.command = 0;
	protocol_frame.length = 0;
}

int protocol_receive(uint8_t byte)
{
	struct protocol_frame *frame = &protocol_frame;
	uint32_t at;

	if (byte == FRAME_START) {
		start();
		return 0;
	}
	if (!receiving)
		return 0;
	if (byte == ESCAPE) {
		flip = ESCAPE_FLIP;
		return 0;
	}
	byte ^= flip;
	flip = 0;
	crc = crc_step(crc, byte);
	at = position++;
	if (at >= HEADER) {
		if (at - HEADER < frame->length)
			((uint8_t *)frame->payload)[at - HEADER] = byte;
		if (position < expected)
			return 0;
		if (crc != 0)
			return fail(PROTOCOL_BAD_CRC);
		if (frame->version != PROTOCOL_VERSION)
			return fail(PROTOCOL_BAD_VERSION);
		receiving = 0;
		return 1;
	}
	if (at == 0)
		frame->version = byte;
	else if (at == 1)
		frame->sequence = byte;
	else if (at == 2)
		frame->command = byte;
	else if (at == 3)
		frame->length = byte;
	else {
		frame->length |= (uint16_t)(byte << 8);
		expected += frame->length;
		if (frame->length > PROTOCOL_PAYLOAD) {
			frame->length = 0;
			return fail(PROTOCOL_BAD_LENGTH);
		}
	}
	return 0;
}

void protocol_timeout(void)
{
	fail(PROTOCOL_TIMEOUT);
}

static void put(uint32_t byte)
{
	byte &= 0xff;
	reply_crc = crc_step(reply_crc, byte);
	if (byte == FRAME_START || byte == ESCAPE) {
		protocol_put(ESCAPE);
		byte ^= ESCAPE_FLIP;
	}
	protocol_put((uint8_t)byte);
}

void protocol_begin(enum protocol_status status, uint32_t length)
{
	protocol_put(FRAME_START);
	reply_crc = CRC_INITIAL;
	put(PROTOCOL_VERSION);
	put(protocol_frame.sequence);
	put(protocol_frame.command | PROTOCOL_REPLY);
	put(length);
	put(length >> 8);
	put(status);
}

void protocol_word(uint32_t word)
{
	for (int i = 0; i < 4; i++) {
		put(word);
		word >>= 8;
	}
}

void protocol_end(void)
{
	uint32_t sum = reply_crc;

	put(sum >> 8);
	put(sum);
}

void protocol_answer(enum protocol_status status)
{
	protocol_begin(status, 1);
	protocol_end();
}
