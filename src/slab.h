/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab - slots of one size, numbered, never moved, and not given back before the slab's end.
 *
 * So a number found in an old reference always leads to memory of the right kind, from any thread: whether what lies
 * there is still what was meant, the slot itself must tell. Taking and putting back is its owner thread's.
 */
#ifndef SLAB_H
#define SLAB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SLAB_CHUNK 64 /* slots allocated at once */
#define SLAB_CHUNKS_MAX 16384
#define SLAB_NONE UINT32_MAX

struct slab {
	size_t slot_size;
	void (*init)(void *slot, uint32_t number, void *argument); /* once for each slot, before its first use */
	void *argument;
	_Atomic(char *) *chunks; /* SLAB_CHUNKS_MAX of them; NULL behind chunk_count */
	uint32_t chunk_count;
	uint32_t free; /* number of the first free slot, whose chunk has the next one's; SLAB_NONE: there is none */
};

int slab_init(struct slab *slab, size_t slot_size, void (*init)(void *slot, uint32_t number, void *argument),
	void *argument) __attribute__((warn_unused_result));
void slab_destroy(struct slab *slab);

/* A slot, or NULL when memory is short or there are SLAB_CHUNK * SLAB_CHUNKS_MAX. */
void *slab_take(struct slab *slab, uint32_t *number) __attribute__((warn_unused_result));
void slab_put(struct slab *slab, uint32_t number);

/* The slot of this number, in use or not; NULL if there never was one. Any thread. */
void *slab_at(const struct slab *slab, uint32_t number);

/* Numbers handed out so far are below this. */
uint32_t slab_end(const struct slab *slab);

#endif
