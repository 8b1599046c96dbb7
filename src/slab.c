/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab - chunks of slots, and a stack of the free ones.
 */
#include "slab.h"

#include <stdlib.h>
#include <string.h>

int slab_init(struct slab *slab, size_t slot_size, void (*init)(void *slot, uint32_t number, void *argument),
	void *argument)
{
	memset(slab, 0, sizeof(*slab));
	slab->slot_size = slot_size;
	slab->init = init;
	slab->argument = argument;
	slab->chunks = calloc(SLAB_CHUNKS_MAX, sizeof(*slab->chunks));
	return slab->chunks == NULL ? -1 : 0;
}

void slab_destroy(struct slab *slab)
{
	for (uint32_t i = 0; i < slab->chunk_count; i++)
		free(atomic_load_explicit(&slab->chunks[i], memory_order_relaxed));
	free(slab->chunks);
	free(slab->free);
	memset(slab, 0, sizeof(*slab));
}

static int grow(struct slab *slab)
{
	uint32_t first = slab->chunk_count * SLAB_CHUNK;
	uint32_t *numbers;
	char *chunk;

	if (slab->chunk_count == SLAB_CHUNKS_MAX)
		return -1;
	numbers = realloc(slab->free, ((size_t)first + SLAB_CHUNK) * sizeof(*numbers));
	if (numbers == NULL)
		return -1;
	slab->free = numbers;
	chunk = malloc(SLAB_CHUNK * slab->slot_size);
	if (chunk == NULL)
		return -1;
	for (uint32_t i = 0; i < SLAB_CHUNK; i++) {
		slab->init(chunk + i * slab->slot_size, first + i, slab->argument);
		slab->free[slab->free_count++] = first + SLAB_CHUNK - 1 - i; /* the lowest is taken first */
	}
	atomic_store_explicit(&slab->chunks[slab->chunk_count++], chunk, memory_order_release);
	return 0;
}

void *slab_take(struct slab *slab, uint32_t *number)
{
	if (slab->free_count == 0 && grow(slab) != 0)
		return NULL;
	*number = slab->free[--slab->free_count];
	return slab_at(slab, *number);
}

void slab_put(struct slab *slab, uint32_t number)
{
	slab->free[slab->free_count++] = number;
}

void *slab_at(const struct slab *slab, uint32_t number)
{
	char *chunk;

	if (number >= SLAB_CHUNK * SLAB_CHUNKS_MAX)
		return NULL;
	chunk = atomic_load_explicit(&slab->chunks[number / SLAB_CHUNK], memory_order_acquire);
	return chunk == NULL ? NULL : chunk + number % SLAB_CHUNK * slab->slot_size;
}

uint32_t slab_end(const struct slab *slab)
{
	return slab->chunk_count * SLAB_CHUNK;
}
