/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server - start, signals, drain, end.
 */
#include "server.h"

#include <errno.h>
#include <event2/thread.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "host.h"
#include "listener.h"
#include "log.h"
#include "notify.h"
#include "pool.h"
#include "privileges.h"
#include "report.h"
#include "store.h"
#include "text.h"
#include "worker.h"

struct server {
	const struct config *config;
	struct commons commons;
	struct listener *listeners;
	size_t listener_count;
	struct worker *workers;
	unsigned worker_count;
	int event_fd;                 /* the workers' way to wake the main thread */
	_Atomic unsigned ended;       /* workers whose loop has ended */
	_Atomic unsigned status_left; /* workers that have not answered */
	_Atomic uint32_t status_told;
};

/* ---- what workers tell ----------------------------------------------------------------------------------------------- */

static void worker_ended(void *argument)
{
	struct server *server = argument;
	uint64_t one = 1;

	atomic_fetch_add(&server->ended, 1);
	(void)!write(server->event_fd, &one, sizeof(one));
}

static void tell_policies(const struct config *config)
{
	for (size_t i = 0; i < config->policy_count; i++)
		report_policy(config->policies[i]);
}

static void status_done(void *argument, uint32_t told)
{
	struct server *server = argument;
	const struct pool *memory = &server->commons.memory;
	int32_t free = pool_free(memory);

	atomic_fetch_add(&server->status_told, told);
	if (atomic_fetch_sub(&server->status_left, 1) != 1)
		return;
	tell_policies(server->config);
	log_info("status end sessions=%" PRIu32 " memory=%" PRIu64 " memory_used=%" PRIu64 " memory_waiters=%" PRIu32
		 " memory_shortages=%" PRIu64,
		atomic_load(&server->status_told), (uint64_t)memory->size * STORE_PAGE,
		(uint64_t)((int64_t)memory->size - free) * STORE_PAGE, pool_waiters(memory),
		atomic_load(&memory->shortages));
}

static const struct worker_ops ops = {
	.ended = worker_ended,
	.status_done = status_done,
};

/* ---- start: pools, policies, listeners ----------------------------------------------------------------------------- */

static size_t count_addresses(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->listener_count; i++)
		count += config->listeners[i]->address_count;
	return count;
}

static int make_pools(struct server *server)
{
	const struct config *config = server->config;
	uint64_t pages = config_shared_memory(config) / STORE_PAGE;
	uint64_t sessions = config->weir.max_sessions;

	if (pool_init(&server->commons.memory, "memory", pages < POOL_UNITS_MAX ? (uint32_t)pages : POOL_UNITS_MAX) !=
		0)
		return -1;
	if (pool_init(&server->commons.sessions, "max_sessions",
		    sessions < POOL_UNITS_MAX ? (uint32_t)sessions : POOL_UNITS_MAX) != 0)
		return -1;
	if (loops_init(&server->commons.loops, config->listener_count, count_addresses(config)) != 0)
		return -1;
	if (config->weir.mark != CONFIG_NO_MARK)
		server->commons.loops.mark = (uint32_t)config->weir.mark;
	return scopes_init(&server->commons.scopes);
}

static int make_listeners(struct server *server)
{
	const struct config *config = server->config;

	for (size_t i = 0; i < config->policy_count; i++) {
		config->policies[i]->order = (unsigned)i;
		if (policy_start(config->policies[i], (unsigned)config->weir.workers) != 0)
			return -1;
	}
	server->listeners = calloc(config->listener_count, sizeof(*server->listeners));
	if (server->listeners == NULL)
		return -1;
	for (size_t i = 0; i < config->listener_count; i++) {
		if (listener_init(&server->listeners[i], config->listeners[i], i, &server->commons.loops) != 0)
			return -1;
		server->listener_count++;
	}
	return 0;
}

static bool needs_resolver(const struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++)
		if (config->listeners[i]->upstream->host[0] != '\0')
			return true;
	return false;
}

