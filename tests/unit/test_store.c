/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store: bytes in, the same bytes out, and what they cost is known beforehand. _i is a seed where there is one.
 */
#include <string.h>

#include "fake.h"
#include "store.h"
#include "unit.h"

static struct store_depots depots;
static struct store store;
static uint64_t appended; /* ever */
static uint64_t consumed;

static void begin(void)
{
	store_depots_init(&depots);
	store_init(&store, &depots);
}

static void end(void)
{
	store_clear(&store);
	store_depots_destroy(&depots);
}

static void append(size_t length, uint64_t now)
{
	MUST(store_append(&store, fake_pattern(0, appended), length, now) == 0, "no memory");
	appended += length;
}

static void check(const void *bytes, size_t length, uint64_t offset)
{
	MUST(fake_sent(0, bytes, length, offset), "wrong bytes behind %llu", (unsigned long long)offset);
}

/* Peeks at so much, in so many pieces at most, and checks it; returns how much it saw. */
static uint64_t peek(uint64_t limit, int count)
{
	struct iovec iov[16];
	uint64_t length = 0;
	int pieces = store_peek(&store, iov, count, limit);

	MUST(pieces <= count, "%d pieces", pieces);
	for (int i = 0; i < pieces; i++) {
		MUST(iov[i].iov_len > 0, "an empty piece");
		check(iov[i].iov_base, iov[i].iov_len, consumed + length);
		length += iov[i].iov_len;
	}
	MUST(length <= limit && length <= store.held, "too much is shown");
	return length;
}

static void consume(uint64_t length)
{
	store_consume(&store, length);
	consumed += length;
}

START_TEST(random_bytes_come_out_as_they_went_in)
{
	draw_seed((uint64_t)_i);
	for (int step = 0; step < 600; step++) {
		size_t length = (size_t)draw(draw(4) == 0 ? 100000 : 3000);
		uint32_t pages = store.pages;
		uint32_t more = store_pages_for(&store, length);
		uint64_t offset;
		struct iovec piece;

		if (draw(2) == 0 && store.held < 2000000) {
			append(length, 0);
			MUST(store.pages == pages + more, "%u pages more, not %u", store.pages - pages, more);
		} else {
			uint64_t seen = peek((uint64_t)length, 1 + (int)draw(16));

			if (seen > 0)
				consume(draw(3) == 0 ? seen : draw(seen));
		}
		MUST(store.held == appended - consumed, "held is %llu", (unsigned long long)store.held);
		MUST((store.held == 0) == (store.pages == 0), "%u pages for %llu bytes", store.pages,
			(unsigned long long)store.held);
		offset = store.held > 0 ? draw(store.held) : 0;
		piece = store_at(&store, offset);
		if (piece.iov_len > 0)
			check(piece.iov_base, piece.iov_len, consumed + offset);
		MUST((piece.iov_len == 0) == (store.held == 0), "nothing lies at %llu", (unsigned long long)offset);
	}
	store_clear(&store);
	ck_assert_uint_eq(store.held, 0);
	ck_assert_uint_eq(store.pages, 0);
}
END_TEST

/* What fits into some pages needs no more than these, nor does anything less. */
START_TEST(what_fits_is_what_pages_take)
{
	for (int fill = 0; fill < 40; fill++) {
		for (uint32_t pages = 0; pages < 70; pages++) {
			uint64_t fits = store_fits(&store, pages);

			MUST(store_pages_for(&store, fits) <= pages, "%llu bytes do not fit into %u pages",
				(unsigned long long)fits, pages);
			for (uint64_t less = 0; less < fits; less += 1 + fits / 97)
				MUST(store_pages_for(&store, less) <= pages, "%llu bytes do not fit into %u pages",
					(unsigned long long)less, pages);
		}
		append(1 + (size_t)fill * 531 % 5000, 0);
	}
}
END_TEST

START_TEST(a_page_more_always_takes_something)
{
	for (uint32_t pages = 1; pages < 40; pages++)
		ck_assert_uint_gt(store_fits(&store, pages), 0);
	append(100, 0);
	ck_assert_uint_gt(store_fits(&store, 0), 0);
}
END_TEST

START_TEST(few_bytes_cost_one_page_and_many_small_ones_share_it)
{
	for (int i = 0; i < 1000; i++)
		append(1, 0);
	ck_assert_uint_eq(store.pages, 1);
	append(20000, 0);
	ck_assert_uint_eq(store.pages, 1 + STORE_SEGMENT_PAGES);
}
END_TEST

START_TEST(the_oldest_bytes_time_is_known)
{
	ck_assert_uint_eq(store_oldest(&store), 0);
	append(4000, 10);
	append(20000, 20);
	ck_assert_uint_eq(store_oldest(&store), 10);
	consume(4090); /* beyond the first segment */
	ck_assert_uint_eq(store_oldest(&store), 20);
	consume(store.held);
	ck_assert_uint_eq(store_oldest(&store), 0);
	append(1, 30);
	ck_assert_uint_eq(store_oldest(&store), 30);
}
END_TEST

static uint64_t peeked(const struct store *from, bool bytes)
{
	struct iovec iov[16];
	uint64_t length = 0;
	int pieces = store_peek(from, iov, 16, UINT64_MAX);

	for (int i = 0; i < pieces; i++) {
		MUST((iov[i].iov_base != NULL) == bytes, "a piece lies at %p", iov[i].iov_base);
		length += iov[i].iov_len;
	}
	return length;
}

/* A store of lengths costs, ages and shows what a real one does; only the bytes are not there. */
START_TEST(lengths_behave_like_bytes)
{
	struct store_depots no_bytes;
	struct store twin;

	draw_seed((unsigned)_i);
	store_depots_init_lengths(&no_bytes);
	store_init(&twin, &no_bytes);
	for (uint64_t now = 1; now < 300; now++) {
		size_t length = (size_t)draw(40000);
		uint64_t eaten = draw(store.held + length + 1);

		append(length, now);
		MUST(store_append(&twin, NULL, length, now) == 0, "no memory");
		consume(eaten);
		store_consume(&twin, eaten);
		MUST(twin.held == store.held && twin.pages == store.pages, "%llu bytes on %u pages; %llu on %u",
			(unsigned long long)twin.held, twin.pages, (unsigned long long)store.held, store.pages);
		MUST(store_oldest(&twin) == store_oldest(&store), "of another age");
		MUST(store_pages_for(&twin, length) == store_pages_for(&store, length), "another price");
		MUST(peeked(&twin, false) == peeked(&store, true), "shows something else");
		MUST(store_at(&twin, twin.held / 2).iov_len == store_at(&store, twin.held / 2).iov_len,
			"another piece");
	}
	store_clear(&twin);
	MUST(depot_mapped(&no_bytes.small) + depot_mapped(&no_bytes.large) == 0, "lengths need blocks");
	store_depots_destroy(&no_bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, random_bytes_come_out_as_they_went_in, 0, 30);
	tcase_add_test(tcase, what_fits_is_what_pages_take);
	tcase_add_test(tcase, a_page_more_always_takes_something);
	tcase_add_test(tcase, few_bytes_cost_one_page_and_many_small_ones_share_it);
	tcase_add_test(tcase, the_oldest_bytes_time_is_known);
	tcase_add_loop_test(tcase, lengths_behave_like_bytes, 0, 10);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
