/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bad_size - ends before the fields that every module has, and ask is not read.
 */
#include "sound.h"

SOUND_BUT("bad_size", policy.size = offsetof(struct weir_policy, ask); policy.ask = NULL)
