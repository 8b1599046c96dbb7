/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink - takes out sections, keys and items of lists, and makes numbers smaller; over and over, until nothing helps.
 *
 * Every step is a copy of the document with one change. It is kept if it fails in the same way; whether it makes sense is
 * not asked: a scenario that is none is refused, which is not the same.
 */
#include "shrink.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIAL_SHORT 2 /* s: what takes longer would not make anything clearer */
#define TIME_MOST 120 /* s, in all */

struct shrinking {
	struct document *best;
	struct trial *trial;
	struct document next; /* the copy */
	time_t end;           /* no trial is begun later */
	unsigned seconds;     /* that each trial may take */
	bool helped;
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Whether `next` fails in the same way; it is the best then. */
static bool keep(struct shrinking *shrinking)
{
	struct trial trial;

	if (now() >= shrinking->end)
		return false;
	trial = trial_run(&shrinking->next, shrinking->seconds);
	if (!trial_same(&trial, shrinking->trial))
		return false;
	*shrinking->best = shrinking->next;
	*shrinking->trial = trial;
	shrinking->helped = true;
	return true;
}

/* ---- what can be taken out ------------------------------------------------------------------------------------------ */

static void drop_sections(struct shrinking *shrinking)
{
	for (unsigned s = shrinking->best->count; s-- > 0;) {
		shrinking->next = *shrinking->best;
		document_drop_section(&shrinking->next, s);
		keep(shrinking);
	}
}

static void drop_keys(struct shrinking *shrinking)
{
	for (unsigned s = 0; s < shrinking->best->count; s++)
		for (unsigned k = shrinking->best->sections[s].count; k-- > 0;) {
			shrinking->next = *shrinking->best;
			document_drop_key(&shrinking->next.sections[s], k);
			keep(shrinking);
		}
}

/* The n-th item of "a, b, c" is taken out of the value. False: there is none, or no other. */
static bool drop_item(char *value, unsigned n)
{
	char *begin = value;
	char *end;

	while (n-- > 0) {
		begin = strchr(begin, ',');
		if (begin == NULL)
			return false;
		begin++;
	}
	end = strchr(begin, ',');
	if (end != NULL) {
		end++;
		end += strspn(end, " ");
		begin += strspn(begin, " ");
		memmove(begin, end, strlen(end) + 1);
		return true;
	}
	if (begin == value)
		return false;
	begin[-1] = '\0';
	return true;
}

static void drop_items(struct shrinking *shrinking)
{
	for (unsigned s = 0; s < shrinking->best->count; s++)
		for (unsigned k = 0; k < shrinking->best->sections[s].count; k++)
			for (unsigned n = 0; n < 32;) {
				shrinking->next = *shrinking->best;
				if (!drop_item(shrinking->next.sections[s].keys[k].value, n))
					break;
				n += keep(shrinking) ? 0 : 1;
			}
}

/* ---- numbers -------------------------------------------------------------------------------------------------------- */

/* The n-th number in the text, and where it ends; NULL: there is none. */
static char *find_number(char *text, unsigned n, char **end)
{
	for (char *at = text; *at != '\0'; at = *end) {
		*end = at + 1;
		if (!isdigit((unsigned char)*at) || (at > text && isalpha((unsigned char)at[-1])))
			continue; /* a digit in a name is no number */
		*end = at + strspn(at, "0123456789");
		if (n-- == 0)
			return at;
	}
	return NULL;
}

static bool set_number(struct document_key *key, unsigned n, uint64_t number)
{
	char rest[sizeof(key->value)];
	char *end;
	char *at = find_number(key->value, n, &end);
	size_t room;

	if (at == NULL)
		return false;
	snprintf(rest, sizeof(rest), "%s", end);
	room = sizeof(key->value) - (size_t)(at - key->value);
	return (size_t)snprintf(at, room, "%" PRIu64 "%s", number, rest) < room;
}

static bool try_number(struct shrinking *shrinking, unsigned s, unsigned k, unsigned n, uint64_t number)
{
	shrinking->next = *shrinking->best;
	return set_number(&shrinking->next.sections[s].keys[k], n, number) && keep(shrinking);
}

/* The number with all digits but the first one 0. */
static uint64_t round_down(uint64_t number)
{
	uint64_t unit = 1;

	while (number / unit >= 10)
		unit *= 10;
	return number / unit * unit;
}

/* 1 at once, or half, and half of that; then a round one. */
static void reduce(struct shrinking *shrinking, unsigned s, unsigned k, unsigned n, uint64_t number)
{
	if (number <= 1 || try_number(shrinking, s, k, n, 1))
		return;
	while (number / 2 > 1 && try_number(shrinking, s, k, n, number / 2))
		number /= 2;
	if (round_down(number) != number)
		try_number(shrinking, s, k, n, round_down(number));
}

static void reduce_numbers(struct shrinking *shrinking)
{
	for (unsigned s = 0; s < shrinking->best->count; s++)
		for (unsigned k = 0; k < shrinking->best->sections[s].count; k++)
			for (unsigned n = 0; n < 32; n++) {
				char *end;
				char *at = find_number(shrinking->best->sections[s].keys[k].value, n, &end);

				if (at == NULL)
					break;
				reduce(shrinking, s, k, n, strtoull(at, NULL, 10));
			}
}

void shrink(struct document *document, struct trial *trial)
{
	struct shrinking *shrinking = malloc(sizeof(*shrinking));

	if (shrinking == NULL)
		return; /* as it is, it fails, too */
	*shrinking = (struct shrinking){.best = document, .trial = trial, .end = now() + TIME_MOST};
	shrinking->seconds = trial->end == TRIAL_HUNG ? TRIAL_SECONDS : TRIAL_SHORT;
	do {
		shrinking->helped = false;
		drop_sections(shrinking);
		drop_items(shrinking);
		drop_keys(shrinking);
		reduce_numbers(shrinking);
	} while (shrinking->helped && now() < shrinking->end);
	free(shrinking);
}
