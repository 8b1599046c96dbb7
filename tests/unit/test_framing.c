/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where requests begin and answers end: whole conversations, the same in pieces of any size, and broken ones.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "conversation.h"
#include "framing.h"
#include "script.h"

/* Check writes a word about each of its assertions, which is too much for every byte. */
#define MUST(condition, ...)                                                                                           \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			ck_abort_msg(__VA_ARGS__);                                                                     \
	} while (0)

static void same_marks(const struct script_marks *found, const struct script_marks *expected, const char *how)
{
	char wanted[SCRIPT_MARKS_MAX * 32];

	snprintf(wanted, sizeof(wanted), "%s", script_text(expected));
	MUST(strcmp(script_text(found), wanted) == 0, "%s: found%s, expected%s", how, script_text(found), wanted);
}

/* ---- what parses --------------------------------------------------------------------------------------------------- */

/* A connection that is parsed, and how its bytes come. */
struct line {
	struct framing framing;
	size_t offsets[2];
	struct script_marks found;
	size_t (*piece)(struct line *line, size_t left); /* how many bytes come next */
	uint64_t random;
	unsigned char *page_end; /* pieces end here, and what follows cannot be touched; NULL: pieces are on the heap */
};

static const char mark_letters[] =
	{[FRAMING_BEGIN] = '{', [FRAMING_CANCEL] = '^', [FRAMING_ANSWER] = '}', [FRAMING_LOST] = '@'};

static uint64_t drawn(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static size_t all(struct line *line, size_t left)
{
	(void)line;
	return left;
}

static size_t one(struct line *line, size_t left)
{
	(void)line;
	return left > 0;
}

static size_t some(struct line *line, size_t left)
{
	size_t most = (size_t)1 << drawn(&line->random) % 7;
	size_t length = 1 + (size_t)(drawn(&line->random) % most);

	return length < left ? length : left;
}

/* A begin that is not admitted is told again. */
static void admit(struct line *line, const unsigned char *bytes, size_t length)
{
	enum framing_mark mark = FRAMING_NONE;
	size_t consumed = framing_up(&line->framing, bytes, length, &mark);

	MUST(consumed == 0 && mark == FRAMING_BEGIN, "%zu bytes and mark %d without leave", consumed, (int)mark);
	framing_admit(&line->framing);
}

static size_t parse(struct line *line, int down, const unsigned char *bytes, size_t length)
{
	enum framing_mark mark = FRAMING_NONE;
	size_t consumed = (down ? framing_down : framing_up)(&line->framing, bytes, length, &mark);
	const char *why = framing_why(&line->framing);

	MUST(consumed <= length && (mark != FRAMING_NONE || consumed == length), "%zu of %zu bytes", consumed, length);
	MUST((why != NULL) == (mark == FRAMING_LOST), "mark %d, lost because of %s", (int)mark, why);
	line->offsets[down] += consumed;
	if (mark != FRAMING_NONE)
		script_note(&line->found, down, mark_letters[mark], line->offsets[down]);
	if (mark == FRAMING_BEGIN)
		admit(line, bytes + consumed, length - consumed);
	return consumed;
}

/* The piece is copied, so that whoever reads beyond it is caught. */
static void hand_over(struct line *line, int down, const unsigned char *bytes, size_t length)
{
	unsigned char *heap = line->page_end ? NULL : malloc(length);
	unsigned char *piece = line->page_end ? line->page_end - length : heap;
	size_t done = 0;

	MUST(piece, "out of memory");
	memcpy(piece, bytes, length);
	while (done < length && !framing_why(&line->framing))
		done += parse(line, down, piece + done, length - done);
	free(heap);
}

static void say(struct line *line, const struct script *script)
{
	for (int i = 0; i < script->count; i++) {
		for (size_t done = 0, length; done < script->said[i].length; done += length) {
			length = line->piece(line, script->said[i].length - done);
			hand_over(line, script->said[i].down, script->said[i].bytes + done, length);
		}
	}
}

static struct line new_line(enum framing_kind kind, size_t (*piece)(struct line *, size_t), uint64_t seed)
{
	struct line line = {.piece = piece, .random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};

	framing_init(&line.framing, kind);
	return line;
}

/* Lost is lost: it consumes nothing any more, whatever comes. */
static void stays_lost(struct line *line)
{
	const char *why = framing_why(&line->framing);
	const unsigned char *bytes = (const unsigned char *)"*1\r\n";

	for (int i = 0; i < 4; i++) {
		enum framing_mark mark = FRAMING_NONE;
		size_t consumed = (i % 2 ? framing_down : framing_up)(&line->framing, bytes, i < 2 ? 4 : 0, &mark);

		framing_admit(&line->framing);
		MUST(consumed == 0 && mark == FRAMING_LOST && framing_why(&line->framing) == why, "found again");
	}
}

/* ---- conversations ------------------------------------------------------------------------------------------------- */

static void converse(const struct conversation *conversation, struct line line, const char *how)
{
	char place[128];
	struct script script;
	const char *why;

	script_read(&script, conversation);
	snprintf(place, sizeof(place), "%s, %s", conversation->name, how);
	say(&line, &script);
	same_marks(&line.found, &script.marks, place);
	why = framing_why(&line.framing);
	MUST((why == NULL) == (conversation->why == NULL), "%s: lost because of %s", place, why);
	if (why) {
		MUST(strcmp(why, conversation->why) == 0, "%s: lost because of %s", place, why);
		stays_lost(&line);
	}
}

START_TEST(conversation_in_any_pieces)
{
	const struct conversation *conversation = &conversations[_i];

	converse(conversation, new_line(conversation->kind, all, 1), "whole");
	converse(conversation, new_line(conversation->kind, one, 1), "byte by byte");
	for (uint64_t seed = 1; seed <= 50; seed++) {
		char how[32];

		snprintf(how, sizeof(how), "in pieces of seed %d", (int)seed);
		converse(conversation, new_line(conversation->kind, some, seed), how);
	}
}
END_TEST

/* Pieces that end where memory ends: who reads one byte more does not survive. */
START_TEST(conversation_at_the_end_of_memory)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	/* cppcheck-suppress invalidFunctionArg ; memory of nothing has no descriptor */
	unsigned char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(pages, MAP_FAILED);
	ck_assert_int_eq(mprotect(pages + 2 * page, page, PROT_NONE), 0);
	for (int i = 0; i < conversation_count; i++) {
		struct line line = new_line(conversations[i].kind, some, (uint64_t)i + 1);

		line.page_end = pages + 2 * page;
		converse(&conversations[i], line, "at the end of memory");
	}
	munmap(pages, 3 * page);
}
END_TEST