static int make_workers(struct server *server)
{
	struct commons *commons = &server->commons;
	struct worker_setup setup = {
		.commons = commons,
		.ops = &ops,
		.argument = server,
		.acceptor_room = count_addresses(server->config),
		.resolves = needs_resolver(server->config),
		.pipes = config_pipes(server->config),
	};
	unsigned count = (unsigned)server->config->weir.workers;

	server->workers = calloc(count, sizeof(*server->workers));
	commons->sites = calloc(count, sizeof(*commons->sites));
	if (server->workers == NULL || commons->sites == NULL)
		return -1;
	commons->site_count = count;
	for (unsigned i = 0; i < count; i++) {
		commons->sites[i] = &server->workers[i].site;
		server->worker_count++;
		if (worker_init(&server->workers[i], i, &setup) != 0)
			return -1;
	}
	return 0;
}

/* ---- start: sockets ------------------------------------------------------------------------------------------------ */

static void bind_failed(const struct listener *listener, size_t i, const char *file)
{
	char text[ADDRESS_TEXT_MAX];
	int error = errno;
	const char *hint = error == EADDRINUSE ? "an address that nobody else listens on"
		: error == EPERM               ? "CAP_NET_ADMIN or CAP_NET_RAW, which mode = tproxy takes"
		: error == EACCES ? "an address this user may listen on (ports below 1024 take CAP_NET_BIND_SERVICE)"
		: error == EADDRNOTAVAIL ? "an address of this machine"
					 : "an address to listen on";

	fprintf(stderr, "%s:%u: [listener %s] listen: cannot listen on %s: %s; expected %s\n", file,
		listener->config->listen_line, listener->config->name,
		address_text(&listener->config->addresses[i], text, sizeof(text)), strerrordesc_np(error), hint);
}

/* Gives each of the sockets to a worker. */
static int add_acceptors(struct server *server, struct listener *listener, const int *fds, unsigned count,
	const struct address *bound)
{
	int result = 0;

	for (unsigned n = 0; n < count; n++)
		if (worker_add_acceptor(&server->workers[n], listener, fds[n], bound) != 0)
			result = -1;
	return result;
}

/* A buffer that the kernel cuts makes no error: the bound it was to be still holds. But it is worth knowing. */
static void check_buffers(const struct listener *listener, int fd)
{
	uint64_t got;
	const char *limit = socket_cut(fd, &listener->options, &got);

	if (limit != NULL)
		log_warning("listener %s: the kernel gives a buffer of %" PRIu64 " bytes only; %s is its limit",
			listener->config->name, got, limit);
}

static int listen_on(struct server *server, struct listener *listener, size_t i, const char *file)
{
	int *fds = calloc(server->worker_count, sizeof(*fds));
	char text[ADDRESS_TEXT_MAX];
	struct address bound;
	int count;
	int result = -1;

	if (fds == NULL)
		return -1;
	count = listener_bind(listener, i, fds, server->worker_count, &bound);
	if (count < 0) {
		bind_failed(listener, i, file);
	} else {
		check_buffers(listener, fds[0]);
		loops_listen(&server->commons.loops, listener->target.listener, &bound);
		result = add_acceptors(server, listener, fds, (unsigned)count, &bound);
		log_info("listener %s: listening on %s", listener->config->name,
			address_text(&bound, text, sizeof(text)));
	}
	free(fds);
	return result;
}

/* Every address of every listener, so that all that cannot be had are told of in one run. */
static int listen_on_all(struct server *server, const char *file)
{
	int result = 0;

	for (size_t l = 0; l < server->listener_count; l++)
		for (size_t i = 0; i < server->listeners[l].config->address_count; i++)
			if (listen_on(server, &server->listeners[l], i, file) != 0)
				result = -1;
	return result;
}

static void check_descriptors(const struct config *config, uint64_t descriptors)
{
	char limit[CONFIG_LIMIT_MAX];
	uint64_t admits = config_admits(config, limit, sizeof(limit));

	if (admits < config->weir.max_sessions && strcmp(limit, "descriptors") == 0)
		log_warning("max_sessions is %" PRIu64 ", but %" PRIu64 " descriptors are enough for %" PRIu64
			    " sessions only",
			config->weir.max_sessions, descriptors, admits);
}

