/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate, fault by fault, and the order in which it looks.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "../modules/sound.h"
#include "gate.h"

static char error[2048];

static struct weir_policy offer;
static struct weir_option row[3];
static struct weir_pool pool[1];
static struct weir_counter counter[1];

/* clang-format off */
static const uint32_t flow_scope[] = {WEIR_SCOPE_FLOW};

/* One fault each, made in a module that is sound. */
static void fault(int i)
{
	switch (i) {
	case 0: offer.name = NULL; break;
	case 1: offer.summary = NULL; break;
	case 2: offer.needs = 0x13; break;
	case 3: offer.flow_size = 1 << 30; break;
	case 4: offer.options_size = UINT32_MAX; break;
	case 5: offer.option_stride = sizeof(struct weir_option) - 8; break;
	case 6: offer.option_stride = sizeof(struct weir_option) + 4; break;
	case 7: row[0].key = "Size"; break;
	case 8: row[0].key = "module"; break;
	case 9: row[1] = row[0]; break;
	case 10: row[0].type = 0; break;
	case 11: row[0].doc = NULL; break;
	case 12: row[0].type = WEIR_OPTION_ENUM; break;
	case 13: row[0].min = 2, row[0].max = 1; break;
	case 14: row[0].offset = 4; break;
	case 15: row[0].offset = 8; break;
	case 16: row[0].offset = UINT32_MAX - 7; break;
	case 17: row[0].def = "0"; break;
	case 18: offer.pool_count = 5; break;
	case 19: offer.pools = NULL; break;
	case 20: offer.pool_stride = 8; break;
	case 21: pool[0].name = NULL; break;
	case 22: pool[0].scope = 7; break;
	case 23: pool[0].size_offset = 8; break;
	case 24: offer.options = NULL, offer.options_size = 0; break;
	case 25: pool[0].scope = WEIR_SCOPE_FLOW, pool[0].unit_bytes = 1; break;
	case 26: pool[0].scope = WEIR_SCOPE_OPTION, pool[0].scopes = flow_scope; break; /* no ENUM is there */
	case 27: pool[0].flags = 64; break;
	case 28: pool[0].flags = WEIR_POOL_CONSUMED, pool[0].rate_offset = 8; break;
	case 29: pool[0].flags = WEIR_POOL_LOW, pool[0].low_offset = 4; break;
	case 30: pool[0].flags = WEIR_POOL_CONSUMED | WEIR_POOL_LOW; break;
	case 31: pool[0].flags = WEIR_POOL_CONSUMED, pool[0].unit_bytes = 1; break;
	case 32: pool[0].flags = WEIR_POOL_CONSUMED | WEIR_POOL_FLOOR; break;
	case 33: pool[0].flags = WEIR_POOL_FLOOR, pool[0].scope = WEIR_SCOPE_SESSION; break;
	case 34: pool[0].flags = WEIR_POOL_FLOOR | WEIR_POOL_DIRECTED; break;
	case 35: pool[0].flags = WEIR_POOL_FLOOR, pool[0].floor_offset = 4; break;
	case 36: pool[0].flags = WEIR_POOL_SEGMENTS, pool[0].unit_bytes = 1; break;
	case 37: pool[0].flags = WEIR_POOL_SEGMENTS, pool[0].unit_offset = 8; break;
	case 38: pool[0].flags = WEIR_POOL_SEGMENTS, pool[0].scope = WEIR_SCOPE_UPSTREAM; break;
	case 39: offer.counter_count = WEIR_COUNTERS_MAX + 1; break;
	case 40: offer.counters = NULL; break;
	case 41: offer.counter_stride = 8; break;
	case 42: counter[0].name = "two words"; break;
	case 43: counter[0].doc = NULL; break;
	}
}
/* clang-format on */

#define NO_ROW(type, doc, names, min, max)                                                                             \
	"the module's option \"size\" is no sound row (type " type ", doc " doc ", names " names ", min " min          \
	", max " max "); expected a type from 1 to 6, a doc, names for an ENUM, min <= max"
