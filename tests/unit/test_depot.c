/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The depot: blocks are whole and nobody else's, and their memory is there only as long as they are. _i is the size's
 * number, or a seed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "depot.h"
#include "fake.h"
#include "unit.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif

#define PAGE ((size_t)4096)
#define BLOCKS 3000

static const size_t sizes[] = {4096, 32768};

static struct depot depot;
static unsigned char *blocks[BLOCKS];
static unsigned count;
static size_t most; /* blocks that were in use at once */

static void begin(size_t block_size)
{
	depot_init(&depot, block_size);
	ck_assert_uint_eq(depot_mapped(&depot), 0);
}

static unsigned char *take(void)
{
	unsigned char *block = depot_take(&depot);

	MUST(block != NULL, "no memory");
	MUST((uintptr_t)block % depot.block_size == 0, "%p is not aligned", (void *)block);
	MUST((uintptr_t)block % DEPOT_CHUNK != 0, "%p lies on the header", (void *)block);
	blocks[count++] = block;
	most = count > most ? count : most;
	return block;
}

static void put(unsigned which)
{
	unsigned char *block = blocks[which];

	blocks[which] = blocks[--count];
	depot_put(&depot, block);
}

static unsigned char *chunk_of(unsigned char *block)
{
	return block - (uintptr_t)block % DEPOT_CHUNK;
}

static void take_many(unsigned number)
{
	while (number-- > 0) {
		unsigned char *block = take();

		memset(block, (int)(count % 251), depot.block_size);
	}
}

static void put_all(void)
{
	while (count > 0)
		put(0);
}

static size_t rounded(size_t number)
{
	return (number + depot.chunk_blocks - 1) / depot.chunk_blocks * DEPOT_CHUNK;
}

static int compare(const void *a, const void *b)
{
	const void *const *left = a;
	const void *const *right = b;

	return (*left > *right) - (*left < *right);
}

static size_t resident(void *begin, size_t length)
{
	unsigned char pages[DEPOT_CHUNK / PAGE];
	size_t sum = 0;

	MUST(mincore(begin, length, pages) == 0, "mincore of %p", begin);
	for (size_t i = 0; i < length / PAGE; i++)
		sum += (pages[i] & 1) * PAGE;
	return sum;
}

/* Bytes that are there, of the chunks with these blocks. */
static size_t resident_around(unsigned char *some[], unsigned number)
{
	static void *chunks[BLOCKS];
	size_t sum = 0;

	for (unsigned i = 0; i < number; i++)
		chunks[i] = chunk_of(some[i]);
	qsort(chunks, number, sizeof(chunks[0]), compare);
	for (unsigned i = 0; i < number; i++)
		if (i == 0 || chunks[i] != chunks[i - 1])
			sum += resident(chunks[i], DEPOT_CHUNK);
	return sum;
}

START_TEST(blocks_are_whole_and_apart)
{
	begin(sizes[_i]);
	take_many(BLOCKS);
	ck_assert_uint_eq(depot_mapped(&depot), rounded(BLOCKS));
	for (unsigned i = 0; i < count; i++)
		MUST(blocks[i][0] == (i + 1) % 251 && memcmp(blocks[i], blocks[i] + 1, depot.block_size - 1) == 0,
			"block %u has changed", i);
	qsort(blocks, count, sizeof(blocks[0]), compare);
	for (unsigned i = 1; i < count; i++)
		MUST(blocks[i - 1] + depot.block_size <= blocks[i], "two blocks overlap");
	put_all();
	ck_assert_uint_eq(depot_mapped(&depot), DEPOT_CHUNK);
	depot_destroy(&depot);
}
END_TEST

START_TEST(what_was_never_used_has_no_pages)
{
	unsigned char *block;

	begin(sizes[_i]);
	block = take();
	ck_assert_uint_eq(resident_around(&block, 1), PAGE); /* the header */
	block[0] = 1;
	put(0);
	ck_assert_ptr_eq(take(), block);
	ck_assert_uint_eq(resident_around(&block, 1), 2 * PAGE);
	put(0);
	depot_destroy(&depot);
}
END_TEST

/* At the edge of a chunk, too, nothing is mapped and unmapped again and again: the same blocks come back. */
START_TEST(one_chunk_is_kept)
{
	unsigned char *block;

	begin(sizes[_i]);
	take_many(depot.chunk_blocks);
	block = take();
	for (int i = 0; i < 10; i++) {
		put(count - 1);
		ck_assert_uint_eq(depot_mapped(&depot), 2 * DEPOT_CHUNK);
		ck_assert_ptr_eq(take(), block);
	}
	put_all();
	ck_assert_uint_eq(depot_mapped(&depot), DEPOT_CHUNK);
	take_many(depot.chunk_blocks);
	ck_assert_uint_eq(depot_mapped(&depot), DEPOT_CHUNK);
	put_all();
	depot_destroy(&depot);
}
END_TEST

/* Half may go and come back without a system call; then their chunks are empty, but there. */
START_TEST(half_is_kept)
{
	unsigned chunks;

	begin(sizes[_i]);
	chunks = BLOCKS / depot.chunk_blocks;
	take_many(chunks * depot.chunk_blocks);
	while (count > (chunks + 1) / 2 * depot.chunk_blocks)
		put(count - 1);
	ck_assert_uint_eq(depot_mapped(&depot), chunks * DEPOT_CHUNK);
	put_all();
	ck_assert_uint_eq(depot_mapped(&depot), DEPOT_CHUNK);
	depot_destroy(&depot);
}
END_TEST