/* ---- running ------------------------------------------------------------------------------------------------------- */

static void ask_status(struct server *server)
{
	unsigned none = 0;

	if (atomic_load(&server->ended) > 0)
		return; /* not all would answer any more */
	if (!atomic_compare_exchange_strong(&server->status_left, &none, server->worker_count)) {
		log_info("status is being told already");
		return;
	}
	atomic_store(&server->status_told, 0);
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_status(&server->workers[i]);
}

struct running {
	struct server *server;
	int signal_fd;
	bool draining;
	bool stopping;
	uint64_t stop_at; /* ns, while draining */
};

static void stop(struct running *running)
{
	if (running->stopping)
		return;
	running->stopping = true;
	for (unsigned i = 0; i < running->server->worker_count; i++)
		worker_stop(&running->server->workers[i]);
}

static uint64_t live_sessions(const struct server *server)
{
	return server->commons.sessions.size - (uint64_t)(int64_t)pool_free(&server->commons.sessions);
}

static void drain(struct running *running)
{
	uint64_t timeout = running->server->config->weir.drain_timeout;
	char status[96];

	running->draining = true;
	running->stop_at = timeout == WEIR_NEVER ? WEIR_NEVER : clock_now() + timeout;
	if (timeout == WEIR_NEVER)
		snprintf(status, sizeof(status), "draining %" PRIu64 " sessions", live_sessions(running->server));
	else
		snprintf(status, sizeof(status), "draining %" PRIu64 " sessions for at most %gs",
			live_sessions(running->server), (double)timeout / 1e9);
	log_info("%s", status);
	notify_stopping(status);
	for (unsigned i = 0; i < running->server->worker_count; i++)
		worker_drain(&running->server->workers[i]);
}

static void on_signal(struct running *running)
{
	struct signalfd_siginfo info;

	if (read(running->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGHUP:
		log_info("SIGHUP ignored: this weir does not reload its configuration; restart it instead");
		break;
	case SIGUSR1:
		ask_status(running->server);
		break;
	default:
		if (running->draining)
			stop(running);
		else
			drain(running);
		break;
	}
}

static int until_stop(const struct running *running)
{
	uint64_t now;

	if (!running->draining || running->stopping || running->stop_at == WEIR_NEVER)
		return -1;
	now = clock_now();
	return running->stop_at <= now ? 0 : (int)((running->stop_at - now) / 1000000 + 1);
}

static void run(struct server *server, int signal_fd)
{
	struct running running = {.server = server, .signal_fd = signal_fd};
	struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = server->event_fd, .events = POLLIN}};

	while (atomic_load(&server->ended) < server->worker_count) {
		int n = poll(fds, 2, until_stop(&running));

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && (fds[0].revents & POLLIN) != 0)
			on_signal(&running);
		if (n > 0 && (fds[1].revents & POLLIN) != 0) {
			uint64_t count;

			(void)!read(server->event_fd, &count, sizeof(count));
		}
		if (running.draining && until_stop(&running) == 0)
			stop(&running);
	}
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_join(&server->workers[i]);
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

static struct session *lookup(void *argument, uint32_t worker, uint32_t slot)
{
	const struct server *server = argument;
	struct connection *connection;

	if (worker >= server->worker_count)
		return NULL;
	connection = slab_at(&server->workers[worker].site.connections, slot);
	return connection == NULL ? NULL : &connection->session;
}

/* The signals of the main thread; threads started afterwards leave them to it. SIGPIPE is a return value here. */
static int take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Sockets towards servers have a mark, or a client's address and port. */
static uint32_t needed_privileges(const struct server *server)
{
	uint32_t needed = server->commons.loops.mark != 0 ? PRIVILEGES_RAW : 0;

	for (size_t i = 0; i < server->listener_count; i++)
		needed |= (server->listeners[i].config->bind_client ? PRIVILEGES_RAW : 0) |
			(server->listeners[i].config->bind_port ? PRIVILEGES_LOW_PORTS : 0);
	return needed;
}