#define NO_POOL(name, scope, offset, flags, bytes)                                                                     \
	"the module's pool 0 is no sound row (name " name ", scope " scope ", size_offset " offset ", flags " flags    \
	"); expected a name, a scope (one smaller than a listener promises no memory and has no floor; by option: an " \
	"ENUM with a scope for each name), known flags that go together, and each uint64_t inside the " bytes          \
	" bytes of its options"
#define NO_COUNTER(name, doc)                                                                                          \
	"the module's counter 0 is no sound row (name " name ", doc " doc                                              \
	"); expected a name of a-z, 0-9 and '_', and a doc"
#define OFFSET(offset)                                                                                                 \
	"the module's option \"size\" lies at offset " offset "; expected 8 aligned bytes inside the 8 of its options"
#define KEY(key) "the module's option " key " has no usable key; expected a-z, 0-9 and '_', and not \"module\""

static const char *const fault_errors[] = {
	"the module's name is NULL; expected a text",
	"the module's summary is NULL; expected a text",
	"the module needs 0x13; expected no more than 0xf, which this weir can give",
	"the module's flow_size is 1073741824; expected at most 16777216",
	"the module's options_size is 4294967295; expected at most 16777216",
	"the module's option_stride is 48; expected 56, or more from a newer module, in steps of 8",
	"the module's option_stride is 60; expected 56, or more from a newer module, in steps of 8",
	KEY("\"Size\""),
	KEY("\"module\""),
	"the module has two options \"size\"; expected each once",
	NO_ROW("0", "set", "none", "1", "1073741824"),
	NO_ROW("1", "NULL", "none", "1", "1073741824"),
	NO_ROW("5", "set", "none", "1", "1073741824"),
	NO_ROW("1", "set", "none", "2", "1"),
	OFFSET("4"),
	OFFSET("8"),
	OFFSET("4294967288"),
	"the module's default of size: \"0\" is below 1; expected a size from 1 to 1G (a size)",
	"the module declares 5 pools; expected at most 4",
	"the module declares 1 pools and no table; expected pools",
	"the module's pool_stride is 8; expected 24, or more from a newer module, in steps of 8",
	NO_POOL("NULL", "1", "0", "0x0", "8"),
	NO_POOL("set", "7", "0", "0x0", "8"),
	NO_POOL("set", "1", "8", "0x0", "8"),
	NO_POOL("set", "1", "0", "0x0", "0"),
	NO_POOL("set", "3", "0", "0x0", "8"),
	NO_POOL("set", "255", "0", "0x0", "8"),
	NO_POOL("set", "1", "0", "0x40", "8"),
	NO_POOL("set", "1", "0", "0x1", "8"),
	NO_POOL("set", "1", "0", "0x4", "8"),
	NO_POOL("set", "1", "0", "0x5", "8"),
	NO_POOL("set", "1", "0", "0x1", "8"),
	NO_POOL("set", "1", "0", "0x11", "8"),
	NO_POOL("set", "4", "0", "0x10", "8"),
	NO_POOL("set", "1", "0", "0x18", "8"),
	NO_POOL("set", "1", "0", "0x10", "8"),
	NO_POOL("set", "1", "0", "0x20", "8"),
	NO_POOL("set", "1", "0", "0x20", "8"),
	NO_POOL("set", "6", "0", "0x20", "8"),
	"the module declares 9 counters; expected at most 8",
	"the module declares 1 counters and no table; expected counters",
	"the module's counter_stride is 8; expected 16, or more from a newer module, in steps of 8",
	NO_COUNTER("set", "set"),
	NO_COUNTER("set", "NULL"),
};

static void make_sound(void)
{
	offer = sound("sound");
	memcpy(row, sound_table, sizeof(sound_table));
	memset(&row[2], 0, sizeof(row[2]));
	pool[0] = (struct weir_pool){.name = "pool", .scope = WEIR_SCOPE_INSTANCE};
	offer.options = row;
	offer.pools = pool;
	offer.pool_stride = sizeof(pool[0]);
	offer.pool_count = 1;
	counter[0] = (struct weir_counter){"shares", "how often"};
	offer.counters = counter;
	offer.counter_stride = sizeof(counter[0]);
	offer.counter_count = 1;
}

