/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern - a byte is a hash of its offset's eight; two places of one stream, or of two, are alike by chance only.
 */
#include "pattern.h"

#include <string.h>

static uint64_t word_at(uint32_t pattern, uint64_t index)
{
	uint64_t x = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + pattern * UINT64_C(0xd1b54a32d192ed03);

	x = (x ^ (x >> 32)) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ (x >> 29);
}

static unsigned char byte_of_line(unsigned char byte, uint64_t offset, uint32_t line)
{
	if ((offset + 1) % line == 0)
		return '\n';
	return byte == '\n' ? '\t' : byte;
}

/* Up to 8 bytes of the word at an offset; returns how many of `length` they are. */
static size_t piece_at(struct sim_pattern pattern, uint64_t offset, unsigned char *piece, size_t length)
{
	uint64_t word = word_at(pattern.number, offset / 8) >> (offset % 8 * 8);
	size_t n = 8 - offset % 8;

	if (n > length)
		n = length;
	for (size_t i = 0; i < n; i++)
		piece[i] = (unsigned char)(word >> (8 * i));
	for (size_t i = 0; pattern.line > 0 && i < n; i++)
		piece[i] = byte_of_line(piece[i], offset + i, pattern.line);
	return n;
}

void pattern_fill(struct sim_pattern pattern, uint64_t offset, void *bytes, size_t length)
{
	unsigned char *to = bytes;
	size_t done = 0;

	while (done < length)
		done += piece_at(pattern, offset + done, to + done, length - done);
}

bool pattern_matches(struct sim_pattern pattern, uint64_t offset, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;
	unsigned char piece[8];

	for (size_t done = 0; done < length;) {
		size_t n = piece_at(pattern, offset + done, piece, length - done);

		if (memcmp(from + done, piece, n) != 0)
			return false;
		done += n;
	}
	return true;
}
