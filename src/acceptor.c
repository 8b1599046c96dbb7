/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acceptor - admit, accept, hand over; or wait, for a unit or for descriptors.
 */
#include "acceptor.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connection.h"
#include "container.h"
#include "dial_socket.h"
#include "log.h"

#define ACCEPT_BATCH 16                       /* clients accepted per event */
#define RETRY_AFTER (UINT64_C(100) * 1000000) /* ns, when out of descriptors */

/* ---- handing over -------------------------------------------------------------------------------------------------- */

/* An accepted client on its way to another worker. */
struct handover {
	struct mail mail;
	struct site *site;
	struct listener *listener;
	struct address peer;
	int fd;
};

static void deliver_client(struct mail *mail, uint64_t now)
{
	struct handover *handover = CONTAINER(mail, struct handover, mail);

	(void)!dial_spare(&handover->site->dials);
	connection_open(handover->site, handover->listener, handover->fd, &handover->peer, now);
	free(handover);
}

static void hand_over(struct acceptor *acceptor, int fd, const struct address *peer)
{
	struct commons *commons = acceptor->site->commons;
	struct site *site = acceptor->site;
	struct handover *handover;

	if (acceptor->spreads)
		site = commons->sites[acceptor->next_site++ % commons->site_count];
	handover = site == acceptor->site ? NULL : calloc(1, sizeof(*handover));
	if (handover == NULL) {
		connection_open(acceptor->site, acceptor->listener, fd, peer, acceptor->site->now);
		return;
	}
	handover->mail.deliver = deliver_client;
	handover->site = site;
	handover->listener = acceptor->listener;
	handover->peer = *peer;
	handover->fd = fd;
	sched_post(&site->sched, &handover->mail);
}

/* ---- accepting ----------------------------------------------------------------------------------------------------- */

static bool out_of_resources(int error)
{
	return dial_out_of_descriptors(error) || error == ENOBUFS || error == ENOMEM;
}

/* Pauses; the timer tries again. */
static void wait_for_resources(struct acceptor *acceptor, int error)
{
	uint64_t now = acceptor->site->now;

	event_del(&acceptor->event);
	sched_timer_set(&acceptor->site->sched, &acceptor->timer, now + RETRY_AFTER);
	if (commons_may_complain(acceptor->site->commons, CLOSE_NO_DESCRIPTORS, now))
		log_warning("listener %s: cannot accept: %s; clients wait in the backlog",
			acceptor->listener->config->name, strerrordesc_np(error));
}