START_TEST(gate_refuses)
{
	struct weir_policy api;

	make_sound();
	ck_assert_msg(gate_pass(&api, &offer, "sound", error, sizeof(error)) == 0, "%s", error);
	fault(_i);
	ck_assert_int_eq(gate_pass(&api, &offer, "sound", error, sizeof(error)), -1);
	ck_assert_str_eq(error, fault_errors[_i]);
}
END_TEST

/* Of a pool that was compiled before 1.1, only what it has is looked at. */
START_TEST(older_pools_are_read_as_far_as_they_go)
{
	struct weir_policy api;
	struct weir_pool old;
	char rows[2 * GATE_POOL_MIN];

	make_sound();
	pool[0].flags = UINT32_MAX;
	memcpy(rows, &pool[0], GATE_POOL_MIN);
	memcpy(rows + GATE_POOL_MIN, &pool[0], GATE_POOL_MIN);
	offer.pools = (const void *)rows;
	offer.pool_stride = GATE_POOL_MIN;
	offer.pool_count = 2;
	ck_assert_msg(gate_pass(&api, &offer, "sound", error, sizeof(error)) == 0, "%s", error);
	old = gate_pool(&api, 1);
	ck_assert_str_eq(old.name, "pool");
	ck_assert_uint_eq(old.flags, 0);
	ck_assert_ptr_null(old.scopes);
}
END_TEST

static size_t scan(const struct weir_call *call, const void *bytes, size_t length)
{
	(void)call;
	(void)bytes;
	return length;
}

START_TEST(gate_looks_in_this_order)
{
	struct weir_policy api;
	static const char *const expected[] = {"magic is 0x00000000", "policy ABI 7.x", "has 9 bytes", "ask is NULL",
		"scan is NULL", "name is NULL"};

	make_sound();
	offer.magic = 0, offer.major = 7, offer.size = 9, offer.ask = NULL, offer.needs = 0xff, offer.name = NULL;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		ck_assert_int_eq(gate_pass(&api, &offer, "sound", error, sizeof(error)), -1);
		ck_assert_msg(strstr(error, expected[i]) != NULL, "%s, not %s", error, expected[i]);
		/* One more is put right, and the next is found. */
		offer.magic = WEIR_POLICY_MAGIC;
		offer.major = i >= 1 ? WEIR_POLICY_MAJOR : offer.major;
		offer.size = i >= 2 ? sizeof(offer) : offer.size;
		offer.ask = i >= 3 ? sound_ask : offer.ask;
		offer.scan = i >= 4 ? scan : offer.scan;
	}
}
END_TEST

START_TEST(endless_table_is_refused)
{
	static struct weir_option endless[300];
	static char keys[300][16];
	struct weir_policy api;

	make_sound();
	for (int i = 0; i < 300; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%d", i);
		endless[i] = sound_table[0];
		endless[i].key = keys[i];
	}
	offer.options = endless;
	ck_assert_int_eq(gate_pass(&api, &offer, "sound", error, sizeof(error)), -1);
	ck_assert_str_eq(error, "the module's option table has no end within 256 rows; expected a NULL key");
}
END_TEST

/* What a module adds behind our struct is not ours to look at. */
START_TEST(gate_cuts_what_is_newer)
{
	struct {
		struct weir_policy known;
		uint64_t unknown;
	} grown;
	struct weir_policy api[2];

	make_sound();
	memset(api, 0xaa, sizeof(api));
	grown.known = offer;
	grown.known.size = sizeof(grown);
	grown.unknown = 1;
	ck_assert_int_eq(gate_pass(&api[0], &grown.known, "sound", error, sizeof(error)), 0);
	ck_assert_ptr_eq(api[0].ask, sound_ask);
	ck_assert_uint_eq(api[1].magic, 0xaaaaaaaa);
}
END_TEST

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");

	tcase_add_loop_test(tcase, gate_refuses, 0, COUNT(fault_errors));
	tcase_add_test(tcase, older_pools_are_read_as_far_as_they_go);
	tcase_add_test(tcase, gate_looks_in_this_order);
	tcase_add_test(tcase, endless_table_is_refused);
	tcase_add_test(tcase, gate_cuts_what_is_newer);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
