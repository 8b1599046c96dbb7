/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * depot - chunks, each with a stack of returned blocks and a mark behind which none was ever used.
 */
#include "depot.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

/*
 * A full chunk that gets a block back goes to the front of those with room, and blocks are taken from the front. So the
 * front is nearly full, and the farther behind a chunk stands, the longer it has had to become empty; those that are
 * empty come last. Chunks with warm blocks stand in the order in which they got the first; the oldest cools first.
 */
enum list { WITH_ROOM, WITH_WARM, LISTS };

struct chunk {
	struct depot *depot;
	TAILQ_ENTRY(chunk) links[LISTS];
	uint16_t used;   /* blocks */
	uint16_t ever;   /* blocks up to this number have been in use */
	uint16_t warm;   /* so many on top of the stack are warm, all below are cold */
	uint16_t top;    /* of the stack of returned blocks; 0: none, the header's place */
	uint16_t next[]; /* by number: the one below it in the stack */
};

static_assert(sizeof(struct chunk) + DEPOT_CHUNK / DEPOT_BLOCK_MIN * sizeof(uint16_t) <= DEPOT_BLOCK_MIN,
	"the header fits into the place of one block");

/* ---- chunks -------------------------------------------------------------------------------------------------------- */

/* Maps twice as much, and keeps its last aligned chunk: mappings grow downwards, so chunks become neighbours. */
static struct chunk *chunk_map(void)
{
	/* cppcheck-suppress invalidFunctionArg; what mmap(2) asks for */
	char *begin = mmap(NULL, 2 * DEPOT_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;
	char *chunk;

	if (begin == MAP_FAILED)
		return NULL;
	before = DEPOT_CHUNK - (uintptr_t)begin % DEPOT_CHUNK;
	chunk = begin + before;
	munmap(begin, before);
	if (before < DEPOT_CHUNK)
		munmap(chunk + DEPOT_CHUNK, DEPOT_CHUNK - before);
	(void)madvise(chunk, DEPOT_CHUNK, MADV_NOHUGEPAGE); /* one block must not cost as many pages as all do */
	return (struct chunk *)chunk;
}

static struct chunk *chunk_new(struct depot *depot)
{
	struct chunk *chunk = chunk_map();

