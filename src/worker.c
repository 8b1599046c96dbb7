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
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "container.h"
#include "dial_socket.h"
#include "host.h"
#include "log.h"

#define RESERVE_SHARE 16 /* the workers' reserves are at most one part in so many of the shared memory */
#define STATUS_SLOTS 64  /* told of, or passed over, in one turn */

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
	uint64_t count;

	(void)what;
	(void)!read(fd, &count, sizeof(count));
	worker->timer_at = WEIR_NEVER;
}

/*
 * Wakes the loop at the sched's deadline. A descriptor of its own does it, not a time limit of the wait, which the kernel
 * would set up and take down each time; one that is set earlier may stand.
 */
static void arm_timer(struct worker *worker)
{
	uint64_t at = sched_deadline(&worker->site.sched);
	struct itimerspec when = {{0, 0}, {0, 0}};

	if (at >= worker->timer_at)
		return;
	when.it_value.tv_sec = (time_t)(at / 1000000000);
	when.it_value.tv_nsec = at == 0 ? 1 : (long)(at % 1000000000);
	worker->timer_at = at;
	(void)!timerfd_settime(worker->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static void deliver_drain(struct mail *mail, uint64_t now)
{
	struct worker *worker = CONTAINER(mail, struct worker, drain_mail);

	(void)now;
	worker->draining = true;
	for (size_t i = 0; i < worker->acceptor_count; i++)
		acceptor_close(&worker->acceptors[i]);
	connection_rest_no_more(&worker->site); /* a worker whose acceptor is elsewhere has such, too */
}

static void deliver_stop(struct mail *mail, uint64_t now)
{
	connection_stop_all(&CONTAINER(mail, struct worker, stop_mail)->site, now);
}

static void deliver_status(struct mail *mail, uint64_t now)
{
	struct worker *worker = CONTAINER(mail, struct worker, status_mail);

	(void)now;
	worker->status_slot = 0;
	worker->status_told = 0;
	sched_enqueue(&worker->site.sched, &worker->status_task);
}

static void run_status(struct task *task, uint64_t now)
{
	struct worker *worker = CONTAINER(task, struct worker, status_task);

	if (connection_status(&worker->site, &worker->status_slot, STATUS_SLOTS, &worker->status_told, now))
		sched_enqueue(&worker->site.sched, &worker->status_task);
	else
		worker->ops->status_done(worker->argument, worker->status_told);
}

void worker_drain(struct worker *worker)
{
	sched_post(&worker->site.sched, &worker->drain_mail);
}

void worker_stop(struct worker *worker)
{
	sched_post(&worker->site.sched, &worker->stop_mail);
}

void worker_status(struct worker *worker)
{
	sched_post(&worker->site.sched, &worker->status_mail);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------ */

/* Nothing lives here, and nothing can come any more. What was handed over is in the mailbox before spreading ends. A timer
   that is left is a bucket's: sessions of other workers wait for it. */
static bool is_done(struct worker *worker)
{
	const struct sched *sched = &worker->site.sched;

	return worker->draining && worker->site.session_count == 0 &&
		atomic_load(&worker->site.commons->spreading) == 0 && !sched_busy(sched) &&
		sched_deadline(sched) == WEIR_NEVER;
}

/* evdns tells of look-ups that were cancelled only in a later pass, and frees what they hold. */
static void flush_look_ups(struct worker *worker)
{
	if (worker->site.dials.dns != NULL)
		(void)event_base_loop(worker->site.events, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void *run(void *argument)
{
	struct worker *worker = argument;

	worker->site.now = clock_now();
	while (!is_done(worker)) {
		int flags = EVLOOP_ONCE;

		if (sched_busy(&worker->site.sched))
			flags |= EVLOOP_NONBLOCK;
		else
			arm_timer(worker);
		if (event_base_loop(worker->site.events, flags) < 0) {
			log_error("worker %u: the event loop failed: %s", worker->number, strerrordesc_np(errno));
			break;
		}
		worker->site.now = clock_now();
		sched_run(&worker->site.sched, worker->site.now);
	}
	flush_look_ups(worker);
	worker->ops->ended(worker->argument);
	return NULL;
}

/* ---- birth and end ------------------------------------------------------------------------------------------------- */

static int make_events(struct worker *worker)
{
	struct event_config *config = event_config_new();

	if (config == NULL)
		return -1;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME); /* or it reads the clock after each wait */
	event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	worker->site.events = event_base_new_with_config(config);
	event_config_free(config);
	if (worker->site.events == NULL)
		return -1;
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (worker->wake_fd < 0 || worker->timer_fd < 0)
		return -1;
	event_assign(&worker->wake_event, worker->site.events, worker->wake_fd, EV_READ | EV_PERSIST, on_wake, worker);
	event_assign(&worker->timer_event, worker->site.events, worker->timer_fd, EV_READ | EV_PERSIST, on_timer,
		worker);
	return event_add(&worker->wake_event, NULL) != 0 ? -1 : event_add(&worker->timer_event, NULL);
}

static int make_resolver(struct site *site)
{
	site->dials.dns = evdns_base_new(site->events, 0);
	if (site->dials.dns == NULL)
		return -1;
	/* what is missing or wrong in the file leaves less to ask, and /etc/hosts in any case */
	(void)evdns_base_resolv_conf_parse(site->dials.dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	return 0;
}

/* What a turn can come to need beyond a flow's own page; no more than a share of a small memory limit. */
static uint32_t reserve_pages(const struct commons *commons)
{
	uint32_t turn = CONTEXT_SCRATCH / STORE_PAGE;
	uint32_t share = commons->memory.size / RESERVE_SHARE / commons->site_count;

	return turn < share ? turn : share;
}

static int make_site(struct worker *worker, const struct worker_setup *setup)
{
	struct site *site = &worker->site;

	site->commons = setup->commons;
	site->context = (struct context){
		.sched = &site->sched,
		.memory = &setup->commons->memory,
		.host = &host,
		.depots = &site->depots,
		.scratch = malloc(CONTEXT_SCRATCH),
		.reserve_max = reserve_pages(setup->commons),
		.pipes = &site->pipes,
		.scopes = &setup->commons->scopes,
		.worker = worker->number,
	};
	pipes_init(&site->pipes, setup->pipes);
	store_depots_init(&site->depots);
	if (site->context.scratch == NULL)
		return -1;
	if (setup->resolves && make_resolver(site) != 0)
		return -1;
	site->dials.events = site->events;
	site->dials.sched = &site->sched;
	if (dial_spare(&site->dials) != 0)
		return -1;
	return slab_init(&site->connections, sizeof(struct connection), connection_slot_init, site);
}

int worker_init(struct worker *worker, unsigned number, const struct worker_setup *setup)
{
	memset(worker, 0, sizeof(*worker));
	worker->number = number;
	worker->ops = setup->ops;
	worker->argument = setup->argument;
	worker->wake_fd = -1;
	worker->timer_fd = -1;
	worker->timer_at = WEIR_NEVER;
	worker->drain_mail.deliver = deliver_drain;
	worker->stop_mail.deliver = deliver_stop;
	worker->status_mail.deliver = deliver_status;
	worker->status_task.run = run_status;
	worker->site.dials.spare = -1;
	worker->site.now = clock_now();
	sched_init(&worker->site.sched, worker->site.now, wake, worker);
	worker->acceptors = calloc(setup->acceptor_room, sizeof(*worker->acceptors));
	if (worker->acceptors == NULL || make_events(worker) != 0)
		return -1;
	return make_site(worker, setup);
}

int worker_add_acceptor(struct worker *worker, struct listener *listener, int fd, const struct address *address)
{
	return acceptor_init(&worker->acceptors[worker->acceptor_count++], &worker->site, listener, fd, address);
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
	struct site *site = &worker->site;

	for (size_t i = 0; i < worker->acceptor_count; i++)
		acceptor_close(&worker->acceptors[i]);
	free(worker->acceptors);
	if (site->context.reserve > 0)
		pool_put(&site->commons->memory, site->context.reserve);
	free(site->context.scratch);
	if (site->session_count == 0) { /* else the loop has failed, and the process ends */
		pipes_destroy(&site->pipes);
		store_depots_destroy(&site->depots);
	}
	if (site->connections.chunks != NULL)
		slab_destroy(&site->connections);
	if (site->dials.dns != NULL)
		evdns_base_free(site->dials.dns, 0);
	if (site->dials.spare >= 0)
		close(site->dials.spare);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	if (worker->timer_fd >= 0)
		close(worker->timer_fd);
	if (site->events != NULL)
		event_base_free(site->events);
}
