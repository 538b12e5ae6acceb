/* SPDX-License-Identifier: BSD-2-Clause */
/* Framed serial protocol, device side; docs/protocol.md describes the frames. Independent of the hardware: the
 * application hands received bytes in and provides protocol_put for bytes to send.
 */
#ifndef LITEFORMER_PROTOCOL_H
#define LITEFORMER_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_VERSION 1
#define PROTOCOL_PAYLOAD 1024 /* largest payload in bytes */
#define PROTOCOL_REPLY 0x80   /* set in the command of a reply */

enum protocol_command {
	PROTOCOL_INFO = 1,
	PROTOCOL_PUSH = 2,
	PROTOCOL_INFER = 3,
	PROTOCOL_RESULT = 4,
	PROTOCOL_RESET = 5,
	PROTOCOL_LOAD_BEGIN = 6,
	PROTOCOL_LOAD_DATA = 7,
	PROTOCOL_LOAD_END = 8,
	PROTOCOL_SELF_TEST = 9,
	PROTOCOL_BENCH = 10
};

enum protocol_status {
	PROTOCOL_OK = 0,
	PROTOCOL_BAD_CRC = 1,
	PROTOCOL_BAD_VERSION = 2,
	PROTOCOL_BAD_COMMAND = 3,
	PROTOCOL_BAD_LENGTH = 4,
	PROTOCOL_TIMEOUT = 5,
	PROTOCOL_NOT_READY = 6,
	PROTOCOL_ABORTED = 7,
	PROTOCOL_NO_ANSWER = 8,
	PROTOCOL_NO_CORE = 9,
	PROTOCOL_NO_MODEL = 10,
	PROTOCOL_FIXED_MODEL = 11,
	PROTOCOL_BAD_MODEL = 12
};

/* The frame being received; complete when protocol_receive returned 1. */
struct protocol_frame {
	uint32_t payload[PROTOCOL_PAYLOAD / 4]; /* bytes in the order of arrival */
	uint8_t version, sequence, command;
	uint16_t length;
};

extern struct protocol_frame protocol_frame;

/* Sends one byte; provided by the application. */
void protocol_put(uint8_t byte);

/* Take one received byte. Returns 1 when it completed a frame that is to be served, else 0; a damaged frame is answered
 * here with its error and 0 is returned. */
int protocol_receive(uint8_t byte);

/* Whether a frame has begun and is not complete. */
int protocol_pending(void);

/* Give up the frame that has begun and answer PROTOCOL_TIMEOUT. */
void protocol_timeout(void);

/* Send a reply to the frame received last: begin with the payload's length in bytes, status included, then exactly the
 * rest of the payload in words, then end. */
void protocol_begin(enum protocol_status status, uint32_t length);
void protocol_word(uint32_t word);
void protocol_end(void);

/* Send a reply that is a status only. */
void protocol_answer(enum protocol_status status);

#endif
