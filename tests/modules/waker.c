/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waker - a flow may read only as much as somebody else has allowed it, and is woken when he has: a thread of the module
 * (by = thread), or the session's other flow for each read of its own (by = other).
 */
#include <weir/policy.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define GRANT 32768 /* bytes that each wake-up allows */

enum { BY_THREAD, BY_OTHER };

struct options {
	uint32_t by;
};

static const char *const bys[] = {"thread", "other", NULL};

static const struct weir_option options[] = {
	{"by", WEIR_OPTION_ENUM, offsetof(struct options, by), "thread", 0, 0, bys, "Who allows and wakes."},
	{NULL, 0, 0, NULL, 0, 0, NULL, NULL},
};

struct flow {
	_Atomic uint64_t allowed; /* offset */
	atomic_bool over;
	pthread_t thread;
	bool has_thread;
	const struct weir_host *host;
	struct weir_ref ref;
};

/* What a flow of the other direction is allowed. */
struct session {
	uint64_t allowed[2];
	struct weir_ref refs[2];
	bool open[2];
};

static void *allow(void *state)
{
	struct flow *flow = (struct flow *)state;
	struct timespec moment = {.tv_nsec = 2000000};

	while (!atomic_load(&flow->over)) {
		nanosleep(&moment, NULL);
		atomic_fetch_add(&flow->allowed, GRANT);
		flow->host->wake(&flow->ref);
	}
	return NULL;
}

static int open_flow(const struct weir_call *call)
{
	const struct options *set = (const struct options *)call->options;
	struct session *session = (struct session *)call->session;
	struct flow *flow = (struct flow *)call->flow;

	session->refs[call->ref.direction] = call->ref;
	session->open[call->ref.direction] = true;
	session->allowed[call->ref.direction] = call->ref.direction == WEIR_UP ? GRANT : 0; /* up speaks first */
	if (set->by != BY_THREAD)
		return 0;
	flow->host = call->host;
	flow->ref = call->ref;
	flow->has_thread = pthread_create(&flow->thread, NULL, allow, flow) == 0;
	return flow->has_thread ? 0 : -1;
}

static void ask(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	const struct options *set = (const struct options *)call->options;
	const struct session *session = (const struct session *)call->session;
	struct flow *flow = (struct flow *)call->flow;

	(void)view;
	limits->read_to = set->by == BY_THREAD ? atomic_load(&flow->allowed) : session->allowed[call->ref.direction];
	limits->promises = WEIR_PROMISE_WAKE;
}

static void event(const struct weir_call *call, const struct weir_view *view, const struct weir_event *event_of)
{
	const struct options *set = (const struct options *)call->options;
	struct session *session = (struct session *)call->session;
	unsigned other = 1 - call->ref.direction;

	(void)view;
	if (set->by != BY_OTHER || (event_of->what & (WEIR_EVENT_READ | WEIR_EVENT_ENDED)) == 0 ||
		!session->open[other])
		return;
	session->allowed[other] += (event_of->what & WEIR_EVENT_ENDED) != 0 ? UINT32_MAX : event_of->read;
	call->host->wake(&session->refs[other]);
}

static void close_flow(const struct weir_call *call)
{
	struct session *session = (struct session *)call->session;
	struct flow *flow = (struct flow *)call->flow;

	session->open[call->ref.direction] = false;
	if (!flow->has_thread)
		return;
	atomic_store(&flow->over, true);
	pthread_join(flow->thread, NULL);
	call->host->wake(&flow->ref); /* of a flow that is as good as gone: harmless */
}

static const struct weir_policy policy = {
	.magic = WEIR_POLICY_MAGIC,
	.major = WEIR_POLICY_MAJOR,
	.minor = WEIR_POLICY_MINOR,
	.size = sizeof(struct weir_policy),
	.name = "waker",
	.summary = "wakes flows from elsewhere",
	.options = options,
	.option_stride = sizeof(struct weir_option),
	.options_size = sizeof(struct options),
	.session_size = sizeof(struct session),
	.flow_size = sizeof(struct flow),
	.open = open_flow,
	.ask = ask,
	.event = event,
	.close = close_flow,
};

WEIR_EXPORT const struct weir_policy *weir_policy_entry(void)
{
	return &policy;
}
