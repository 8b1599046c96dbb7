/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * no_scan - wants to be shown bytes, and has nothing to look at them with.
 */
#include "sound.h"

SOUND_BUT("no_scan", policy.needs = WEIR_NEED_SCAN)
