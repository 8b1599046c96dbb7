/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * depot - blocks of one size for one thread, whose memory goes back to the system when they do.
 *
 * Held bytes come and go by hundreds of megabytes, and in no order: a general allocator keeps what lies below the last
 * block in use. Here blocks are cut from chunks, and a block finds its chunk by its address:
 *
 *     DEPOT_CHUNK, aligned to itself
 *     [header|block 1|block 2|block 3| ... |last]     blocks are aligned to their size
 *              used    warm    cold          fresh    warm: returned, its pages still there; cold: returned, pages gone
 *
 * Nothing is written into blocks, neither never used ones nor returned ones: what has not been in use has no pages.
 *
 * What lies idle is as much as what is in use, and one chunk, at most; beyond that, empty chunks are unmapped and warm
 * blocks made cold. The second, because one block in use keeps its chunk mapped, and the few that stay in use may be
 * spread over all chunks of the peak. So, with a page for each chunk's header,
 *
 *     resident <= 2 * in use + 1 MiB + chunks * 4 KiB, and never more than the peak rounded up to whole chunks
 *
 * Mapped is at most the peak, rounded up, too, as long as the blocks in use lie that badly. And there is no system call
 * while all fits into one chunk, or while at least half of the most stays in use. (Where the system's pages are larger
 * than a block, nothing is made cold.)
 */
#ifndef DEPOT_H
#define DEPOT_H

#include <stddef.h>
#include <sys/queue.h>

#define DEPOT_CHUNK ((size_t)1 << 20)
#define DEPOT_BLOCK_MIN ((size_t)4096)
#define DEPOT_BLOCK_MAX (DEPOT_CHUNK / 4)

struct chunk;

/* All zero: nothing to destroy. */
struct depot {
	size_t block_size;
	unsigned chunk_blocks; /* that a chunk has */
	TAILQ_HEAD(depot_list, chunk) lists[2];
	size_t chunks;
	size_t empty; /* of them: without a block in use */
	size_t used;  /* blocks */
	size_t warm;
};

/* block_size: a power of two from DEPOT_BLOCK_MIN to DEPOT_BLOCK_MAX. Maps nothing yet. */
void depot_init(struct depot *depot, size_t block_size);
void depot_destroy(struct depot *depot); /* every block must be back */

/* A block with anything in it, or NULL when memory is short. */
void *depot_take(struct depot *depot) __attribute__((warn_unused_result));
void depot_put(struct depot *depot, void *block); /* one of this depot's */

size_t depot_mapped(const struct depot *depot); /* bytes */

#endif
