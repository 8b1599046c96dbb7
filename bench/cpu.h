/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu - the time that processes have spent on a CPU, all their threads together.
 */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>
#include <sys/types.h>

#define CPU_PIDS_MAX 16

struct cpu {
	unsigned n;
	pid_t pids[CPU_PIDS_MAX];
};

/* "12,34"; -1 if it is anything else. */
__attribute__((warn_unused_result)) int cpu_parse(struct cpu *cpu, const char *list);

/* Nanoseconds so far, 0 of no process at all; -1 with errno if one cannot be read. */
__attribute__((warn_unused_result)) int cpu_read(const struct cpu *cpu, uint64_t *ns);

#endif
