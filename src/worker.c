/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - the loop. libevent waits and marks; the sched does everything else, so that work started by an event never
 * runs ahead of events that wait already.
 */
#include "worker.h"

#include <errno.h>
#include <event2/dns.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "host.h"
#include "log.h"
#include "report.h"
#include "server.h"

#define STATUS_SLOTS 64 /* told of, or passed over, in one turn */

#define CONTAINER(pointer, type, field) ((type *)((char *)(pointer)-offsetof(type, field)))

uint64_t worker_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- waking -------------------------------------------------------------------------------------------------------- */

static void wake(void *argument)
{
	const struct worker *worker = argument;
	uint64_t one = 1;

	(void)!write(worker->wake_fd, &one, sizeof(one)); /* full: it is awake anyway */
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
	uint64_t count;

	(void)what;
	(void)argument;
	(void)!read(fd, &count, sizeof(count)); /* the mail lies in the mailbox, and is seen after the events */
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
	struct worker *worker = argument;

	(void)fd;
	(void)what;
	worker->timer_at = WEIR_NEVER;
}

/* Has libevent wake up at the sched's deadline; one that is set earlier may stand. */
static void arm_timer(struct worker *worker)
{
	uint64_t at = sched_deadline(&worker->sched);
	uint64_t now;
	uint64_t wait;
	struct timeval timeout;

	if (at >= worker->timer_at)
		return;
	now = worker_clock();
	wait = at > now ? at - now : 0;
	timeout.tv_sec = (time_t)(wait / 1000000000);
	timeout.tv_usec = (suseconds_t)(wait % 1000000000 / 1000);
	worker->timer_at = at;
	event_add(&worker->timer_event, &timeout);
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static void deliver_drain(struct mail *mail, uint64_t now)
{
	struct worker *worker = CONTAINER(mail, struct worker, drain_mail);

	(void)now;
	worker->draining = true;
	for (size_t i = 0; i < worker->acceptor_count; i++)
		acceptor_close(&worker->acceptors[i]);
}

static void deliver_stop(struct mail *mail, uint64_t now)
{
	struct worker *worker = CONTAINER(mail, struct worker, stop_mail);

	worker->stopping = true;
	for (uint32_t slot = 0; slot < slab_end(&worker->connections); slot++) {
		struct connection *connection = slab_at(&worker->connections, slot);

		session_close(&connection->session, CLOSE_SHUTDOWN, now);
	}
}

static void deliver_status(struct mail *mail, uint64_t now)
{
	struct worker *worker = CONTAINER(mail, struct worker, status_mail);

	(void)now;
	worker->status_slot = 0;
	worker->status_told = 0;
	sched_enqueue(&worker->sched, &worker->status_task);
}

static void run_status(struct task *task, uint64_t now)
{
	struct worker *worker = CONTAINER(task, struct worker, status_task);

	for (int i = 0; i < STATUS_SLOTS && worker->status_slot < slab_end(&worker->connections); i++) {
		const struct connection *connection = slab_at(&worker->connections, worker->status_slot++);

		if (connection->session.state == SESSION_FREE || connection->session.state == SESSION_CLOSED)
			continue;
		report_status(connection, now);
		worker->status_told++;
	}
	if (worker->status_slot < slab_end(&worker->connections))
		sched_enqueue(&worker->sched, &worker->status_task);
	else
		server_status_done(worker->server, worker->status_told);
}

void worker_drain(struct worker *worker)
{
	sched_post(&worker->sched, &worker->drain_mail);
}

void worker_stop(struct worker *worker)
{
	sched_post(&worker->sched, &worker->stop_mail);
}

void worker_status(struct worker *worker)
{
	sched_post(&worker->sched, &worker->status_mail);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------ */

static void *run(void *argument)
{
	struct worker *worker = argument;

	worker->now = worker_clock();
	while (!worker->draining || worker->session_count > 0) {
		int flags = EVLOOP_ONCE;

		if (sched_busy(&worker->sched))
			flags |= EVLOOP_NONBLOCK;
		else
			arm_timer(worker);
		if (event_base_loop(worker->events, flags) < 0) {
			log_error("worker %u: the event loop failed: %s", worker->number, strerrordesc_np(errno));
			break;
		}
		worker->now = worker_clock();
		sched_run(&worker->sched, worker->now);
	}
	server_worker_ended(worker->server);
	return NULL;
}

/* ---- birth and end ------------------------------------------------------------------------------------------------- */

static int make_events(struct worker *worker)
{
	struct event_config *config = event_config_new();

	if (config == NULL)
		return -1;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	worker->events = event_base_new_with_config(config);
	event_config_free(config);
	if (worker->events == NULL)
		return -1;
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd < 0)
		return -1;
	event_assign(&worker->wake_event, worker->events, worker->wake_fd, EV_READ | EV_PERSIST, on_wake, worker);
	evtimer_assign(&worker->timer_event, worker->events, on_timer, worker);
	return event_add(&worker->wake_event, NULL);
}

static int make_resolver(struct worker *worker)
{
	worker->dials.dns = evdns_base_new(worker->events, 0);
	if (worker->dials.dns == NULL)
		return -1;
	/* what is missing or wrong in the file leaves less to ask, and /etc/hosts in any case */
	(void)evdns_base_resolv_conf_parse(worker->dials.dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	return 0;
}

int worker_init(struct worker *worker, struct server *server, unsigned number, size_t acceptor_room, bool resolves)
{
	memset(worker, 0, sizeof(*worker));
	worker->number = number;
	worker->server = server;
	worker->wake_fd = -1;
	worker->dials.spare = -1;
	worker->timer_at = WEIR_NEVER;
	worker->now = worker_clock();
	worker->drain_mail.deliver = deliver_drain;
	worker->stop_mail.deliver = deliver_stop;
	worker->status_mail.deliver = deliver_status;
	worker->status_task.run = run_status;
	sched_init(&worker->sched, worker->now, wake, worker);
	if (make_events(worker) != 0 || (resolves && make_resolver(worker) != 0))
		return -1;
	worker->dials.events = worker->events;
	worker->dials.sched = &worker->sched;
	if (dial_spare(&worker->dials) != 0)
		return -1;
	worker->context = (struct context){
		.sched = &worker->sched,
		.memory = &server->memory,
		.host = &host,
		.scratch = malloc(CONTEXT_SCRATCH),
		.worker = number,
	};
	worker->acceptors = calloc(acceptor_room, sizeof(*worker->acceptors));
	if (worker->context.scratch == NULL || worker->acceptors == NULL)
		return -1;
	return slab_init(&worker->connections, sizeof(struct connection), connection_slot_init, worker);
}

int worker_add_acceptor(struct worker *worker, struct listener *listener, int fd, const struct address *address)
{
	return acceptor_init(&worker->acceptors[worker->acceptor_count++], worker, listener, fd, address);
}

int worker_start(struct worker *worker)
{
	int error = pthread_create(&worker->thread, NULL, run, worker);

	errno = error;
	return error == 0 ? 0 : -1;
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
}

void worker_destroy(struct worker *worker)
{
	for (size_t i = 0; i < worker->acceptor_count; i++)
		acceptor_close(&worker->acceptors[i]);
	free(worker->acceptors);
	free(worker->context.scratch);
	if (worker->connections.chunks != NULL)
		slab_destroy(&worker->connections);
	if (worker->dials.dns != NULL)
		evdns_base_free(worker->dials.dns, 0);
	if (worker->dials.spare >= 0)
		close(worker->dials.spare);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	if (worker->events != NULL)
		event_base_free(worker->events);
}
