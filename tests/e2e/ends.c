/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends - moves bytes at the ends of sessions, and what ends expect of each other; see wire.h.
 */
#include "wire.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 128 * 1024 };

static void end_check(struct end *end, const uint8_t *bytes, size_t length)
{
	static uint8_t expected[CHUNK];
	size_t i = 0;

	pattern_fill(expected, end->in_seed, end->got, length);
	if (memcmp(bytes, expected, length) != 0) {
		while (bytes[i] == expected[i])
			i++;
		ck_abort_msg("%s got a wrong byte at offset %llu of its stream", end->name,
			(unsigned long long)(end->got + i));
	}
	end->got += length;
}

const char *pair_text(const struct pair *pair)
{
	static char text[512];
	const struct end *ends[] = {&pair->client, &pair->server};
	size_t used = 0;

	for (size_t i = 0; i < 2; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s sent %llu got %llu%s%s in: %s out: %s",
			i == 0 ? "" : "; ", ends[i]->name, (unsigned long long)ends[i]->sent,
			(unsigned long long)ends[i]->got, ends[i]->fin ? " fin" : "", ends[i]->eof ? " eof" : "",
			strerror(ends[i]->in_error), strerror(ends[i]->out_error));
	return text;
}

/* ---- moving bytes -------------------------------------------------------------------------------------------------- */

static uint8_t buffer[CHUNK];

static bool end_takes(const struct end *end)
{
	return end->fd >= 0 && !end->eof && end->in_error == 0 && end->got < end->in_goal;
}

static bool end_gives(const struct end *end)
{
	return end->fd >= 0 && end->out_error == 0 && !end->fin && end->sent < end->out_goal;
}

static void end_receive(struct end *end)
{
	uint64_t left = end->in_goal - end->got;
	ssize_t n = recv(end->fd, buffer, left < CHUNK ? (size_t)left : CHUNK, 0);

	if (n > 0)
		end_check(end, buffer, (size_t)n);
	else if (n == 0)
		end->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		end->in_error = errno;
}

