/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness - starts, reads and stops weir processes; see harness.h.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char base[] = "/tmp/weir-e2e-XXXXXX";
static pid_t runner; /* the process that runs the suite */

double harness_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void harness_tick(void)
{
	poll(NULL, 0, 2);
}

void harness_skip(const char *why)
{
	fprintf(stderr, "# skipped: %s\n", why);
}

const char *harness_path(const char *name)
{
	static unsigned count;
	static char path[128];

	snprintf(path, sizeof(path), "%s/%d-%u-%s", base, (int)getpid(), count++, name);
	return path;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	ck_assert_msg(value != NULL && value[0] == '/', "%s must be in the environment, as an absolute path", name);
	return value;
}

/* ---- the program --------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int show_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	char line[2048];
	const char *name = path + walk->base;
	FILE *file;
	long skip = 0;

	if (kind != FTW_F || (strcmp(name, "log") != 0 && strcmp(name, "weir.ini") != 0))
		return 0;
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (status->st_size > 16384)
		skip = (long)status->st_size - 16384;
	printf("# ---- left behind by a case that failed: %s\n", path);
	if (skip > 0 && fseek(file, skip, SEEK_SET) == 0 && fgets(line, sizeof(line), file) != NULL)
		printf("# ...\n");
	while (fgets(line, sizeof(line), file) != NULL)
		printf("#   %s%s", line, strchr(line, '\n') == NULL ? "\n" : "");
	fclose(file);
	return 0;
}

static void clean_up(void)
{
	if (getpid() != runner)
		return;
	nftw(base, show_one, 16, FTW_PHYS);
	nftw(base, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* Outlives the runner and all its cases, however they end, and removes what they could not. */
static int janitor_start(void)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		while (read(ends[0], &byte, 1) == -1 && errno == EINTR)
			;
		nftw(base, remove_one, 16, FTW_PHYS | FTW_DEPTH);
		_exit(0);
	}
	close(ends[0]); /* the other end stays open as long as there is anybody */
	return pid > 0 ? 0 : -1;
}

int harness_main(Suite *suite)
{
	SRunner *suites = srunner_create(suite);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	runner = getpid();
	if (mkdtemp(base) == NULL || janitor_start() == -1 || atexit(clean_up) != 0) {
		printf("Bail out! cannot begin: %s\n", strerror(errno));
		return 1;
	}
	srunner_run_all(suites, CK_ENV);
	srunner_free(suites);
	return 0;
}

static void case_begin(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

TCase *harness_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 6 * PATIENCE);
	tcase_add_checked_fixture(tcase, case_begin, NULL);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* ---- the child's own files ----------------------------------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

static int enter_namespace(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0 && unshare(CLONE_NEWNS) == 0)
		return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1 || write_file("/proc/self/setgroups", "deny") == -1)
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (write_file("/proc/self/uid_map", map) == -1)
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (write_file("/proc/self/gid_map", map) == -1)
		return -1;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

bool harness_can_mount(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter_namespace() == 0 && mount("/dev/null", "/etc/hosts", NULL, MS_BIND, NULL) == 0 ? 0 : 1);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- start --------------------------------------------------------------------------------------------------------- */

static void path_in(const struct weir *weir, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", weir->dir, name);
}

static void replace_file(const struct weir *weir, const char *name, const char *text, const char *target)
{
	char path[128];

	if (text == NULL)
		return;
	path_in(weir, name, path);
	if (write_file(path, text) == -1 || mount(path, target, NULL, MS_BIND, NULL) == -1)
		_exit(126);
}

static void child_exec(const struct weir *weir, const struct weir_setup *setup, const char *program,
	const char *module_dir)
{
	char ini[128];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	path_in(weir, "weir.ini", ini);
	if ((setup->hosts != NULL || setup->resolv != NULL) && enter_namespace() == -1)
		_exit(126);
	replace_file(weir, "hosts", setup->hosts, "/etc/hosts");
	replace_file(weir, "resolv.conf", setup->resolv, "/etc/resolv.conf");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setup->descriptors != 0) {
		struct rlimit limit = {setup->descriptors, setup->descriptors};

		setrlimit(RLIMIT_NOFILE, &limit);
	}
	unsetenv("JOURNAL_STREAM");
	unsetenv("NOTIFY_SOCKET");
	if (null == -1 || dup2(null, 0) == -1 || dup2(weir->log_fd, 1) == -1 || dup2(weir->log_fd, 2) == -1)
		_exit(126);
	execl(program, "weir", "-f", ini, "--module-dir", module_dir, (char *)NULL);
	_exit(127);
}

