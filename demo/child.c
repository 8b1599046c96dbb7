/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child - see child.h.
 */
#include "child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define PATIENCE (2 * CLOCK_SECOND)
#define ROUND (20 * CLOCK_MS)

pid_t child_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	sigset_t none;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

bool child_gone(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == pid;
}

/* The second request tells weir to leave its sessions alone. */
void child_end(pid_t *pid)
{
	uint64_t deadline = clock_now() + PATIENCE;

	if (*pid <= 0)
		return;
	while (!child_gone(*pid)) {
		struct timespec round = {.tv_nsec = ROUND};

		kill(*pid, clock_now() < deadline ? SIGTERM : SIGKILL);
		nanosleep(&round, NULL);
	}
	waitpid(*pid, NULL, 0);
	*pid = 0;
}
