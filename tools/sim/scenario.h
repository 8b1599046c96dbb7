/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario - what is to be simulated: an ini file, read by weir's own parser, becomes an immutable struct scenario.
 *
 *     [scenario]          seed, duration, what is recorded
 *     [source NAME]       what an end sends
 *     [sink NAME]         how an end takes what it is sent
 *     [traffic NAME]      sessions that come and go, each with two sources and two sinks
 *     [weir] [policy NAME] [listener NAME] [upstream NAME]
 *                         as in weir.ini, or in a file named by `config`; a listener needs no address here
 *
 * Times are ns, sizes bytes, rates bytes per second. What is random is drawn from the seed.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"

#define SCENARIO_UNLIMITED UINT64_MAX /* a rate, an amount; SCENARIO_NEVER for times */
#define SCENARIO_NEVER UINT64_MAX

enum source_kind {
	SOURCE_NONE,     /* sends nothing; ends when its session's other direction has ended */
	SOURCE_BULK,     /* as fast as it can */
	SOURCE_CONSTANT, /* `rate`, in writes of `write` bytes */
	SOURCE_BURSTS,   /* `burst` bytes at once, every `period` */
	SOURCE_ONOFF,    /* for `on` at `rate`, then silent for `off` */
	SOURCE_POISSON,  /* writes of `write` bytes at random times, on average `rate` */
	SOURCE_TRACE,    /* lines "SECONDS BYTES" of a file */
	SOURCE_ECHO, /* answers: `gain` bytes for 100 that its end was sent; stops reading while more than `busy` wait to be sent */
	SOURCE_REQUESTS, /* lines of `write` bytes, while fewer than `pipeline` are not answered */
	SOURCE_ANSWERS,  /* to each of these, after `service`, a line of `write` bytes, in order */
};

/* [source NAME]: what an application writes. What the network does not take waits in the application. */
struct scenario_source {
	char *name;
	unsigned line;
	uint32_t kind;   /* enum source_kind */
	uint32_t random; /* period, on and off are exponential with these means */
	uint64_t rate;
	uint64_t write; /* bytes of one write, or of a line, 1 .. 256K */
	uint64_t burst;
	uint64_t period;
	uint64_t on;
	uint64_t off;
	uint64_t gain; /* per cent */
	uint64_t busy;
	uint64_t pipeline;
	uint64_t requests;    /* then it ends its stream; SCENARIO_UNLIMITED: only with its session */
	uint64_t service;     /* ns */
	uint64_t concurrency; /* requests that are being served at one time */
	uint64_t bytes;       /* then it ends its stream; SCENARIO_UNLIMITED: only with its session */
	uint64_t rtt;         /* between this end and weir */
	uint64_t bandwidth;   /* of the way to weir; SCENARIO_UNLIMITED */
	const char *trace;    /* file, as written: relative to the scenario's directory */
	struct scenario_arrival {
		uint64_t at;
		uint64_t bytes;
	} * arrivals; /* of the trace, in order of time */
	size_t arrival_count;
};

/* From this time on an application reads at this rate. */
struct scenario_step {
	uint64_t at;
	uint64_t rate; /* 0: not at all */
};

/* [sink NAME]: how an application reads. */
struct scenario_sink {
	char *name;
	unsigned line;
	uint64_t rate;        /* SCENARIO_UNLIMITED: at once */
	uint64_t read;        /* bytes of one read */
	uint64_t stall_every; /* reads nothing for stall_for, every so often; SCENARIO_NEVER: never stalls */
	uint64_t stall_for;
	uint32_t random;             /* both are exponential with these means */
	uint64_t window;             /* the receive buffer of its kernel */
	uint64_t rtt;                /* between weir and this end */
	uint64_t bandwidth;          /* of the way to it; SCENARIO_UNLIMITED */
	const char *schedule;        /* "0s 1M, 10s 0, 20s unlimited": steps in place of rate; "" for none */
	struct scenario_step *steps; /* since the session's begin, in order of time */
	size_t step_count;
};

/* How a session ends that lives for `lifetime`. */
enum leave { LEAVE_END, LEAVE_RESET };

/* [traffic NAME] */
struct scenario_traffic {
	char *name;
	unsigned line;
	const char *listener_name; /* "" : the only one */
	const char *up_source_name;
	const char *up_sink_name;
	const char *down_source_name;
	const char *down_sink_name;
	uint64_t sessions;     /* that begin at `start` */
	uint64_t start;        /* ns */
	uint64_t arrivals;     /* more of them begin at random times, so many a minute on average; 0: none */
	uint64_t arrivals_end; /* SCENARIO_NEVER: until the end */
	uint64_t lifetime;     /* of a session, from its begin; SCENARIO_NEVER */
	uint32_t random;       /* lifetimes are exponential with that mean */
	uint32_t leave;        /* enum leave: the client ends, or resets */
	uint64_t clients;      /* addresses that the sessions come from, dealt round; 0: each its own */
	/* worked out */
	const struct config_listener *listener;
	const struct scenario_source *up_source;
	const struct scenario_sink *up_sink;
	const struct scenario_source *down_source;
	const struct scenario_sink *down_sink;
};

struct scenario {
	/* [scenario] */
	uint64_t seed;
	uint64_t duration;        /* simulated time */
	uint64_t sample;          /* ns between samples of the trace; resolved: never auto */
	uint64_t traced;          /* flows that the trace shows one by one, the first of them */
	uint32_t content;         /* bytes are real, and checked where they arrive */
	uint32_t drain;           /* at the end sources end, and the simulation goes on until all sessions have */
	const char *config_file;  /* "" for none: the sections are here */
	const char *policy_names; /* of the listener that is made when there is no section for one */
	/* worked out */
	struct config *config;
	struct scenario_source **sources;
	size_t source_count;
	struct scenario_sink **sinks;
	size_t sink_count;
	struct scenario_traffic **traffics;
	size_t traffic_count;
};

/* A key that replaces, or adds to, one of the file: "policy.smooth.high" and "64K". */
struct scenario_override {
	const char *key;
	const char *value;
};

/*
 * Reads and checks a scenario; module_dir as for config_load(). Errors go to `errors`, one line each, all of them.
 * Returns the scenario, owned by the caller, or NULL.
 */
struct scenario *scenario_load(const char *file, const char *module_dir, const struct scenario_override *overrides,
	size_t override_count, FILE *errors) __attribute__((warn_unused_result));
void scenario_free(struct scenario *scenario); /* NULL is fine */

#endif
