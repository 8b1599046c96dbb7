/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standing_memory - the pages of one flow: on the worker's account for the length of a turn, then leased, or queued for.
 */
#include <assert.h>

#include "least.h"
#include "standing.h"

/* Whether so many pages are the flow's, or could become so from the worker's reserve; fills that up first if need be. */
static bool covered(struct standing *standing, uint32_t pages)
{
	struct context *context = standing->owner->context;
	uint32_t have = standing->memory + STANDING_FLOOR;

	if (pages <= have + context->reserve)
		return true;
	if (context->reserve < context->reserve_max)
		context->reserve += pool_take(context->memory, 1, context->reserve_max - context->reserve);
	return pages <= have + context->reserve;
}

uint64_t standing_memory(struct standing *standing, const struct store *store, uint64_t length)
{
	struct pool *memory = standing->owner->context->memory;
	uint32_t need = store->pages + store_pages_for(store, length);
	uint32_t have;
	uint32_t worth; /* the smallest grant worth waiting for */
	uint32_t got = 0;

	if (covered(standing, need))
		return length;
	have = standing->memory + STANDING_FLOOR + standing->owner->context->reserve;
	worth = least(least(need - have, STORE_SEGMENT_PAGES), memory->size);
	if (worth > 0)
		got = pool_take(memory, worth, need - have);
	standing->memory += got;
	if (got == need - have)
		return length;
	if (got == 0 && worth > 0) /* instead of for units that are only wanted: without needed ones, nothing is read */
		standing_queue(standing, STANDING_READING, standing->owner->stack->claim_count, memory, worth, worth);
	return least(length, store_fits(store, have + got - store->pages));
}

bool standing_spare(struct standing *standing, const struct store *store, uint32_t pages)
{
	uint32_t need = store->pages + pages;
	uint32_t have = standing->memory + STANDING_FLOOR;
	uint32_t got;

	if (covered(standing, need))
		return true;
	got = pool_take(standing->owner->context->memory, need - have, need - have);
	standing->memory += got;
	return got > 0;
}

void standing_trim(struct standing *standing, const struct store *store)
{
	struct context *context = standing->owner->context;
	uint32_t used = store->pages > STANDING_FLOOR ? store->pages - STANDING_FLOOR : 0;
	uint32_t missing;

	if (used <= standing->memory) {
		pool_put(context->memory, standing->memory - used);
		standing->memory = used;
		return;
	}
	missing = used - standing->memory;
	standing->memory = used;
	if (pool_take(context->memory, missing, missing) > 0)
		return;
	assert(missing <= context->reserve);
	context->reserve -= missing;
}
