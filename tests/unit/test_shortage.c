/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When malloc or mmap fails: one session ends, nothing else does, and nothing is lost track of. The linker hands the
 * program's calls to the wrappers below.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "connection.h"
#include "fake.h"
#include "rule.h"
#include "unit.h"

static int patience = -1; /* the allocation, from 1, that fails, and all behind it do; -1: none */
static size_t smallest;   /* allocation that counts: Check needs memory, too */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);

static bool fails(size_t size)
{
	if (size < smallest)
		return false;
	if (patience > 0)
		patience--;
	return patience == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails(size) ? MAP_FAILED : __real_mmap(address, size, protection, flags, fd, offset);
}

static struct world world;
static struct pair pair;
static struct pair bystander;

static void set_up(void)
{
	world_init(&world, 1024);
	pair_init(&pair, &world, NULL);
	pair_init(&bystander, &world, NULL);
	pair_open(&bystander);
	fake_send(&bystander.client, 100);
	world_run(&world);
}

static void tear_down(void)
{
	fake_send(&bystander.client, 100);
	world_run(&world);
	ck_assert_uint_eq(bystander.server.accepted, 200);
	session_close(&bystander.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	world_destroy(&world);
}

static void ask_nothing(const struct weir_call *call, const struct weir_view *view, struct weir_limits *limits)
{
	(void)call;
	(void)view;
	(void)limits;
}

START_TEST(a_session_that_cannot_begin_leaves_the_client_alone)
{
	static const struct stack large = {.state_size = SESSION_ROOM + 1};
	int opened;

	pair.profile.stack = &large;
	patience = 1;
	opened = session_open(&pair.session, &pair.profile, NULL, &pair.client.endpoint, NULL, world.now);
	patience = -1;
	ck_assert_int_eq(opened, -1);
	ck_assert(!pair.client.closed);
	ck_assert_int_eq(pair.session.state, SESSION_FREE);
}
END_TEST

static void on_session(struct session *session)
{
	(void)session;
}

static void on_session_at(struct session *session, uint64_t now)
{
	(void)session;
	(void)now;
}

static const struct session_ops no_owner = {.dial = on_session_at,
	.hang_up = on_session,
	.closed = on_session_at,
	.release = on_session};

/* A pool for each flow, two for the client: whichever allocation fails, those before it are undone. */
START_TEST(a_session_whose_pools_cannot_be_made_leaves_the_client_alone)
{
	static struct {
		uint64_t size;
		uint64_t rate;
	} options = {1000, 1000};
	static struct weir_pool pools[] = {
		{.name = "own", .scope = WEIR_SCOPE_FLOW, .flags = WEIR_POOL_CONSUMED, .rate_offset = 8},
		{.name = "shared", .scope = WEIR_SCOPE_CLIENT, .flags = WEIR_POOL_CONSUMED, .rate_offset = 8},
		{.name = "marks", .scope = WEIR_SCOPE_CLIENT},
	};
	static const struct weir_policy policy = {.pools = pools,
		.pool_stride = sizeof(pools[0]),
		.pool_count = 3,
		.ask = ask_nothing};
	struct rule rule;
	struct stack stack;
	int opened = -1;
	int failed = 0;

	rule_init(&rule, "rule", &policy, &options);
	rule_stack(&stack, &rule, NULL, NULL);
	pair_init(&pair, &world, &stack);
	while (opened != 0) {
		patience = ++failed;
		opened = session_open(&pair.session, &pair.profile, &no_owner, &pair.client.endpoint, NULL, world.now);
		patience = -1;
		ck_assert(!pair.client.closed);
		ck_assert_int_eq(pair.session.state, opened == 0 ? SESSION_CONNECTING : SESSION_FREE);
		ck_assert_uint_eq(world.scopes.count, opened == 0 ? 2 : 0);
	}
	ck_assert_int_eq(failed, 8); /* the block, two buckets, and two for each of a client's pools; then none */
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
	ck_assert_uint_eq(world.scopes.count, 0);
	stack_destroy(&stack);
	rule_destroy(&rule);
}
END_TEST

/*
 * An idle session is its connection, and what libevent keeps of two descriptors: 1.5 KiB together, with one policy whose
 * flows' states take 16 bytes each.
 */
START_TEST(an_idle_session_is_small)
{
	static const struct stack one = {.count = 1, .state_size = 2 * 16};

	ck_assert_uint_le(session_block(&one), SESSION_ROOM);
	ck_assert_uint_le(sizeof(struct connection), 1536 - 2 * 64);
}
END_TEST

/* Takes blocks until the depot has only so many left without asking for memory. */
static unsigned deplete(struct depot *depot, void *blocks[], unsigned left)
{
	unsigned count = depot->chunk_blocks - left;

	for (unsigned i = 0; i < count; i++) {
		blocks[i] = depot_take(depot);
		ck_assert_ptr_nonnull(blocks[i]);
	}
	return count;
}

/* Bytes that were read and cannot be stored are lost: no clean end may follow, in neither direction. */
START_TEST(bytes_that_cannot_be_stored_end_the_session)
{
	struct depot *depot = &world.depots.large;
	struct fake *source, *sink;
	void *blocks[64];
	unsigned count;

	pair_open(&pair);
	source = pair_source(&pair, _i % 2);
	sink = pair_sink(&pair, _i % 2);
	fake_shut(sink);
	fake_send(source, 200 * KIB);
	fake_end(source);
	count = deplete(depot, blocks,
		(unsigned)_i / 2); /* the first segment fails, or a later one of the same chain */
	smallest = STORE_PAGE;
	patience = 1;
	world_run(&world);
	patience = -1;
	ck_assert_uint_eq(depot->used, count);
	while (count > 0)
		depot_put(depot, blocks[--count]);
	ck_assert_uint_eq(pair.released, 1);
	ck_assert_str_eq(close_reason_names[pair.session.reason], "no-memory");
	ck_assert(fake_saw_reset(source) && !fake_saw_end(source));
	ck_assert(fake_saw_reset(sink) && !fake_saw_end(sink));
	ck_assert_int_eq(pool_free(&world.memory), 1024);
}
END_TEST

START_TEST(a_session_that_holds_nothing_needs_no_memory)
{
	pair_open(&pair);
	fake_send(&pair.client, MIB);
	fake_send(&pair.server, MIB);
	smallest = STORE_PAGE;
	patience = 1;
	world_run(&world);
	patience = -1;
	ck_assert_uint_eq(pair.server.accepted, MIB);
	ck_assert_uint_eq(pair.client.accepted, MIB);
	session_close(&pair.session, CLOSE_SHUTDOWN, world.now);
	world_run(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shortage");
	TCase *tcase = tcase_create("shortage");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_session_that_cannot_begin_leaves_the_client_alone);
	tcase_add_test(tcase, a_session_whose_pools_cannot_be_made_leaves_the_client_alone);
	tcase_add_test(tcase, an_idle_session_is_small);
	tcase_add_loop_test(tcase, bytes_that_cannot_be_stored_end_the_session, 0, 8);
	tcase_add_test(tcase, a_session_that_holds_nothing_needs_no_memory);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
