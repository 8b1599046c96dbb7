/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew - see crew.h.
 */
#include "crew.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fake.h"
#include "host.h"
#include "order.h"

#define STEPS 200   /* of a worker, between two counts */
#define COUNTS 4    /* while sessions live, before all finish */
#define PATIENCE 12 /* seconds in which something must move */
#define RESERVE 4   /* pages that a worker may keep for its turns */
#define LOOK_MS 500 /* how often the watchdog looks */
#define NS_PER_SECOND UINT64_C(1000000000)

/* ---- a worker ------------------------------------------------------------------------------------------------------ */

uint64_t worker_draw(struct worker *worker, uint64_t below)
{
	worker->drawn = worker->drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (worker->drawn >> 20) % below;
}

/* Relaxed: that a session is known here says nothing of what its worker did before. */
void worker_tell(struct worker *worker, const struct weir_ref *ref)
{
	uint64_t name = (uint64_t)ref->worker << 56 | (uint64_t)ref->slot << 32 | ref->generation;

	atomic_store_explicit(&worker->crew->refs[worker_draw(worker, CREW_REFS)], name, memory_order_relaxed);
}

void worker_wake_somebody(struct worker *worker)
{
	uint64_t name = atomic_load_explicit(&worker->crew->refs[worker_draw(worker, CREW_REFS)], memory_order_relaxed);
	struct weir_ref ref = {(uint32_t)(name >> 56), (uint32_t)(name >> 32 & 0xffffff), (uint32_t)name,
		(uint32_t)worker_draw(worker, 2)};

	host.wake(&ref);
}

static struct session *look_up(void *argument, uint32_t worker, uint32_t slot)
{
	struct crew *crew = argument;

	return &crew->workers[worker].seats[slot].session;
}

static void wake(void *argument)
{
	const struct worker *worker = argument;
	uint64_t one = 1;

	(void)!write(worker->wake_fd, &one, sizeof(one));
}

static bool deliver(struct worker *worker)
{
	bool any = false;

	for (unsigned i = 0; i < CREW_SEATS; i++)
		any |= seat_deliver(&worker->seats[i]);
	return any;
}

static uint64_t seats_moved(const struct worker *worker)
{
	uint64_t moved = 0;

	for (unsigned i = 0; i < CREW_SEATS; i++) {
		const struct seat *seat = &worker->seats[i];

		moved += seat->state == SEAT_EMPTY;
		moved += seat->session.generation + seat->client.accepted + seat->client.read;
		moved += seat->server.accepted + seat->server.read;
	}
	return moved;
}

static void run(struct worker *worker, uint64_t now)
{
	unsigned taken = 0;

	(void)!deliver(worker);
	sched_run(&worker->sched, now);
	for (unsigned i = 0; i < CREW_SEATS; i++)
		taken += worker->seats[i].state != SEAT_EMPTY;
	atomic_store_explicit(&worker->taken, taken, memory_order_relaxed);
	atomic_store_explicit(&worker->moved, seats_moved(worker), memory_order_relaxed);
}

static void play(struct worker *worker)
{
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t now = clock_now();

		seat_play(&worker->seats[worker_draw(worker, CREW_SEATS)], now);
		run(worker, now);
	}
}

/* Sleeps until there is something to do. */
static void rest(struct worker *worker)
{
	struct pollfd woken = {.fd = worker->wake_fd, .events = POLLIN};
	uint64_t at = sched_deadline(&worker->sched);
	uint64_t now = clock_now();
	uint64_t count;

	if (deliver(worker) || sched_busy(&worker->sched) || at <= now)
		return;
	if (poll(&woken, 1, at == WEIR_NEVER ? -1 : (int)((at - now) / 1000000) + 1) > 0)
		(void)!read(worker->wake_fd, &count, sizeof(count));
}

static void wake_all(struct crew *crew)
{
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		sched_poke(&crew->workers[i].sched);
}

/* Until all have finished: what others wait for may be here, a bucket's timer above all. */
static void finish(struct worker *worker)
{
	struct crew *crew = worker->crew;
	bool finished = false;

	while (atomic_load(&crew->finished) < CREW_WORKERS || sched_busy(&worker->sched)) {
		uint64_t before = atomic_load_explicit(&worker->moved, memory_order_relaxed);
		uint64_t now = clock_now();

		for (unsigned i = 0; i < CREW_SEATS; i++)
			seat_finish(&worker->seats[i], now);
		run(worker, now);
		if (!finished && atomic_load_explicit(&worker->taken, memory_order_relaxed) == 0) {
			finished = true;
			if (atomic_fetch_add(&crew->finished, 1) + 1 == CREW_WORKERS)
				wake_all(crew);
		}
		if (before == atomic_load_explicit(&worker->moved, memory_order_relaxed)) /* else peers may react */
			rest(worker);
	}
}

/* Stops, and waits for the next phase. */
static enum crew_phase next_phase(struct crew *crew)
{
	enum crew_phase phase;
	unsigned number;

	pthread_mutex_lock(&crew->lock);
	number = crew->number;
	if (++crew->waiting == CREW_WORKERS)
		pthread_cond_signal(&crew->stopped);
	while (crew->number == number)
		pthread_cond_wait(&crew->begun, &crew->lock);
	phase = crew->phase;
	pthread_mutex_unlock(&crew->lock);
	return phase;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	enum crew_phase phase;

