/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_table - the option tables of weir's own sections: every key, its default, range and meaning, said once.
 */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "weir/policy.h"

extern const struct weir_option config_weir_table[];     /* struct config_weir */
extern const struct weir_option config_upstream_table[]; /* struct config_upstream */
extern const struct weir_option config_listener_table[]; /* struct config_listener */

#define CONFIG_TABLE_STRIDE sizeof(struct weir_option)

#endif