/* What the sockets towards servers shall have that not everybody may give them. */
static const char *wanted(const struct listener *listener)
{
	bool mark = listener->upstream_options.mark != 0;

	if (listener->upstream_options.transparent)
		return mark ? " with a mark and the client's address" : " with the client's address";
	return mark ? " with a mark" : "";
}

/* Better now than at every client. */
static int try_listeners(const struct server *server, const char *file)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		const struct config_listener *config = server->listeners[i].config;

		if (listener_try(&server->listeners[i]) == 0)
			continue;
		fprintf(stderr,
			"%s:%u: [listener %s]: cannot make a socket%s: %s; expected CAP_NET_ADMIN, or CAP_NET_RAW%s\n",
			file, config->line, config->name, wanted(&server->listeners[i]), strerrordesc_np(errno),
			server->listeners[i].upstream_options.mark != 0 ? " (from Linux 5.17 on)" : "");
		return -1;
	}
	return 0;
}

static int prepare(struct server *server, const char *file)
{
	char error[TEXT_ERROR_MAX];

	server->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (server->event_fd < 0 || evthread_use_pthreads() != 0 || make_pools(server) != 0 ||
		make_listeners(server) != 0 || make_workers(server) != 0) {
		log_error("cannot start: %s", strerrordesc_np(errno != 0 ? errno : ENOMEM));
		return -1;
	}
	if (listen_on_all(server, file) != 0)
		return -1;
	if (privileges_drop(server->config->weir.user, needed_privileges(server), error, sizeof(error)) != 0) {
		fprintf(stderr, "%s: [weir] user: %s\n", file, error);
		return -1;
	}
	return try_listeners(server, file);
}

static int start_workers(struct server *server)
{
	for (unsigned i = 0; i < server->worker_count; i++) {
		if (worker_start(&server->workers[i]) == 0)
			continue;
		log_error("cannot start worker %u: %s", i, strerrordesc_np(errno));
		/* those that run already may have accepted clients */
		for (unsigned n = 0; n < i; n++) {
			worker_drain(&server->workers[n]);
			worker_stop(&server->workers[n]);
		}
		for (unsigned n = 0; n < i; n++)
			worker_join(&server->workers[n]);
		return -1;
	}
	return 0;
}

static void announce(const struct server *server)
{
	char status[256];
	char limit[CONFIG_LIMIT_MAX];
	uint64_t admits = config_admits(server->config, limit, sizeof(limit));

	snprintf(status, sizeof(status), "%u workers, admits %" PRIu64 " sessions (limited by %s)",
		server->worker_count, admits, limit);
	log_info("weir %s ready: %s", PACKAGE_VERSION, status);
	notify_ready(status);
}

static void destroy(struct server *server)
{
	host_set_lookup(NULL, NULL);
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_destroy(&server->workers[i]);
	free(server->workers);
	free(server->commons.sites);
	scopes_destroy(&server->commons.scopes);
	loops_destroy(&server->commons.loops);
	for (size_t i = 0; i < server->listener_count; i++) {
		listener_destroy(&server->listeners[i]);
	}
	free(server->listeners);
	if (server->event_fd >= 0)
		close(server->event_fd);
}

int server_run(const struct config *config, const char *file)
{
	struct server server = {.config = config, .event_fd = -1};
	int signal_fd = take_signals();
	int status = 1;

	check_descriptors(config, privileges_raise_descriptors());
	if (signal_fd < 0) {
		log_error("cannot start: signalfd: %s", strerrordesc_np(errno));
	} else if (prepare(&server, file) == 0) {
		host_set_lookup(lookup, &server);
		if (start_workers(&server) == 0) {
			announce(&server);
			run(&server, signal_fd);
			log_info("stopped");
			status = 0;
		}
	}
	destroy(&server);
	if (signal_fd >= 0)
		close(signal_fd);
	return status;
}
