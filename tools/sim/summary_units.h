/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary_units - numbers as people read them, three digits of each. Integers all the way: the same text everywhere.
 */
#ifndef SUMMARY_UNITS_H
#define SUMMARY_UNITS_H

#include <stdint.h>

#define SUMMARY_UNITS_MAX 32

/* All fill buffer and return it. */
const char *summary_bytes(char buffer[SUMMARY_UNITS_MAX], uint64_t bytes);                  /* 48.2K */
const char *summary_rate(char buffer[SUMMARY_UNITS_MAX], uint64_t bytes);                   /* 48.2K/s */
const char *summary_time(char buffer[SUMMARY_UNITS_MAX], uint64_t ns);                      /* 1.25ms */
const char *summary_percent(char buffer[SUMMARY_UNITS_MAX], uint64_t part, uint64_t whole); /* 33.3% */
const char *summary_thousandths(char buffer[SUMMARY_UNITS_MAX], uint64_t thousandths);      /* 12.345 */

#endif
