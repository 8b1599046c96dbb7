/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - one flat object on one line of stdout, which is how a measure tells its result.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

/* Its first member is "measure". */
void json_begin(const char *measure);
void json_count(const char *name, uint64_t count);
void json_number(const char *name, double number);
void json_end(void);

#endif
