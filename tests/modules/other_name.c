/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * other_name - goes by another name than its file.
 */
#include "sound.h"

SOUND_BUT("other_name", policy.name = "watermark")
