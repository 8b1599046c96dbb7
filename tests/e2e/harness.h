/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness - runs real weir processes for the end-to-end tests, and knows what can be seen of them from outside: their
 * log, their CPU time, descriptors, memory and kernel queues.
 *
 * Each Check case is a process of its own. What it starts dies with it; what it leaves on disk the parent removes, after
 * showing the log of a case that failed. Nothing here sleeps to wait: everything polls for what it wants, with a deadline.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define PATIENCE (SANITIZED ? 60.0 : 20.0) /* seconds until a wait has failed; never an expectation of speed */
#define SCALED(n) (SANITIZED ? (n) / 4 : (n))

struct weir {
	pid_t pid; /* 0 once it was reaped */
	char dir[64];
	int log_fd;
	char *log; /* all it has said so far, NUL at the end */
	size_t log_length;
	size_t since; /* searches begin here */
};

/* How a weir is started when the ini is not all. Everything may be zero. */
struct weir_setup {
	const char *module_dir; /* NULL: the in-tree policies */
	const char *hosts;      /* takes the place of /etc/hosts; see harness_can_mount() */
	const char *resolv;     /* takes the place of /etc/resolv.conf */
	unsigned descriptors;   /* its limit, soft and hard */
};

/* Runs the suite, removes what is left. The return value is main's. */
int harness_main(Suite *suite);
TCase *harness_case(Suite *suite, const char *name);
bool harness_can_mount(void); /* may this process give a child files of its own? */
double harness_now(void);     /* seconds */
void harness_tick(void);      /* one poll interval */
void harness_skip(const char *why);

/* Waits until the condition holds, or fails the case. */
#define EVENTUALLY_WITHIN(seconds, condition)                                                                          \
	do {                                                                                                           \
		double until_ = harness_now() + (seconds);                                                             \
		while (!(condition)) {                                                                                 \
			ck_assert_msg(harness_now() < until_, "not within %g s: %s", (double)(seconds), #condition);   \
			harness_tick();                                                                                \
		}                                                                                                      \
	} while (0)
#define EVENTUALLY(condition) EVENTUALLY_WITHIN(PATIENCE, condition)

/*
 * Starts weir with this ini (a printf format) and returns when it says that it is ready; any other outcome fails the
 * case. weir_stop() or weir_kill() gives it back.
 */
struct weir *weir_start(const char *ini, ...) __attribute__((format(printf, 1, 2)));
struct weir *weir_start_as(const struct weir_setup *setup, const char *ini, ...) __attribute__((format(printf, 2, 3)));

/* SIGTERM; asserts that it ends with status 0 and that no sanitizer complained. Frees it. */
void weir_stop(struct weir *weir);
/* Waits for the end that somebody else asked for; asserts the same, frees it. */
void weir_wait_end(struct weir *weir);
void weir_signal(const struct weir *weir, int signal);
bool weir_ended(struct weir *weir); /* asserts status 0 when it has */
void weir_kill(struct weir *weir);  /* SIGKILL, frees it */

unsigned weir_port(struct weir *weir, const char *listener); /* of its first IPv4 address */
unsigned weir_port6(struct weir *weir, const char *listener);

/* ---- the log ------------------------------------------------------------------------------------------------------ */

/* The first line that matches the extended regular expression, NULL if there is none yet. Valid for some calls. */
const char *weir_find(struct weir *weir, const char *regex);
const char *weir_wait(struct weir *weir, const char *regex); /* waits for it */
unsigned weir_count(struct weir *weir, const char *regex);   /* matching lines so far */
void weir_mark(struct weir *weir);                           /* searches begin at what comes from now on */

/* The access line of the session of this client, waited for. */
const char *weir_access(struct weir *weir, unsigned client_port);

/* Asks for the status (SIGUSR1): number of sessions, and the line of one client's session or NULL. */
unsigned weir_sessions(struct weir *weir);
const char *weir_status(struct weir *weir, unsigned client_port);

/* A field of an access or status line. A missing field fails the case. */
const char *field(const char *line, const char *key);
uint64_t field_number(const char *line, const char *key);
double field_seconds(const char *line, const char *key);
/* Asserts that the line says close=reason. */
void assert_closed(const char *access, const char *reason);

/* ---- figures ------------------------------------------------------------------------------------------------------ */

double weir_cpu(const struct weir *weir); /* seconds of CPU, all threads */
unsigned weir_descriptors(const struct weir *weir);
/* The RLIMIT_NOFILE that leaves it so many more than it has now. */
unsigned weir_descriptor_limit(const struct weir *weir, unsigned spare);
uint64_t weir_memory(const struct weir *weir); /* resident bytes */

/* Payload bytes in the kernel's queues of weir's socket with these ports (0: any). False if it has no such socket. */
struct queues {
	uint64_t unread; /* receive queue */
	uint64_t unsent; /* send queue, unacknowledged included */
};
bool weir_queues(const struct weir *weir, unsigned local_port, unsigned remote_port, struct queues *queues);

/* A copy of weir's descriptor of that socket, to look at its options; -1 if the kernel does not let us. */
int weir_borrow(const struct weir *weir, unsigned local_port, unsigned remote_port);

/* Runs weir with these arguments (the file last) and gives what it printed on stdout. */
const char *weir_print(const char *option, const char *ini);

/* Directory of this program's files; a new path in it, static. */
const char *harness_path(const char *name);

#endif
