/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew_count - what must hold whenever nobody runs.
 */
#include "crew.h"
#include "fake.h"

/* Pages that workers keep for their turns. */
static uint64_t reserved(const struct crew *crew, const struct pool *pool)
{
	uint64_t units = 0;

	for (unsigned i = 0; i < CREW_WORKERS && pool == &crew->game->memory; i++)
		units += crew->workers[i].context.reserve;
	return units;
}

static uint64_t lent_by(const struct crew *crew, const struct pool *pool)
{
	uint64_t lent = reserved(crew, pool);

	for (unsigned i = 0; i < CREW_WORKERS; i++)
		for (unsigned s = 0; s < CREW_SEATS; s++)
			lent += seat_lent(&crew->workers[i].seats[s], pool);
	return lent;
}

/* Nothing is lost, and nothing is there twice. Of a bucket, more may have been used up than is free. */
static void check_pool(void *argument, const struct pool *pool, const char *owner)
{
	const struct crew *crew = argument;
	uint64_t lent = lent_by(crew, pool);
	int64_t free = pool_free(pool);
	int64_t all = (int64_t)lent + free;

	if (!pool->capped) {
		MUST(all == (int64_t)pool->size, "pool %s of %s has %u units: %llu are leased, %lld free", pool->name,
			owner, pool->size, (unsigned long long)lent, (long long)free);
		return;
	}
	MUST(lent == atomic_load(&pool->out), "bucket %s of %s: %llu units are leased, %u are out", pool->name, owner,
		(unsigned long long)lent, atomic_load(&pool->out));
	MUST(all <= (int64_t)pool->size, "bucket %s of %s holds %u units: %llu are leased, %lld free", pool->name,
		owner, pool->size, (unsigned long long)lent, (long long)free);
}

static void check_over(void *argument, const struct pool *pool, const char *owner)
{
	uint64_t lent = lent_by(argument, pool) - reserved(argument, pool);

	check_pool(argument, pool, owner);
	MUST(pool_waiters(pool) == 0, "%u wait in pool %s of %s, and all sessions are over", pool_waiters(pool),
		pool->name, owner);
	MUST(lent == 0, "%llu units of pool %s of %s are leased, and all sessions are over", (unsigned long long)lent,
		pool->name, owner);
}

/* No cap is ever exceeded, whatever happens how late. */
static void check_cap(const struct crew *crew, int direction)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < CREW_WORKERS; i++)
		for (unsigned s = 0; s < CREW_SEATS; s++)
			bytes += seat_in_flight(&crew->workers[i].seats[s], direction);
	MUST(crew->game->cap == 0 || bytes <= crew->game->cap, "%llu bytes are in flight, and %llu may be",
		(unsigned long long)bytes, (unsigned long long)crew->game->cap);
}

static void check_floors(const struct crew *crew)
{
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		for (unsigned s = 0; s < CREW_SEATS; s++)
			seat_check_floors(&crew->workers[i].seats[s]);
}

void crew_count(const struct crew *crew)
{
	game_pools(crew->game, check_pool, (void *)crew);
	check_floors(crew);
	check_cap(crew, WEIR_UP);
	check_cap(crew, WEIR_DOWN);
}

void crew_count_over(const struct crew *crew)
{
	game_pools(crew->game, check_over, (void *)crew);
}
