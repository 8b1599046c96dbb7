/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - key=value lines.
 */
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gate.h"
#include "log.h"

/* Text that grows to the right, and is cut at its end. */
struct line {
	char text[LOG_LINE_MAX];
	size_t length;
};

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line->text + line->length, room, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void add_time(struct line *line, const char *direction, const char *key, uint64_t ns)
{
	add(line, " %s%s=%" PRIu64 ".%06us", direction, key, ns / 1000000000, (unsigned)(ns % 1000000000 / 1000));
}

static void add_address(struct line *line, const char *key, const union address_brief *brief)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address;

	address_unpack(brief, &address);
	add(line, " %s=%s", key, address.length != 0 ? address_text(&address, text, sizeof(text)) : "-");
}

/* A unix upstream's path stands in the configuration, not in the socket. */
static void add_server(struct line *line, const struct report *report)
{
	const struct config_upstream *upstream = report->upstream;

	if (report->session->connected_at != 0 && address_is_unix(&upstream->address))
		add(line, " server=%s", upstream->server);
	else if (report->session->connected_at != 0)
		add_address(line, "server", &report->server->peer);
	else
		add(line, " server=-");
}

static void begin(struct line *line, const char *what, const struct report *report)
{
	const struct session *session = report->session;

	line->length = 0;
	add(line, "%s %" PRIu32 ".%" PRIu32 ".%" PRIu32 " listener=%s", what, session->owner.ref.worker,
		session->owner.ref.slot, session->owner.ref.generation, session->profile->name);
	add_address(line, "client", &report->client->peer);
	add_server(line, report);
	add(line, " up=%" PRIu64 " down=%" PRIu64, session->up.written, session->down.written);
}

static void add_states(struct line *line, const char *direction, const struct flow *flow, uint64_t now)
{
	char key[16];

	for (int state = 0; state < METER_STATE_COUNT; state++) {
		snprintf(key, sizeof(key), "_%s", meter_state_names[state]);
		add_time(line, direction, key, meter_spent(&flow->meter, now, (enum meter_state)state));
	}
}

static void add_pauses(struct line *line, const char *direction, const struct flow *flow, uint64_t now)
{
	const struct meter *meter = &flow->meter;
	const char *between = "";

	add(line, " %s_paused=", direction);
	for (uint32_t cause = 0; cause < meter->causes; cause++) {
		uint64_t spent = meter_paused(meter, now, cause);

		if (meter->pauses[cause].count == 0)
			continue;
		add(line, "%s%s:%" PRIu32 "/%" PRIu64 ".%06us", between,
			stack_cause(flow->standing.owner->stack, cause), meter->pauses[cause].count, spent / 1000000000,
			(unsigned)(spent % 1000000000 / 1000));
		between = ",";
	}
	if (*between == '\0')
		add(line, "-");
}

/* Of those who did not come to weir as they are. */
static void add_passage(struct line *line, const struct passage *passage)
{
	if (passage != NULL && passage->intercepted)
		add_address(line, "destination", &passage->destination);
	if (passage != NULL && passage->proxy.sa.sa_family != AF_UNSPEC)
		add_address(line, "proxy", &passage->proxy);
}

static void add_flows(struct line *line, const struct session *session, uint64_t now)
{
	add(line, " up_held_max=%" PRIu64 " down_held_max=%" PRIu64, session->up.held_max, session->down.held_max);
	add_states(line, "up", &session->up, now);
	add_states(line, "down", &session->down, now);
	add_pauses(line, "up", &session->up, now);
	add_pauses(line, "down", &session->down, now);
}

void report_connected(const struct report *report)
{
	struct line line;

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	begin(&line, "connected", report);
	log_debug("%s", line.text);
}

void report_access(const struct report *report, uint64_t now)
{
	const struct session *session = report->session;
	struct line line;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	begin(&line, "session", report);
	add_time(&line, "", "duration", now - session->opened_at);
	if (session->connected_at != 0)
		add_time(&line, "", "connect", session->connected_at - session->opened_at);
	else
		add(&line, " connect=-");
	add_flows(&line, session, now);
	add_passage(&line, report->passage);
	add(&line, " close=%s", close_reason_names[session->reason]);
	log_info("%s", line.text);
}

static const char *state_name(const struct flow *flow)
{
	return flow_over(flow) ? "ended" : meter_state_names[flow->meter.state];
}

void report_status(const struct report *report, uint64_t now)
{
	const struct session *session = report->session;
	struct line line;

	begin(&line, "status", report);
	add_time(&line, "", "age", now - session->opened_at);
	add(&line, " up_held_now=%" PRIu64 " down_held_now=%" PRIu64 " up_state=%s down_state=%s",
		session->up.store.held, session->down.store.held, state_name(&session->up), state_name(&session->down));
	add_flows(&line, session, now);
	add_passage(&line, report->passage);
	log_info("%s", line.text);
}

void report_greeting(const char *listener, const struct endpoint_socket *client, uint64_t age)
{
	struct line line = {.length = 0};

	add(&line, "status - listener=%s", listener);
	add_address(&line, "client", &client->peer);
	add(&line, " waits=proxy-header");
	add_time(&line, "", "age", age);
	log_info("%s", line.text);
}

static void tell_pool(const struct policy *policy, const struct pool *pool, const char *upstream, int direction)
{
	struct line line = {.length = 0};

	add(&line, "pool %s.%s", policy->name, pool->name);
	if (*upstream != '\0')
		add(&line, " upstream=%s", upstream);
	if (direction >= 0)
		add(&line, " direction=%s", direction == WEIR_UP ? "up" : "down");
	add(&line, " units=%" PRIu32 " used=%" PRId64 " waiters=%" PRIu32 " shortages=%" PRIu64, pool->size,
		(int64_t)pool->size - pool_free(pool), pool_waiters(pool),
		atomic_load_explicit(&pool->shortages, memory_order_relaxed));
	log_info("%s", line.text);
}

void report_policy(const struct policy *policy)
{
	const struct weir_policy *api = &policy->module->api;
	struct line line = {.length = 0};

	policy_pools_visit(policy, tell_pool);
	if (api->counter_count == 0)
		return;
	add(&line, "policy %s (%s):", policy->name, policy->module->name);
	for (uint32_t i = 0; i < api->counter_count; i++)
		add(&line, " %s=%" PRIu64, gate_counter(api, i).name,
			atomic_load_explicit(&policy->counters[i], memory_order_relaxed));
	log_info("%s", line.text);
}

void report_failure(const struct report *report, const struct dial_outcome *outcome)
{
	const struct session *session = report->session;
	bool resolved = report->upstream->address.length == 0 && outcome->address.length != 0;
	char text[ADDRESS_TEXT_MAX];

	log_warning("session %" PRIu32 ".%" PRIu32 ".%" PRIu32 " listener=%s: cannot connect to %s%s%s: %s",
		session->owner.ref.worker, session->owner.ref.slot, session->owner.ref.generation,
		session->profile->name, report->upstream->server, resolved ? " at " : "",
		resolved ? address_text(&outcome->address, text, sizeof(text)) : "", outcome->error);
}
