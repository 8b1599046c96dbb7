/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab - chunks of slots, each with the links of a list of the free ones behind them:
 *
 *     [slot 0][slot 1]...[slot 63][next of 0, next of 1, ... next of 63]
 *
 * Nothing is ever moved to grow, so that no holes stay behind in the heap.
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
	slab->free = SLAB_NONE;
	slab->chunks = calloc(SLAB_CHUNKS_MAX, sizeof(*slab->chunks));
	return slab->chunks == NULL ? -1 : 0;
}

void slab_destroy(struct slab *slab)
{
	for (uint32_t i = 0; i < slab->chunk_count; i++)
		free(atomic_load_explicit(&slab->chunks[i], memory_order_relaxed));
	free(slab->chunks);
	memset(slab, 0, sizeof(*slab));
}

static uint32_t *next_of(const struct slab *slab, uint32_t number)
{
	char *chunk = atomic_load_explicit(&slab->chunks[number / SLAB_CHUNK], memory_order_relaxed);

	return (uint32_t *)(chunk + SLAB_CHUNK * slab->slot_size) + number % SLAB_CHUNK;
}

static int grow(struct slab *slab)
{
	uint32_t first = slab->chunk_count * SLAB_CHUNK;
	char *chunk;

	if (slab->chunk_count == SLAB_CHUNKS_MAX)
		return -1;
	chunk = malloc(SLAB_CHUNK * (slab->slot_size + sizeof(uint32_t)));
	if (chunk == NULL)
		return -1;
	for (uint32_t i = 0; i < SLAB_CHUNK; i++)
		slab->init(chunk + i * slab->slot_size, first + i, slab->argument);
	atomic_store_explicit(&slab->chunks[slab->chunk_count++], chunk, memory_order_release);
	for (uint32_t i = SLAB_CHUNK; i-- > 0;) /* the lowest is taken first */
		slab_put(slab, first + i);
	return 0;
}

void *slab_take(struct slab *slab, uint32_t *number)
{
	if (slab->free == SLAB_NONE && grow(slab) != 0)
		return NULL;
	*number = slab->free;
	slab->free = *next_of(slab, *number);
	return slab_at(slab, *number);
}

void slab_put(struct slab *slab, uint32_t number)
{
	*next_of(slab, number) = slab->free;
	slab->free = number;
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
