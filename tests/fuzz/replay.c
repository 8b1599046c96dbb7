/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay - all seeds, once, with any compiler: tests/fuzz/seeds/KIND/NAME. It speaks TAP.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define SEED_MAX (1 << 20)

static unsigned char seed[SEED_MAX];

static const char *replay(enum fuzz_kind kind, const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t length;

	if (!file)
		return "it cannot be read";
	length = fread(seed, 1, sizeof(seed), file);
	fclose(file);
	return fuzz_input(kind, seed, length);
}

/* A kind without seeds fails: they are in the tree. */
static int replay_all(enum fuzz_kind kind, const char *directory, int count)
{
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/seeds/%s/*", directory, fuzz_kinds[kind]);
	if (glob(pattern, 0, NULL, &found) != 0) {
		printf("not ok %d - %s: no seeds\n", ++count, pattern);
		return count;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *wrong = replay(kind, found.gl_pathv[i]);

		printf("%s %d - %s\n", wrong ? "not ok" : "ok", ++count, found.gl_pathv[i]);
		if (wrong)
			printf("# %s\n", wrong);
	}
	globfree(&found);
	return count;
}

int main(void)
{
	const char *directory = getenv("WEIR_SRCDIR");
	int count = 0;

	for (unsigned kind = 0; kind < FUZZ_KINDS; kind++)
		count = replay_all((enum fuzz_kind)kind, directory ? directory : ".", count);
	printf("1..%d\n", count);
	return 0;
}
