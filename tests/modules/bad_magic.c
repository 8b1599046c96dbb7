/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bad_magic - is no policy of weir's, by its first field.
 */
#include "sound.h"

SOUND_BUT("bad_magic", policy.magic = UINT32_C(0x12345678))
