/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * container - from a field back to the struct that it is embedded in.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stddef.h>

#define CONTAINER(pointer, type, field) ((type *)((char *)(pointer)-offsetof(type, field)))

#endif