	if (chunk == NULL)
		return NULL;
	chunk->depot = depot; /* the rest is zero */
	ASAN_POISON_MEMORY_REGION((char *)chunk + depot->block_size, DEPOT_CHUNK - depot->block_size);
	TAILQ_INSERT_HEAD(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
	depot->chunks++;
	depot->empty++;
	return chunk;
}

static void chunk_free(struct depot *depot, struct chunk *chunk)
{
	assert(chunk != NULL && chunk->used == 0);
	TAILQ_REMOVE(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
	if (chunk->warm > 0)
		TAILQ_REMOVE(&depot->lists[WITH_WARM], chunk, links[WITH_WARM]);
	depot->warm -= chunk->warm;
	depot->chunks--;
	depot->empty--;
	ASAN_UNPOISON_MEMORY_REGION(chunk, DEPOT_CHUNK); /* whoever is given these addresses next */
	munmap(chunk, DEPOT_CHUNK);
}

static struct chunk *chunk_of(void *block)
{
	return (struct chunk *)((char *)block - (uintptr_t)block % DEPOT_CHUNK);
}

static char *block_at(const struct depot *depot, struct chunk *chunk, unsigned number)
{
	return (char *)chunk + number * depot->block_size;
}

/* Gives the pages of its warm blocks back; neighbours that lie beside each other in the stack, too, at once. */
static void chunk_cool(struct depot *depot, struct chunk *chunk)
{
	unsigned number = chunk->top;
	unsigned left = chunk->warm;
	bool whole_pages = depot->block_size % (size_t)sysconf(_SC_PAGESIZE) == 0;

	TAILQ_REMOVE(&depot->lists[WITH_WARM], chunk, links[WITH_WARM]);
	depot->warm -= chunk->warm;
	chunk->warm = 0;
	while (left > 0 && whole_pages) {
		unsigned first = number;
		unsigned last = number;

		for (number = chunk->next[number], left--; left > 0; number = chunk->next[number], left--) {
			if (number == last + 1)
				last++;
			else if (number == first - 1)
				first--;
			else
				break;
		}
		(void)madvise(block_at(depot, chunk, first), (last - first + 1) * depot->block_size, MADV_DONTNEED);
	}
}

/* No block of it is in use any more: it goes behind all that have some. */
static void chunk_retire(struct depot *depot, struct chunk *chunk)
{
	depot->empty++;
	TAILQ_REMOVE(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
	TAILQ_INSERT_TAIL(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
}

/* ---- the depot ----------------------------------------------------------------------------------------------------- */

void depot_init(struct depot *depot, size_t block_size)
{
	assert(block_size >= DEPOT_BLOCK_MIN && block_size <= DEPOT_BLOCK_MAX && (block_size & (block_size - 1)) == 0);
	memset(depot, 0, sizeof(*depot));
	TAILQ_INIT(&depot->lists[WITH_ROOM]);
	TAILQ_INIT(&depot->lists[WITH_WARM]);
	depot->block_size = block_size;
	depot->chunk_blocks = (unsigned)(DEPOT_CHUNK / block_size) - 1;
}

void depot_destroy(struct depot *depot)
{
	assert(depot->used == 0);
	while (depot->empty > 0)
		chunk_free(depot, TAILQ_LAST(&depot->lists[WITH_ROOM], depot_list));
	assert(depot->chunks == 0 && depot->warm == 0);
	memset(depot, 0, sizeof(*depot));
}

void *depot_take(struct depot *depot)
{
	struct chunk *chunk = TAILQ_FIRST(&depot->lists[WITH_ROOM]);
	unsigned number;
	char *block;

	if (chunk == NULL)
		chunk = chunk_new(depot);
	if (chunk == NULL)
		return NULL;
	number = chunk->top;
	if (number == 0) {
		number = ++chunk->ever;
	} else {
		chunk->top = chunk->next[number];
		if (chunk->warm > 0) {
			depot->warm--;
			if (--chunk->warm == 0)
				TAILQ_REMOVE(&depot->lists[WITH_WARM], chunk, links[WITH_WARM]);
		}
	}
	depot->used++;
	depot->empty -= chunk->used == 0;
	if (++chunk->used == depot->chunk_blocks)
		TAILQ_REMOVE(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
	block = block_at(depot, chunk, number);
	ASAN_UNPOISON_MEMORY_REGION(block, depot->block_size);
	return block;
}

void depot_put(struct depot *depot, void *block)
{
	struct chunk *chunk = chunk_of(block);
	unsigned number = (unsigned)((uintptr_t)block % DEPOT_CHUNK / depot->block_size);

	assert(chunk->depot == depot && chunk->used > 0 && block == block_at(depot, chunk, number));
	ASAN_POISON_MEMORY_REGION(block, depot->block_size);
	chunk->next[number] = chunk->top;
	chunk->top = (uint16_t)number;
	depot->warm++;
	if (chunk->warm++ == 0)
		TAILQ_INSERT_HEAD(&depot->lists[WITH_WARM], chunk, links[WITH_WARM]);
	if (chunk->used-- == depot->chunk_blocks)
		TAILQ_INSERT_HEAD(&depot->lists[WITH_ROOM], chunk, links[WITH_ROOM]);
	depot->used--;
	if (chunk->used == 0)
		chunk_retire(depot, chunk);
	while (depot->empty * depot->chunk_blocks > depot->used + depot->chunk_blocks)
		chunk_free(depot, TAILQ_LAST(&depot->lists[WITH_ROOM], depot_list));
	while (depot->warm > depot->used + depot->chunk_blocks)
		chunk_cool(depot, TAILQ_LAST(&depot->lists[WITH_WARM], depot_list));
}

size_t depot_mapped(const struct depot *depot)
{
	return depot->chunks * DEPOT_CHUNK;
}
