/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat - see seat.h.
 */
#include "seat.h"

#include <arpa/inet.h>
#include <string.h>

#include "container.h"
#include "crew.h"
#include "order.h"

#define CLIENTS 3             /* addresses */
#define UNREAD_MAX (32 * KIB) /* that a source has sent ahead */
#define PIECE_MAX (12 * KIB)  /* that it sends at once, or a sink takes */
#define PATTERNS 7            /* of bytes; what goes up and what comes down differ */

/* ---- coming in ----------------------------------------------------------------------------------------------------- */

static struct seat *seat_of(struct session *session)
{
	return CONTAINER(session, struct seat, session);
}

static void dial(struct session *session, uint64_t now)
{
	(void)now;
	seat_of(session)->dialing = true;
}

static void hang_up(struct session *session)
{
	seat_of(session)->dialing = false;
}

static void closed(struct session *session, uint64_t now)
{
	struct seat *seat = seat_of(session);

	(void)now;
	MUST(seat->client.closed && (session->server == NULL || seat->server.closed), "an end is left open");
	if (seat->listener->limited)
		pool_put(&seat->listener->sessions, 1);
	pool_put(&seat->worker->game->sessions, 1);
	seat->counted = false;
}

static void release(struct session *session)
{
	seat_of(session)->state = SEAT_EMPTY;
}

static const struct session_ops seat_ops = {dial, hang_up, closed, release, NULL};

static void open_session(struct seat *seat, uint64_t now)
{
	struct worker *worker = seat->worker;
	unsigned pattern = (unsigned)worker_draw(worker, PATTERNS);

	admission_pass(&seat->admission);
	fake_init(&seat->client, pattern, pattern + PATTERNS);
	fake_init(&seat->server, pattern + PATTERNS, pattern);
	seat->client.session = &seat->session;
	seat->server.session = &seat->session;
	seat->client.window = worker_draw(worker, 2) ? FAKE_WIDE : 0;
	seat->server.window = worker_draw(worker, 2) ? FAKE_WIDE : 0;
	seat->asked = seat->answered = (struct seat_lines){0, 0};
	seat->state = SEAT_TAKEN;
	seat->counted = true;
	MUST(session_open(&seat->session, &seat->listener->profile, &seat_ops, &seat->client.endpoint,
		     &(struct scope_ends){&seat->peer, NULL}, now) == 0,
		"no memory for a session");
	worker_tell(worker, &seat->session.owner.ref);
}

static void try_to_open(struct seat *seat, uint64_t now)
{
	seat->state = SEAT_WAITING;
	if (admission_take(&seat->admission))
		open_session(seat, now);
}

static void sit_down(struct seat *seat, uint64_t now)
{
	struct worker *worker = seat->worker;

	seat->listener = &worker->game->listeners[worker_draw(worker, GAME_LISTENERS)];
	seat->peer.in.sin_addr.s_addr = htonl(0x0a000001 + (uint32_t)worker_draw(worker, CLIENTS));
	seat->gone = false;
	admission_init(&seat->admission, &seat->listener->stack,
		seat->listener->limited ? &seat->listener->sessions : NULL, &worker->game->sessions, seat_granted);
	try_to_open(seat, now);
}

static void stand_up(struct seat *seat)
{
	if (seat->gone)
		return;
	if (admission_leave(&seat->admission))
		seat->state = SEAT_EMPTY;
	else
		seat->gone = true;
}

static void deliver_grant(struct mail *mail, uint64_t now)
{
	struct seat *seat = CONTAINER(mail, struct seat, mail);

	admission_collect(&seat->admission);
	if (!seat->gone) {
		try_to_open(seat, now);
		return;
	}
	admission_put(&seat->admission);
	seat->state = SEAT_EMPTY;
}

void seat_granted(struct pool_ticket *ticket)
{
	struct seat *seat = CONTAINER(ticket, struct seat, admission.ticket);

	order_granted(ticket);
	sched_post(&seat->worker->sched, &seat->mail);
}

void seat_init(struct seat *seat, struct worker *worker, uint32_t slot)
{
	memset(seat, 0, sizeof(*seat));
	seat->worker = worker;
	seat->mail.deliver = deliver_grant;
	seat->peer.length = sizeof(seat->peer.in);
	seat->peer.in.sin_family = AF_INET;
	session_slot_init(&seat->session, &worker->context, slot);
}

/* ---- what peers do ------------------------------------------------------------------------------------------------- */

static bool can_send(const struct fake *fake)
{
	return !fake->closed && !fake->fin && !fake->reset;
}