/* The worst that can be left: one block in use in each chunk. */
START_TEST(scattered_blocks_do_not_keep_the_rest)
{
	unsigned kept = 0;
	size_t bound;

	begin(sizes[_i]);
	take_many(BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (i % depot.chunk_blocks == 7)
			blocks[kept++] = blocks[i];
		else
			depot_put(&depot, blocks[i]);
	count = kept;
	ck_assert_uint_eq(depot_mapped(&depot), rounded(BLOCKS));
	bound = 2 * count * depot.block_size + DEPOT_CHUNK + depot_mapped(&depot) / DEPOT_CHUNK * PAGE;
	MUST(resident_around(blocks, count) <= bound, "%zu bytes for %u blocks", resident_around(blocks, count), count);
	for (unsigned i = 0; i < count; i++)
		MUST(blocks[i][depot.block_size - 1] == (i * depot.chunk_blocks + 8) % 251, "block %u has changed", i);
	put_all();
	depot_destroy(&depot);
}
END_TEST

START_TEST(fuller_chunks_come_first)
{
	unsigned char *emptier;

	begin(sizes[_i]);
	take_many(2 * depot.chunk_blocks);
	emptier = chunk_of(blocks[0]);
	for (unsigned i = 0; i < 20; i++)
		put(i);
	put(count - 1); /* the first of the other chunk */
	ck_assert_ptr_ne(chunk_of(take()), emptier);
	ck_assert_ptr_eq(chunk_of(take()), emptier);
	put_all();
	depot_destroy(&depot);
}
END_TEST

/* Writes its address at both ends of a block. */
static void stamp(unsigned char *block)
{
	uintptr_t *words = (uintptr_t *)block;

	words[0] = (uintptr_t)block;
	words[depot.block_size / sizeof(*words) - 1] = (uintptr_t)block;
}

static bool is_stamped(const unsigned char *block)
{
	const uintptr_t *words = (const uintptr_t *)block;

	return words[0] == (uintptr_t)block && words[depot.block_size / sizeof(*words) - 1] == (uintptr_t)block;
}

static void check_bounds(void)
{
	size_t allowed = depot.used + depot.chunk_blocks;

	MUST(depot.used == count, "%zu blocks are in use, not %u", depot.used, count);
	MUST(depot.warm <= allowed, "%zu idle blocks are kept beside %u", depot.warm, count);
	MUST(depot.empty * depot.chunk_blocks <= allowed, "%zu empty chunks are kept beside %u blocks", depot.empty,
		count);
	MUST(depot_mapped(&depot) <= rounded(most), "more is mapped than ever was needed");
}

/* Blocks come and go at random, now more of these, now of those; none is changed meanwhile. */
START_TEST(random_blocks)
{
	unsigned tend = 2;

	draw_seed((uint64_t)_i);
	begin(sizes[_i % 2]);
	for (int step = 0; step < 20000; step++) {
		if (step % 1000 == 0)
			tend = 1 + (unsigned)draw(9);
		if (count < BLOCKS && draw(10) < tend) {
			stamp(take());
		} else if (count > 0) {
			unsigned which = (unsigned)draw(draw(2) == 0 ? count : 1 + count / 8);

			MUST(is_stamped(blocks[which]), "a block has changed before step %d", step);
			put(which);
		}
		check_bounds();
	}
	put_all();
	check_bounds();
	depot_destroy(&depot);
}
END_TEST

#ifdef POISONS
#include <sanitizer/asan_interface.h>

/* So AddressSanitizer finds who uses a block that is not theirs. */
START_TEST(what_is_not_in_use_is_poisoned)
{
	unsigned char *block;

	begin(sizes[_i]);
	block = take();
	ck_assert_ptr_null(__asan_region_is_poisoned(block, depot.block_size));
	ck_assert(__asan_address_is_poisoned(block + depot.block_size));
	put(0);
	ck_assert(__asan_address_is_poisoned(block));
	ck_assert(__asan_address_is_poisoned(block + depot.block_size - 1));
	depot_destroy(&depot);
	ck_assert_ptr_null(__asan_region_is_poisoned(chunk_of(block), DEPOT_CHUNK));
}
END_TEST
#endif

START_TEST(one_that_was_never_made_can_be_destroyed)
{
	struct depot zero = {0};

	depot_destroy(&zero);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("depot");
	TCase *tcase = tcase_create("depot");

	tcase_add_loop_test(tcase, blocks_are_whole_and_apart, 0, 2);
	tcase_add_loop_test(tcase, what_was_never_used_has_no_pages, 0, 2);
	tcase_add_loop_test(tcase, one_chunk_is_kept, 0, 2);
	tcase_add_loop_test(tcase, half_is_kept, 0, 2);
	tcase_add_loop_test(tcase, scattered_blocks_do_not_keep_the_rest, 0, 2);
	tcase_add_loop_test(tcase, fuller_chunks_come_first, 0, 2);
	tcase_add_loop_test(tcase, random_blocks, 0, 10);
#ifdef POISONS
	tcase_add_loop_test(tcase, what_is_not_in_use_is_poisoned, 0, 2);
#endif
	tcase_add_test(tcase, one_that_was_never_made_can_be_destroyed);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
