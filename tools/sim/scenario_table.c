/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario_table - the option tables of a scenario's own sections.
 */
#include "scenario_table.h"

#include <stddef.h>

#include "option.h"
#include "scenario.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define MS UINT64_C(1000000)
#define SECOND (MS * 1000)
#define MINUTE (SECOND * 60)
#define HOUR (SECOND * 3600)

#define RATE_MAX (1024 * GIB)
#define BYTES_MAX (1024 * 1024 * GIB)
#define SESSIONS_MAX (UINT64_C(1) << 20)
#define TIME_MAX (HOUR * 8760)

static const char *const auto_words[] = {"auto", NULL};
static const char *const never_words[] = {"never", NULL};
static const char *const unlimited_words[] = {"unlimited", NULL};
static const char *const kind_words[] = {"none", "bulk", "constant", "bursts", "onoff", "poisson", "trace", "echo",
	"requests", "answers", NULL};                            /* as in enum source_kind */
static const char *const leave_words[] = {"end", "reset", NULL}; /* as in enum leave */

#define AT(member) .offset = offsetof(struct scenario, member)

const struct weir_option scenario_table[] = {
	{.key = "seed",
		.type = WEIR_OPTION_COUNT,
		AT(seed),
		.def = "1",
		.min = 0,
		.max = UINT64_MAX,
		.doc = "what all that is random is drawn from; the same seed gives the same result"},
	{.key = "duration",
		.type = WEIR_OPTION_TIME,
		AT(duration),
		.def = "10s",
		.min = MS,
		.max = TIME_MAX,
		.doc = "how long to simulate"},
	{.key = "sample",
		.type = WEIR_OPTION_TIME,
		AT(sample),
		.def = "auto",
		.min = SCENARIO_SAMPLE_MIN,
		.max = TIME_MAX,
		.names = auto_words,
		.doc = "time between two rows of the trace; auto: a thousandth of the duration, but no less than 1ms"},
	{.key = "traced",
		.type = WEIR_OPTION_COUNT,
		AT(traced),
		.def = "4",
		.min = 0,
		.max = 1000,
		.doc = "flows that the trace shows one by one: the first of those whose sources send"},
	{.key = "content",
		.type = WEIR_OPTION_BOOL,
		AT(content),
		.def = "no",
		.doc = "whether there are real bytes, compared where they arrive, and not only lengths; who asks, and "
		       "who counts requests, needs them"},
	{.key = "drain",
		.type = WEIR_OPTION_BOOL,
		AT(drain),
		.def = "no",
		.doc = "whether the sources end after the duration, and the simulation only when all sessions have"},
	{.key = "config",
		.type = WEIR_OPTION_STRING,
		AT(config_file),
		.def = "",
		.doc = "a file of weir's that has the sections weir, policy, listener and upstream in place of this one; "
		       "relative to the scenario's directory"},
	{.key = "policy",
		.type = WEIR_OPTION_STRING,
		AT(policy_names),
		.def = CONFIG_DEFAULT_POLICY,
		.doc = "the stack of the listener " SCENARIO_LISTENER
		       ", which there is only if no section describes a listener"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct scenario_source, member)

const struct weir_option scenario_source_table[] = {
	{.key = "kind",
		.type = WEIR_OPTION_ENUM,
		AT(kind),
		.def = "bulk",
		.names = kind_words,
		.doc = "when it writes, and how much"},
	{.key = "rate",
		.type = WEIR_OPTION_SIZE,
		AT(rate),
		.def = "10M",
		.min = 1,
		.max = RATE_MAX,
		.doc = "constant, poisson: bytes per second, on average; onoff: while it is on"},
	{.key = "write",
		.type = WEIR_OPTION_SIZE,
		AT(write),
		.def = "16K",
		.min = 1,
		.max = 256 * KIB,
		.doc = "bytes of one write; requests, answers: of one line"},
	{.key = "burst",
		.type = WEIR_OPTION_SIZE,
		AT(burst),
		.def = "0",
		.min = 0,
		.max = GIB,
		.doc = "bursts, where it is required: bytes written at once"},
	{.key = "period",
		.type = WEIR_OPTION_TIME,
		AT(period),
		.def = "0s",
		.min = 0,
		.max = HOUR,
		.doc = "bursts, where it is required: time from one burst to the next; requests: at least so long from "
		       "one to the next"},
	{.key = "on",
		.type = WEIR_OPTION_TIME,
		AT(on),
		.def = "0s",
		.min = 0,
		.max = HOUR,
		.doc = "onoff, where it is required: how long it writes"},
	{.key = "off",
		.type = WEIR_OPTION_TIME,
		AT(off),
		.def = "0s",
		.min = 0,
		.max = HOUR,
		.doc = "onoff, where it is required: how long it is silent then"},
	{.key = "random",
		.type = WEIR_OPTION_BOOL,
		AT(random),
		.def = "no",
		.doc = "bursts, onoff, requests, answers: whether period, on, off and service are only means, of "
		       "exponential times"},
	{.key = "gain",
		.type = WEIR_OPTION_COUNT,
		AT(gain),
		.def = "100",
		.min = 1,
		.max = 10000,
		.doc = "echo: bytes it answers for 100 that its end was sent"},
	{.key = "busy",
		.type = WEIR_OPTION_SIZE,
		AT(busy),
		.def = "64K",
		.min = 1,
		.max = GIB,
		.doc = "echo, answers: its end stops reading while more than this waits to be sent"},
	{.key = "pipeline",
		.type = WEIR_OPTION_COUNT,
		AT(pipeline),
		.def = "1",
		.min = 1,
		.max = MIB,
		.doc = "requests: that may be unanswered at one time"},
	{.key = "requests",
		.type = WEIR_OPTION_COUNT,
		AT(requests),
		.def = "unlimited",
		.min = 1,
		.max = 1024 * GIB,
		.names = unlimited_words,
		.doc = "requests, answers: after so many it ends its stream; unlimited: only with its session"},
	{.key = "service",
		.type = WEIR_OPTION_TIME,
		AT(service),
		.def = "0s",
		.min = 0,
		.max = HOUR,
		.doc = "answers: how long one takes"},
	{.key = "concurrency",
		.type = WEIR_OPTION_COUNT,
		AT(concurrency),
		.def = "1",
		.min = 1,
		.max = MIB,
		.doc = "answers: that are worked on at one time"},
	{.key = "trace",
		.type = WEIR_OPTION_STRING,
		AT(trace),
		.def = "",
		.doc = "trace, where it is required: a file of lines SECONDS BYTES, relative to the scenario's directory"},
	{.key = "bytes",
		.type = WEIR_OPTION_SIZE,
		AT(bytes),
		.def = "unlimited",
		.min = 1,
		.max = BYTES_MAX,
		.names = unlimited_words,
		.doc = "after so many bytes it ends its stream; unlimited: only with its session"},
	{.key = "rtt",
		.type = WEIR_OPTION_TIME,
		AT(rtt),
		.def = "0s",
		.min = 0,
		.max = MINUTE,
		.doc = "round trip between this end and weir"},
	{.key = "bandwidth",
		.type = WEIR_OPTION_SIZE,
		AT(bandwidth),
		.def = "unlimited",
		.min = 1,
		.max = RATE_MAX,
		.names = unlimited_words,
		.doc = "bytes per second that the way to weir carries"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct scenario_sink, member)

const struct weir_option scenario_sink_table[] = {
	{.key = "rate",
		.type = WEIR_OPTION_SIZE,
		AT(rate),
		.def = "unlimited",
		.min = 1,
		.max = RATE_MAX,
		.names = unlimited_words,
		.doc = "bytes per second that the application reads; unlimited: whatever comes, at once"},
	{.key = "read",
		.type = WEIR_OPTION_SIZE,
		AT(read),
		.def = "16K",
		.min = 1,
		.max = 256 * KIB,
		.doc = "bytes of one read"},
	{.key = "schedule",
		.type = WEIR_OPTION_STRING,
		AT(schedule),
		.def = "",
		.doc = "steps TIME RATE with commas between, TIME since the session's begin, RATE as above or 0; in place of "
		       "rate: \"0s 1M, 10s 0, 20s unlimited\""},
	{.key = "stall_every",
		.type = WEIR_OPTION_TIME,
		AT(stall_every),
		.def = "never",
		.min = MS,
		.max = TIME_MAX,
		.names = never_words,
		.doc = "how often the application stops reading for a while, from the begin of a stall to that of the next"},
	{.key = "stall_for",
		.type = WEIR_OPTION_TIME,
		AT(stall_for),
		.def = "0s",
		.min = 0,
		.max = TIME_MAX,
		.doc = "how long a stall lasts; required with stall_every; the next one does not begin before its end"},
	{.key = "random",
		.type = WEIR_OPTION_BOOL,
		AT(random),
		.def = "no",
		.doc = "whether stall_every and stall_for are only means, of exponential times"},
	{.key = "window",
		.type = WEIR_OPTION_SIZE,
		AT(window),
		.def = "256K",
		.min = KIB,
		.max = GIB,
		.doc = "the receive buffer of the sink's kernel"},
	{.key = "rtt",
		.type = WEIR_OPTION_TIME,
		AT(rtt),
		.def = "0s",
		.min = 0,
		.max = MINUTE,
		.doc = "round trip between weir and this end"},
	{.key = "bandwidth",
		.type = WEIR_OPTION_SIZE,
		AT(bandwidth),
		.def = "unlimited",
		.min = 1,
		.max = RATE_MAX,
		.names = unlimited_words,
		.doc = "bytes per second that the way from weir carries"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct scenario_traffic, member)

const struct weir_option scenario_traffic_table[] = {
	{.key = "listener",
		.type = WEIR_OPTION_STRING,
		AT(listener_name),
		.def = "",
		.doc = "the listener that takes the sessions; needed only if there are several"},
	{.key = "up_source",
		.type = WEIR_OPTION_STRING,
		AT(up_source_name),
		.def = SCENARIO_NO_SOURCE,
		.doc = "what the client sends: a [source] section, or " SCENARIO_NO_SOURCE},
	{.key = "up_sink",
		.type = WEIR_OPTION_STRING,
		AT(up_sink_name),
		.def = SCENARIO_FAST_SINK,
		.doc = "how the server takes it: a [sink] section, or " SCENARIO_FAST_SINK},
	{.key = "down_source",
		.type = WEIR_OPTION_STRING,
		AT(down_source_name),
		.def = SCENARIO_NO_SOURCE,
		.doc = "what the server sends: a [source] section, or " SCENARIO_NO_SOURCE},
	{.key = "down_sink",
		.type = WEIR_OPTION_STRING,
		AT(down_sink_name),
		.def = SCENARIO_FAST_SINK,
		.doc = "how the client takes it: a [sink] section, or " SCENARIO_FAST_SINK},
	{.key = "sessions",
		.type = WEIR_OPTION_COUNT,
		AT(sessions),
		.def = "1",
		.min = 0,
		.max = SESSIONS_MAX,
		.doc = "sessions that begin together"},
	{.key = "start",
		.type = WEIR_OPTION_TIME,
		AT(start),
		.def = "0s",
		.min = 0,
		.max = TIME_MAX,
		.doc = "when they do, and arrivals begin"},
	{.key = "arrivals",
		.type = WEIR_OPTION_COUNT,
		AT(arrivals),
		.def = "0",
		.min = 0,
		.max = 6000000,
		.doc = "more sessions that begin at random times, so many a minute on average"},
	{.key = "arrivals_end",
		.type = WEIR_OPTION_TIME,
		AT(arrivals_end),
		.def = "never",
		.min = 0,
		.max = TIME_MAX,
		.names = never_words,
		.doc = "when arrivals end"},
	{.key = "lifetime",
		.type = WEIR_OPTION_TIME,
		AT(lifetime),
		.def = "never",
		.min = MS,
		.max = TIME_MAX,
		.names = never_words,
		.doc = "how long a session lasts before its client leaves; never: until its sources have ended"},
	{.key = "random",
		.type = WEIR_OPTION_BOOL,
		AT(random),
		.def = "no",
		.doc = "whether lifetime is only a mean, of exponential times"},
	{.key = "leave",
		.type = WEIR_OPTION_ENUM,
		AT(leave),
		.def = "end",
		.names = leave_words,
		.doc = "how the client leaves: end: its stream ends; reset: the connection breaks"},
	{.key = "clients",
		.type = WEIR_OPTION_COUNT,
		AT(clients),
		.def = "0",
		.min = 0,
		.max = SESSIONS_MAX,
		.doc = "addresses that the sessions come from, dealt out in turn; 0: each session has its own"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct scenario_step, member)

const struct weir_option scenario_step_table[] = {
	{.key = "at", .type = WEIR_OPTION_TIME, AT(at), .def = "0s", .min = 0, .max = TIME_MAX, .doc = "a time"},
	{.key = "rate",
		.type = WEIR_OPTION_SIZE,
		AT(rate),
		.def = "0",
		.min = 0,
		.max = RATE_MAX,
		.names = unlimited_words,
		.doc = "bytes per second"},
	{.key = NULL},
};

#undef AT
#define AT(member) .offset = offsetof(struct scenario_arrival, member)

const struct weir_option scenario_arrival_table[] = {
	{.key = "bytes",
		.type = WEIR_OPTION_SIZE,
		AT(bytes),
		.def = "1",
		.min = 1,
		.max = GIB,
		.doc = "bytes written at once"},
	{.key = NULL},
};

const char *scenario_source_word(uint32_t kind)
{
	return kind_words[kind];
}

void scenario_help(FILE *out)
{
	static const struct {
		const char *title;
		const struct weir_option *table;
	} sections[] = {{"[scenario]", scenario_table}, {"[source NAME]", scenario_source_table},
		{"[sink NAME]", scenario_sink_table}, {"[traffic NAME]", scenario_traffic_table}};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		fprintf(out, "%s%s\n", i > 0 ? "\n" : "", sections[i].title);
		option_help(out, sections[i].table, SCENARIO_TABLE_STRIDE);
	}
}