/* The next line of a stream, as far as it is known up to an offset; false: its end is not there yet. */
static bool next_line(struct seat_lines *lines, unsigned pattern, uint64_t upto)
{
	uint64_t at = lines->end;

	while (at < upto) {
		uint64_t length = upto - at < CONTEXT_SCRATCH ? upto - at : CONTEXT_SCRATCH;
		const unsigned char *bytes = fake_pattern(pattern, at);
		const unsigned char *end = memchr(bytes, '\n', length);

		if (end != NULL) {
			lines->end = at + (uint64_t)(end - bytes) + 1;
			lines->count++;
			return true;
		}
		at += length;
	}
	return false;
}

/* The server answers the lines it has, each with one. */
static void answer(struct seat *seat)
{
	struct fake *server = &seat->server;

	while (next_line(&seat->asked, server->expected, server->accepted))
		;
	while (can_send(server) && seat->answered.count < seat->asked.count &&
		server->sent - server->read < UNREAD_MAX) {
		(void)!next_line(&seat->answered, server->pattern, UINT64_MAX);
		atomic_fetch_add_explicit(&seat->worker->game->answered, 1, memory_order_relaxed);
		fake_send(server, seat->answered.end - server->sent);
	}
}

static void send_some(struct seat *seat, struct fake *fake)
{
	if (!can_send(fake) || fake->sent - fake->read >= UNREAD_MAX)
		return;
	if (fake == &seat->server && seat->worker->game->answers)
		answer(seat);
	else
		fake_send(fake, 1 + worker_draw(seat->worker, PIECE_MAX));
}

static void take_some(struct seat *seat, struct fake *fake)
{
	if (!fake->closed)
		fake_open(fake, 1 + worker_draw(seat->worker, PIECE_MAX));
}

static void break_off(struct seat *seat, struct fake *fake, uint64_t now)
{
	switch (worker_draw(seat->worker, 12)) {
	case 0:
	case 1:
		if (can_send(fake))
			fake_end(fake);
		break;
	case 2:
		if (!fake->closed)
			fake_reset(fake);
		break;
	case 3:
		session_close(&seat->session, CLOSE_SHUTDOWN, now);
		break;
	default:
		break;
	}
}

static void acknowledge(struct fake *fake, uint64_t bytes)
{
	fake_ack(fake, bytes < fake->queued ? bytes : fake->queued);
}

static void play_session(struct seat *seat, uint64_t now)
{
	struct worker *worker = seat->worker;
	struct fake *fake = worker_draw(worker, 2) ? &seat->client : &seat->server;

	switch (worker_draw(worker, 16)) {
	case 0:
		fake_shut(fake);
		break;
	case 1:
		fake->hoards = true;
		break;
	case 2:
		fake->hoards = false;
		acknowledge(fake, UINT64_MAX);
		break;
	case 3:
	case 4:
		acknowledge(fake, worker_draw(worker, PIECE_MAX));
		break;
	case 5:
		break_off(seat, fake, now);
		break;
	case 6:
		worker_wake_somebody(worker);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		take_some(seat, fake);
		break;
	default:
		send_some(seat, fake);
		break;
	}
}

static void play_dial(struct seat *seat, uint64_t now)
{
	seat->dialing = false;
	if (worker_draw(seat->worker, 16) == 0)
		session_failed(&seat->session, CLOSE_CONNECT_REFUSED, now);
	else
		session_connected(&seat->session, &seat->server.endpoint, now);
}

void seat_play(struct seat *seat, uint64_t now)
{
	switch (seat->state) {
	case SEAT_EMPTY:
		sit_down(seat, now);
		break;
	case SEAT_WAITING:
		if (worker_draw(seat->worker, 16) == 0)
			stand_up(seat);
		break;
	case SEAT_TAKEN:
		if (seat->dialing)
			play_dial(seat, now);
		else if (seat->session.server != NULL)
			play_session(seat, now);
		break;
	}
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static void finish_end(struct fake *fake, bool ends)
{
	if (fake->closed)
		return;
	if (fake->window < FAKE_WIDE)
		fake_open(fake, FAKE_WIDE);
	fake->hoards = false;
	fake_ack(fake, fake->queued);
	if (ends && can_send(fake))
		fake_end(fake);
}

void seat_finish(struct seat *seat, uint64_t now)
{
	bool answers = seat->worker->game->answers;

	if (seat->state == SEAT_WAITING)
		stand_up(seat);
	if (seat->state != SEAT_TAKEN)
		return;
	if (seat->dialing)
		play_dial(seat, now);
	if (seat->session.server == NULL)
		return;
	finish_end(&seat->client, true);
	if (answers)
		answer(seat);
	finish_end(&seat->server, !answers || (seat->server.fin_sent && seat->answered.count == seat->asked.count));
}

bool seat_deliver(struct seat *seat)
{
	bool any;

	if (seat->state != SEAT_TAKEN)
		return false;
	any = fake_deliver(&seat->client);
	if (seat->session.server != NULL)
		any |= fake_deliver(&seat->server);
	return any;
}