static __attribute__((format(printf, 1, 0))) struct weir *weir_new(const char *ini, va_list args)
{
	struct weir *weir = calloc(1, sizeof(*weir));
	char path[128];
	FILE *file;

	ck_assert_ptr_nonnull(weir);
	snprintf(weir->dir, sizeof(weir->dir), "%s/XXXXXX", base);
	ck_assert_msg(mkdtemp(weir->dir) != NULL, "mkdtemp: %s", strerror(errno));
	path_in(weir, "weir.ini", path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	vfprintf(file, ini, args);
	fclose(file);
	path_in(weir, "log", path);
	weir->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	ck_assert_int_ge(weir->log_fd, 0);
	return weir;
}

static __attribute__((format(printf, 2, 0))) struct weir *weir_run(const struct weir_setup *setup, const char *ini,
	va_list args)
{
	struct weir *weir = weir_new(ini, args);
	const char *program = environment("WEIR");
	const char *module_dir = setup->module_dir != NULL ? setup->module_dir : environment("WEIR_POLICIES");

	weir->pid = fork();
	ck_assert_msg(weir->pid >= 0, "fork: %s", strerror(errno));
	if (weir->pid == 0)
		child_exec(weir, setup, program, module_dir);
	weir_wait(weir, " ready: ");
	return weir;
}

struct weir *weir_start_as(const struct weir_setup *setup, const char *ini, ...)
{
	struct weir *weir;
	va_list args;

	va_start(args, ini);
	weir = weir_run(setup, ini, args);
	va_end(args);
	return weir;
}

struct weir *weir_start(const char *ini, ...)
{
	struct weir_setup setup = {0};
	struct weir *weir;
	va_list args;

	va_start(args, ini);
	weir = weir_run(&setup, ini, args);
	va_end(args);
	return weir;
}

const char *weir_print(const char *option, const char *ini)
{
	static char text[16384];
	char command[512];
	char path[128];
	FILE *pipe;
	size_t n;

	snprintf(path, sizeof(path), "%s", harness_path("print.ini"));
	ck_assert_int_eq(write_file(path, ini), 0);
	snprintf(command, sizeof(command), "%s --module-dir %s %s -f %s", environment("WEIR"),
		environment("WEIR_POLICIES"), option, path);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = '\0';
	ck_assert_msg(pclose(pipe) == 0, "%s failed", command);
	unlink(path);
	return text;
}

/* ---- stop ---------------------------------------------------------------------------------------------------------- */

static void weir_free(struct weir *weir)
{
	weir->since = 0;
	ck_assert_msg(weir_find(weir, "Sanitizer|runtime error:") == NULL, "a sanitizer complains: %s",
		weir_find(weir, "Sanitizer|runtime error:"));
	close(weir->log_fd);
	free(weir->log);
	nftw(weir->dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	free(weir);
}

bool weir_ended(struct weir *weir)
{
	int status = 0;
	pid_t pid;

	if (weir->pid == 0)
		return true;
	pid = waitpid(weir->pid, &status, WNOHANG);
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		return false;
	weir->pid = 0;
	ck_assert_msg(!WIFSIGNALED(status), "weir died of signal %d", WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == 0, "weir ended with status %d", WEXITSTATUS(status));
	return true;
}

void weir_wait_end(struct weir *weir)
{
	EVENTUALLY(weir_ended(weir));
	weir_free(weir);
}

void weir_stop(struct weir *weir)
{
	ck_assert_msg(!weir_ended(weir), "weir ended by itself");
	weir_signal(weir, SIGTERM);
	weir_wait_end(weir);
}

void weir_signal(const struct weir *weir, int signal)
{
	ck_assert_int_gt(weir->pid, 0);
	ck_assert_int_eq(kill(weir->pid, signal), 0);
}

void weir_kill(struct weir *weir)
{
	weir_signal(weir, SIGKILL);
	waitpid(weir->pid, NULL, 0);
	weir->pid = 0;
	weir_free(weir);
}