/* Whether somebody waits in the backlog. */
static bool has_client(const struct acceptor *acceptor)
{
	struct pollfd poll_fd = {.fd = acceptor->fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

/* Whether one client may be accepted. If not, and there is one, the acceptor queues, and hears no events meanwhile: nobody
   stands in a queue for clients that may never come. */
static bool admit(struct acceptor *acceptor)
{
	struct admission *admission = &acceptor->admission;

	if (!admission_waits(admission) && admission_try(admission))
		return true;
	if (!admission_waits(admission) && !has_client(acceptor))
		return false;
	if (admission_take(admission))
		return true;
	event_del(&acceptor->event);
	return false;
}

/* One client. False: no more for now. */
static bool accept_one(struct acceptor *acceptor)
{
	struct address peer;
	int fd;

	if (!admit(acceptor))
		return false;
	if (dial_spare(&acceptor->site->dials) != 0) {
		wait_for_resources(acceptor, errno);
		return false;
	}
	memset(&peer, 0, sizeof(peer));
	peer.length = sizeof(peer.storage);
	do {
		fd = accept4(acceptor->fd, &peer.sa, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && dial_out_of_descriptors(errno) && dial_free_descriptors(&acceptor->site->dials));
	if (fd < 0) {
		if (out_of_resources(errno))
			wait_for_resources(acceptor, errno);
		else if (errno != EAGAIN && errno != EWOULDBLOCK)
			return true; /* that client is gone already; the next one may not be */
		return false;
	}
	admission_pass(&acceptor->admission);
	if (!address_is_loopback(&acceptor->address) && address_is_loopback(&peer))
		socket_bound_local(fd, &acceptor->listener->options);
	hand_over(acceptor, fd, &peer);
	return true;
}

static void accept_clients(struct acceptor *acceptor)
{
	int left = ACCEPT_BATCH;

	while (left > 0 && accept_one(acceptor))
		left--;
	if (!admission_waits(&acceptor->admission))
		admission_put(&acceptor->admission); /* not needed after all */
}

static void on_event(evutil_socket_t fd, short what, void *argument)
{
	struct acceptor *acceptor = argument;

	(void)fd;
	(void)what;
	sched_enqueue(&acceptor->site->sched, &acceptor->task);
}

static void run_task(struct task *task, uint64_t now)
{
	(void)now;
	accept_clients(CONTAINER(task, struct acceptor, task));
}

static void resume(struct acceptor *acceptor)
{
	if (event_add(&acceptor->event, NULL) != 0) {
		sched_timer_set(&acceptor->site->sched, &acceptor->timer, acceptor->site->now + RETRY_AFTER);
		return;
	}
	accept_clients(acceptor);
}

static void fire_timer(struct timer *timer, uint64_t now)
{
	(void)now;
	resume(CONTAINER(timer, struct acceptor, timer));
}

/* A unit that was queued for has come. */
static void deliver_grant(struct mail *mail, uint64_t now)
{
	struct acceptor *acceptor = CONTAINER(mail, struct acceptor, mail);

	(void)now;
	admission_collect(&acceptor->admission);
	if (acceptor->fd < 0)
		admission_put(&acceptor->admission);
	else
		resume(acceptor);
}

/* On the giver's thread. */
static void ticket_granted(struct pool_ticket *ticket)
{
	struct acceptor *acceptor = CONTAINER(ticket, struct acceptor, admission.ticket);

	sched_post(&acceptor->site->sched, &acceptor->mail);
}

/* ---- birth and end --------------------------------------------------------------------------------------------------- */

/* The path of a unix socket is remembered by what lies there now: it may be somebody else's when this one closes. */
static void remember_path(struct acceptor *acceptor)
{
	struct stat status;

	if (lstat(acceptor->address.un.sun_path, &status) != 0)
		return;
	acceptor->path_device = status.st_dev;
	acceptor->path_inode = status.st_ino;
}

static void remove_path(const struct acceptor *acceptor)
{
	const char *path = acceptor->address.un.sun_path;
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == acceptor->path_device &&
		status.st_ino == acceptor->path_inode)
		unlink(path);
}

int acceptor_init(struct acceptor *acceptor, struct site *site, struct listener *listener, int fd,
	const struct address *address)
{
	memset(acceptor, 0, sizeof(*acceptor));
	acceptor->site = site;
	acceptor->listener = listener;
	acceptor->address = *address;
	acceptor->fd = fd;
	acceptor->spreads = address_is_unix(address);
	if (acceptor->spreads) {
		remember_path(acceptor);
		atomic_fetch_add(&site->commons->spreading, 1);
	}
	acceptor->task.run = run_task;
	timer_init(&acceptor->timer, fire_timer);
	acceptor->mail.deliver = deliver_grant;
	admission_init(&acceptor->admission, &listener->stack, listener->limited ? &listener->sessions : NULL,
		&site->commons->sessions, ticket_granted);
	if (event_assign(&acceptor->event, site->events, fd, EV_READ | EV_PERSIST, on_event, acceptor) != 0)
		return -1;
	return event_add(&acceptor->event, NULL);
}

/* Workers stay until no client can be handed to them any more: the last one to close says so to all. */
static void stop_spreading(struct commons *commons)
{
	if (atomic_fetch_sub(&commons->spreading, 1) != 1)
		return;
	for (unsigned i = 0; i < commons->site_count; i++)
		sched_poke(&commons->sites[i]->sched);
}

void acceptor_close(struct acceptor *acceptor)
{
	if (acceptor->fd < 0)
		return;
	connection_rest_no_more(acceptor->site);
	event_del(&acceptor->event);
	sched_dequeue(&acceptor->site->sched, &acceptor->task);
	sched_timer_clear(&acceptor->site->sched, &acceptor->timer);
	close(acceptor->fd);
	acceptor->fd = -1;
	if (acceptor->spreads) {
		remove_path(acceptor);
		stop_spreading(acceptor->site->commons);
	}
	(void)!admission_leave(&acceptor->admission); /* if a grant is on its way, it is given back when it comes */
}
