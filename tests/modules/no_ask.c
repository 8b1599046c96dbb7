/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * no_ask - lacks the one callback that all need.
 */
#include "sound.h"

SOUND_BUT("no_ask", policy.ask = NULL)
