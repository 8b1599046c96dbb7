/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bad_major - speaks another major of the ABI, and is wrong behind that, too.
 */
#include "sound.h"

SOUND_BUT("bad_major", policy.major = 2; policy.size = 0; policy.ask = NULL)
