/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stock: the right kind, the last one first, and nothing kept that nobody needs.
 */
#include "stock.h"
#include "unit.h"

static struct sched sched;
static struct stock stock;
static int items[STOCK_MAX + 1];
static const char kind_a;
static const char kind_b;
static unsigned dropped;

static void drop(void *item)
{
	++*(int *)item;
	dropped++;
}

static void set_up(void)
{
	sched_init(&sched, 0, NULL, NULL);
}

static bool put(const void *kind, int i, uint64_t now)
{
	return stock_put(&stock, &sched, drop, kind, &items[i], now);
}

START_TEST(an_empty_one_has_nothing)
{
	ck_assert_ptr_null(stock_take(&stock, &kind_a));
	ck_assert(!stock_clear(&stock));
	ck_assert_uint_eq(sched_deadline(&sched), UINT64_MAX);
}
END_TEST

START_TEST(the_last_of_a_kind_comes_first)
{
	ck_assert(put(&kind_a, 0, 0));
	ck_assert(put(&kind_a, 1, 0));
	ck_assert(put(&kind_b, 2, 0));
	ck_assert_ptr_eq(stock_take(&stock, &kind_a), &items[1]);
	ck_assert_ptr_eq(stock_take(&stock, &kind_b), &items[2]);
	ck_assert_ptr_null(stock_take(&stock, &kind_b));
	ck_assert_ptr_eq(stock_take(&stock, &kind_a), &items[0]);
	ck_assert_ptr_null(stock_take(&stock, &kind_a));
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(a_full_one_takes_no_more)
{
	for (int i = 0; i < STOCK_MAX; i++)
		ck_assert(put(&kind_a, i, 0));
	ck_assert(!put(&kind_a, STOCK_MAX, 0));
	ck_assert(stock_clear(&stock));
	ck_assert_uint_eq(dropped, STOCK_MAX);
	ck_assert_int_eq(items[STOCK_MAX], 0);
	ck_assert_ptr_null(stock_take(&stock, &kind_a));
}
END_TEST

START_TEST(what_is_not_needed_is_dropped)
{
	ck_assert(put(&kind_a, 0, 0));
	ck_assert(put(&kind_a, 1, 0));
	sched_run(&sched, STOCK_PATIENCE);
	ck_assert_uint_eq(dropped, 0); /* they have only just come, as far as the timer knows */
	sched_run(&sched, 2 * STOCK_PATIENCE);
	ck_assert_uint_eq(dropped, 2);
	sched_run(&sched, 3 * STOCK_PATIENCE);
	ck_assert_uint_eq(sched_deadline(&sched), UINT64_MAX); /* and nothing ticks on */
	ck_assert(put(&kind_a, 2, 4 * STOCK_PATIENCE));
	ck_assert_ptr_eq(stock_take(&stock, &kind_a), &items[2]);
}
END_TEST

START_TEST(what_is_needed_stays)
{
	ck_assert(put(&kind_a, 0, 0));
	ck_assert(put(&kind_a, 1, 0));
	for (uint64_t round = 1; round < 10; round++) {
		ck_assert_ptr_eq(stock_take(&stock, &kind_a), &items[1]);
		ck_assert(put(&kind_a, 1, round * STOCK_PATIENCE));
		sched_run(&sched, round * STOCK_PATIENCE);
		ck_assert_int_eq(items[1], 0);
	}
	ck_assert_int_eq(items[0], 1); /* at the bottom, one was enough */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stock");
	TCase *tcase = tcase_create("stock");

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, an_empty_one_has_nothing);
	tcase_add_test(tcase, the_last_of_a_kind_comes_first);
	tcase_add_test(tcase, a_full_one_takes_no_more);
	tcase_add_test(tcase, what_is_not_needed_is_dropped);
	tcase_add_test(tcase, what_is_needed_stays);
	return unit_main(suite);
}