	order_worker(worker->number);
	while ((phase = next_phase(worker->crew)) != CREW_STOP) {
		if (phase == CREW_PLAY)
			play(worker);
		else
			finish(worker);
	}
	return NULL;
}

static void worker_begin(struct crew *crew, unsigned number)
{
	struct worker *worker = &crew->workers[number];

	worker->crew = crew;
	worker->game = crew->game;
	worker->number = number;
	worker->drawn = clock_now() + number;
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	MUST(worker->wake_fd >= 0, "eventfd: %s", strerrordesc_np(errno));
	sched_init(&worker->sched, clock_now(), wake, worker);
	store_depots_init(&worker->depots);
	worker->context = (struct context){
		.sched = &worker->sched,
		.memory = &crew->game->memory,
		.host = &host,
		.scratch = malloc(CONTEXT_SCRATCH),
		.reserve_max = RESERVE,
		.depots = &worker->depots,
		.scopes = &crew->game->scopes,
		.worker = number,
	};
	MUST(worker->context.scratch != NULL, "no memory");
	for (unsigned i = 0; i < CREW_SEATS; i++)
		seat_init(&worker->seats[i], worker, i);
}

static void worker_end(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	pool_put(&worker->game->memory, worker->context.reserve);
	store_depots_destroy(&worker->depots);
	free(worker->context.scratch);
	close(worker->wake_fd);
}

/* ---- the watchdog -------------------------------------------------------------------------------------------------- */

static void complain(void *argument, const struct pool *pool, const char *owner)
{
	(void)argument;
	if (pool_waiters(pool) > 0)
		fprintf(stderr, "handoff: pool %s of %s: %u wait, %d of %u units are free\n", pool->name, owner,
			pool_waiters(pool), pool_free(pool), pool->size);
}

static uint64_t moved_by(struct crew *crew)
{
	uint64_t moved = 0;

	for (unsigned i = 0; i < CREW_WORKERS; i++)
		moved += atomic_load_explicit(&crew->workers[i].moved, memory_order_relaxed);
	return moved;
}

static void look(struct crew *crew, uint64_t *moved, uint64_t *moved_at)
{
	uint64_t now = clock_now();
	uint64_t moved_now = moved_by(crew);

	if (moved_now != *moved) {
		*moved = moved_now;
		*moved_at = now;
	}
	if (now - *moved_at < PATIENCE * NS_PER_SECOND)
		return;
	game_pools(crew->game, complain, NULL);
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		fprintf(stderr, "handoff: worker %u has %u sessions left\n", i, atomic_load(&crew->workers[i].taken));
	MUST(false, "nothing has moved for %u seconds: a wake-up is lost", PATIENCE);
}

static struct timespec soon(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += LOOK_MS * 1000000L;
	at.tv_sec += at.tv_nsec / (long)NS_PER_SECOND;
	at.tv_nsec %= (long)NS_PER_SECOND;
	return at;
}

/* Until all workers have stopped. */
static void await(struct crew *crew)
{
	uint64_t moved = UINT64_MAX;
	uint64_t moved_at = 0;

	pthread_mutex_lock(&crew->lock);
	while (crew->waiting < CREW_WORKERS) {
		struct timespec at = soon();

		(void)!pthread_cond_timedwait(&crew->stopped, &crew->lock, &at);
		look(crew, &moved, &moved_at);
	}
	pthread_mutex_unlock(&crew->lock);
}

/* ---- the crew ------------------------------------------------------------------------------------------------------ */

static void let(struct crew *crew, enum crew_phase phase)
{
	pthread_mutex_lock(&crew->lock);
	atomic_store(&crew->finished, 0);
	crew->waiting = 0;
	crew->phase = phase;
	crew->number++;
	pthread_cond_broadcast(&crew->begun);
	pthread_mutex_unlock(&crew->lock);
}

static void play_round(struct crew *crew)
{
	for (unsigned i = 0; i < COUNTS; i++) {
		let(crew, CREW_PLAY);
		await(crew);
		crew_count(crew);
	}
	let(crew, CREW_FINISH);
	await(crew);
	crew_count_over(crew);
}

unsigned crew_play(struct game *game, double seconds)
{
	unsigned rounds = 0;
	static struct crew crew;
	uint64_t end = clock_now() + (uint64_t)(seconds * (double)NS_PER_SECOND);

	crew.game = game;
	pthread_mutex_init(&crew.lock, NULL);
	pthread_cond_init(&crew.stopped, NULL);
	pthread_cond_init(&crew.begun, NULL);
	host_set_lookup(look_up, &crew);
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		worker_begin(&crew, i);
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		MUST(pthread_create(&crew.workers[i].thread, NULL, work, &crew.workers[i]) == 0, "no thread");
	await(&crew);
	do {
		play_round(&crew);
		rounds++;
	} while (clock_now() < end);
	let(&crew, CREW_STOP);
	for (unsigned i = 0; i < CREW_WORKERS; i++)
		worker_end(&crew.workers[i]);
	host_set_lookup(NULL, NULL);
	return rounds;
}