static void end_send(struct end *end)
{
	uint64_t left = end->out_goal - end->sent;
	size_t length = left < CHUNK ? (size_t)left : CHUNK;
	ssize_t n;

	pattern_fill(buffer, end->out_seed, end->sent, length);
	n = send(end->fd, buffer, length, MSG_NOSIGNAL);
	if (n > 0)
		end->sent += (uint64_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		end->out_error = errno;
}

static void end_finish(struct end *end)
{
	if (end->fd >= 0 && end->fin_goal && !end->fin && end->sent >= end->out_goal && end->out_error == 0)
		end_shutdown(end);
}

void ends_step(struct end *ends[], size_t count, int milliseconds)
{
	struct pollfd *waits = calloc(count, sizeof(*waits));

	ck_assert_ptr_nonnull(waits);
	for (size_t i = 0; i < count; i++) {
		end_finish(ends[i]);
		waits[i].events = (short)((end_takes(ends[i]) ? POLLIN : 0) | (end_gives(ends[i]) ? POLLOUT : 0));
		waits[i].fd = waits[i].events != 0 ? ends[i]->fd : -1;
	}
	poll(waits, count, milliseconds);
	for (size_t i = 0; i < count; i++) {
		if ((waits[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && end_takes(ends[i]))
			end_receive(ends[i]);
		if ((waits[i].revents & (POLLOUT | POLLHUP | POLLERR)) != 0 && end_gives(ends[i]))
			end_send(ends[i]);
		end_finish(ends[i]);
	}
	free(waits);
}

void pairs_step(struct pair *pairs, size_t count, int milliseconds)
{
	struct end **ends = calloc(2 * count, sizeof(struct end *));

	ck_assert_ptr_nonnull(ends);
	for (size_t i = 0; i < count; i++) {
		ends[2 * i] = &pairs[i].client;
		ends[2 * i + 1] = &pairs[i].server;
	}
	ends_step(ends, 2 * count, milliseconds);
	free(ends);
}

static uint64_t pairs_moved(const struct pair *pairs, size_t count)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += pairs[i].client.sent + pairs[i].client.got + pairs[i].server.sent + pairs[i].server.got;
	return sum;
}

void pairs_settle(struct pair *pairs, size_t count, double seconds)
{
	double deadline = harness_now() + PATIENCE;
	double quiet = harness_now() + seconds;
	uint64_t before = pairs_moved(pairs, count);

	while (harness_now() < quiet) {
		uint64_t now;

		pairs_step(pairs, count, 20);
		now = pairs_moved(pairs, count);
		if (now != before)
			quiet = harness_now() + seconds;
		before = now;
		ck_assert_msg(harness_now() < deadline, "bytes still move: %s", pair_text(&pairs[0]));
	}
}

/* ---- what ends do and expect --------------------------------------------------------------------------------------- */

void end_write(struct end *end, uint64_t length)
{
	double deadline = harness_now() + PATIENCE;

	end->out_goal = end->sent + length;
	while (end->sent < end->out_goal) {
		struct pollfd wait = {.fd = end->fd, .events = POLLOUT};

		ck_assert_msg(harness_now() < deadline, "%s could send only %llu of %llu bytes", end->name,
			(unsigned long long)end->sent, (unsigned long long)end->out_goal);
		if (poll(&wait, 1, 100) == 1)
			end_send(end);
		ck_assert_msg(end->out_error == 0, "%s cannot send: %s", end->name, strerror(end->out_error));
	}
}

static void end_wait(struct end *end)
{
	struct pollfd wait = {.fd = end->fd, .events = POLLIN};

	if (poll(&wait, 1, 100) == 1)
		end_receive(end);
}

void end_expect(struct end *end, uint64_t length)
{
	double deadline = harness_now() + PATIENCE;
	uint64_t goal = end->got + length;

	end->in_goal = goal;
	while (end->got < goal) {
		ck_assert_msg(harness_now() < deadline, "%s got only %llu of %llu bytes", end->name,
			(unsigned long long)end->got, (unsigned long long)goal);
		end_wait(end);
		ck_assert_msg(!end->eof && end->in_error == 0, "%s got %llu of %llu bytes, then %s", end->name,
			(unsigned long long)end->got, (unsigned long long)goal,
			end->eof ? "the end" : strerror(end->in_error));
	}
	end->in_goal = ALL;
}

void end_expect_eof(struct end *end)
{
	double deadline = harness_now() + PATIENCE;
	uint64_t got = end->got;

	end->in_goal = ALL;
	while (!end->eof) {
		ck_assert_msg(harness_now() < deadline, "%s was not told the end", end->name);
		end_wait(end);
		ck_assert_msg(end->in_error == 0, "%s expected the end, got: %s", end->name, strerror(end->in_error));
		ck_assert_msg(end->got == got, "%s expected the end, got %llu bytes", end->name,
			(unsigned long long)(end->got - got));
	}
}

void end_expect_reset(struct end *end)
{
	double deadline = harness_now() + PATIENCE;

	end->in_goal = ALL;
	while (!end_is_reset(end)) {
		ck_assert_msg(harness_now() < deadline, "%s was not reset", end->name);
		ck_assert_msg(!end->eof, "%s expected a reset, got a clean end after %llu bytes", end->name,
			(unsigned long long)end->got);
		end_wait(end);
		ck_assert_msg(end->in_error == 0 || end_is_reset(end), "%s expected a reset, got: %s", end->name,
			strerror(end->in_error));
	}
}

void end_expect_gone(struct end *end)
{
	double deadline = harness_now() + PATIENCE;

	while (end->out_error == 0) {
		ck_assert_msg(harness_now() < deadline, "%s can still send", end->name);
		end->out_goal = end->sent + 1;
		end_send(end);
		harness_tick();
	}
	ck_assert_msg(end->out_error == EPIPE || end->out_error == ECONNRESET, "%s: %s", end->name,
		strerror(end->out_error));
}

void end_shutdown(struct end *end)
{
	if (shutdown(end->fd, SHUT_WR) == -1)
		end->out_error = errno;
	end->fin = true;
}

void end_flush(struct end *end)
{
	int queued = 1;

	EVENTUALLY(ioctl(end->fd, SIOCOUTQ, &queued) == 0 && queued == 0);
}

/* The kernel tells an error once, to whoever calls first. */
bool end_is_reset(const struct end *end)
{
	return end->in_error == ECONNRESET || end->out_error == ECONNRESET;
}

void end_close(struct end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

void end_reset(struct end *end)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	ck_assert_int_eq(setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	end_close(end);
}