/* ---- broken ones --------------------------------------------------------------------------------------------------- */

/* What a conversation may turn into: bytes replaced, doubled, gone. Its marks are no longer known. */
static void spoil(struct script *script, uint64_t *random)
{
	for (uint64_t times = 1 + drawn(random) % 4; times > 0 && script->count > 0; times--) {
		int i = (int)(drawn(random) % (uint64_t)script->count);
		unsigned char *bytes = script->said[i].bytes;
		size_t length = script->said[i].length, at;

		if (length == 0 || length + 1 >= SCRIPT_STREAM_MAX)
			continue;
		at = (size_t)(drawn(random) % length);
		switch (drawn(random) % 4) {
		case 0:
			bytes[at] = (unsigned char)drawn(random);
			break;
		case 1:
			bytes[at] ^= (unsigned char)(1 << drawn(random) % 8);
			break;
		case 2:
			memmove(bytes + at + 1, bytes + at, length - at);
			script->said[i].length++;
			break;
		default:
			memmove(bytes + at, bytes + at + 1, length - at - 1);
			script->said[i].length--;
		}
	}
}

/* As many begins as answers, begins taken back, and requests on the way. */
static void sums_up(const struct line *line, const char *how)
{
	int open = 0;

	for (int i = 0; i < line->found.count; i++) {
		char what = line->found.at[i].what;

		open += what == '{' ? 1 : what == '}' || what == '^' ? -1 : 0;
		MUST(open >= 0, "%s: more answers than requests:%s", how, script_text(&line->found));
	}
}

START_TEST(spoilt_conversations_agree)
{
	const struct conversation *conversation = &conversations[_i];

	for (uint64_t seed = 1; seed <= 100; seed++) {
		struct line whole = new_line(conversation->kind, all, seed),
			    pieces = new_line(conversation->kind, some, seed);
		struct line bytes = new_line(conversation->kind, one, seed);
		struct script script;
		char how[128];

		script_read(&script, conversation);
		spoil(&script, &whole.random);
		snprintf(how, sizeof(how), "%s, spoilt with seed %d", conversation->name, (int)seed);
		say(&whole, &script);
		say(&pieces, &script);
		say(&bytes, &script);
		same_marks(&pieces.found, &whole.found, how);
		same_marks(&bytes.found, &whole.found, how);
		MUST(framing_why(&pieces.framing) == framing_why(&whole.framing) &&
				framing_why(&bytes.framing) == framing_why(&whole.framing),
			"%s: not lost in the same way", how);
		sums_up(&whole, how);
	}
}
END_TEST

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

START_TEST(begins_wait_for_admission)
{
	struct framing framing;
	const unsigned char *bytes = (const unsigned char *)"PING\r\nPING\r\n";
	enum framing_mark mark = FRAMING_NONE;

	framing_init(&framing, FRAMING_RESP);
	framing_admit(&framing); /* of nothing: no begin was told */
	ck_assert_uint_eq(framing_up(&framing, bytes, 12, &mark), 0);
	ck_assert_int_eq(mark, FRAMING_BEGIN);
	ck_assert_uint_eq(framing_down(&framing, (const unsigned char *)"+PONG\r\n", 7, &mark), 0);
	ck_assert_int_eq(mark, FRAMING_LOST);

	framing_init(&framing, FRAMING_RESP);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(framing_up(&framing, bytes, 12, &mark), 0);
		ck_assert_int_eq(mark, FRAMING_BEGIN);
	}
	framing_admit(&framing);
	framing_admit(&framing); /* of one begin, one */
	ck_assert_uint_eq(framing_up(&framing, bytes, 12, &mark), 6);
	ck_assert_int_eq(mark, FRAMING_BEGIN);
	ck_assert_uint_eq(framing_up(&framing, bytes + 6, 0, &mark), 0);
	ck_assert_int_eq(mark, FRAMING_NONE);
	ck_assert_uint_eq(framing_down(&framing, (const unsigned char *)"+PONG\r\n+", 8, &mark), 7);
	ck_assert_int_eq(mark, FRAMING_ANSWER);
	ck_assert_uint_eq(framing_down(&framing, (const unsigned char *)"+", 1, &mark), 0);
	ck_assert_int_eq(mark, FRAMING_LOST);
}
END_TEST

START_TEST(state_is_small)
{
	ck_assert_msg(sizeof(struct framing) <= 128, "%zu bytes a session", sizeof(struct framing));
}
END_TEST

/* Long things, of which nothing but a number may be kept: an answer that is nested for ever, a line, a bulk. */
static const struct {
	const char *name, *begin, *repeated;
	enum framing_kind kind;
	int down;
} endless[] = {
	{"a line", "", "x", FRAMING_LINE, 0},
	{"lines", "", "\n", FRAMING_LINE, 0},
	{"messages", "", "\1\1\1", FRAMING_U32BE, 0},
	{"a line of words", "PING ", "\"a\" ", FRAMING_RESP, 0},
	{"empty lines", "", "\r\n", FRAMING_RESP, 0},
	{"requests", "", "*1\r\n$1\r\na\r\n", FRAMING_RESP, 0},
	{"arguments", "*99999999\r\n$3\r\nSET\r\n", "$9\r\nSUBSCRIBE\r\n", FRAMING_RESP, 0},
	{"nesting", "", "*1\r\n", FRAMING_RESP, 1},
	{"widening", "", "*3\r\n", FRAMING_RESP, 1},
	{"a status", "+", "OK", FRAMING_RESP, 1},
	{"a bulk", "$1000000000\r\n", "\r\n", FRAMING_RESP, 1},
};

#define ENDLESS_BYTES (4 << 20)

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t parse_all(struct framing *framing, int down, const unsigned char *bytes, size_t length)
{
	enum framing_mark mark = FRAMING_NONE;
	size_t done = 0;

	do {
		done += (down ? framing_down : framing_up)(framing, bytes + done, length - done, &mark);
		if (mark == FRAMING_BEGIN)
			framing_admit(framing);
	} while (mark != FRAMING_NONE && mark != FRAMING_LOST);
	return done;
}

/* Ten times as much as any machine needs for a byte, and a thousandth of what reading everything twice would take. */
START_TEST(endless_takes_its_time_and_no_more)
{
	size_t unit = strlen(endless[_i].repeated), length = strlen(endless[_i].begin);
	unsigned char *bytes = malloc(ENDLESS_BYTES);
	struct framing framing;
	double begin = cpu_seconds(), per_byte;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, endless[_i].begin, length);
	for (; length + unit <= ENDLESS_BYTES; length += unit)
		memcpy(bytes + length, endless[_i].repeated, unit);
	for (size_t piece = 1; piece <= length; piece = piece == 1 ? length : length + 1) {
		framing_init(&framing, endless[_i].kind);
		if (endless[_i].down)
			parse_all(&framing, 0, (const unsigned char *)"a\n", 2);
		for (size_t at = 0; at < length; at += piece)
			MUST(parse_all(&framing, endless[_i].down, bytes + at, piece) == piece, "%s: %s",
				endless[_i].name, framing_why(&framing));
	}
	per_byte = (cpu_seconds() - begin) / (double)length;
	ck_assert_msg(per_byte < 4e-6, "%s: %.0f ns for a byte", endless[_i].name, per_byte * 1e9);
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("framing");
	TCase *tcase = tcase_create("framing");

	tcase_add_loop_test(tcase, conversation_in_any_pieces, 0, conversation_count);
	tcase_add_test(tcase, conversation_at_the_end_of_memory);
	tcase_add_loop_test(tcase, spoilt_conversations_agree, 0, conversation_count);
	tcase_add_test(tcase, begins_wait_for_admission);
	tcase_add_test(tcase, state_is_small);
	tcase_add_loop_test(tcase, endless_takes_its_time_and_no_more, 0, (int)(sizeof(endless) / sizeof(endless[0])));
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
