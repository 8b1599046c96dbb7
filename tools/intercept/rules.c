/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - the nftables table of a plan; see rules.h.
 *
 * libnftables reads rules from a string, too, but then it shows the first line beside each error, whichever line that is in.
 * Of a file it shows the right one: so the rules are in one, in memory.
 */
#include "rules.h"

#include <errno.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FILE_NAME_MAX 32

/* ---- what is told -------------------------------------------------------------------------------------------------- */

/* "/proc/self/fd/3:12:3-7: Error: ..." says nothing to anybody but the line. */
static void tell_line(FILE *errors, const char *line, size_t length, const char *file)
{
	size_t prefix = strlen(file);

	if (length > prefix && strncmp(line, file, prefix) == 0)
		fprintf(errors, "rules%.*s\n", (int)(length - prefix), line + prefix);
	else
		fprintf(errors, "%.*s\n", (int)length, line);
}

static const char *expected(const char *text)
{
	if (strstr(text, strerror(EPERM)) != NULL)
		return "expected the capability CAP_NET_ADMIN, as root has it";
	if (strstr(text, "cgroupv2 path") != NULL)
		return "expected cgroups that are there already, below /sys/fs/cgroup";
	return "expected a kernel with nf_tables, and nft_tproxy, nft_socket, nft_redir, nft_fib_inet as modules or in it";
}

static int tell(FILE *errors, const char *text, const char *file)
{
	fprintf(errors, "weir-intercept: nftables does not take the rules; %s\n", expected(text));
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		tell_line(errors, text, length, file);
		text += length + (text[length] == '\n');
	}
	return -1;
}

static int complain(FILE *errors, const char *what)
{
	fprintf(errors, "weir-intercept: cannot %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- what is done -------------------------------------------------------------------------------------------------- */

/* NULL with errno. */
static struct nft_ctx *open_nft(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (nft == NULL)
		return NULL;
	if (nft_ctx_buffer_error(nft) == 0 && nft_ctx_buffer_output(nft) == 0)
		return nft;
	nft_ctx_free(nft);
	errno = ENOMEM;
	return NULL;
}

static int run(const char *file, bool dry, FILE *errors)
{
	struct nft_ctx *nft = open_nft();
	int rc;

	if (nft == NULL)
		return complain(errors, "begin with nftables");
	nft_ctx_set_dry_run(nft, dry);
	rc = nft_run_cmd_from_filename(nft, file);
	if (rc != 0)
		rc = tell(errors, nft_ctx_get_error_buffer(nft), file);
	nft_ctx_free(nft);
	return rc;
}

/* The file is there until the stream is closed. */
static FILE *write_rules(const struct plan *plan, char name[FILE_NAME_MAX])
{
	int fd = memfd_create("weir-rules", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (file == NULL)
		return NULL;
	plan_print_rules(plan, file);
	snprintf(name, FILE_NAME_MAX, "/proc/self/fd/%d", fd);
	if (fflush(file) == 0)
		return file;
	fclose(file);
	return NULL;
}

static int run_plan(const struct plan *plan, bool dry, FILE *errors)
{
	char name[FILE_NAME_MAX];
	FILE *file = write_rules(plan, name);
	int rc;

	if (file == NULL)
		return complain(errors, "write the rules down");
	rc = run(name, dry, errors);
	fclose(file);
	return rc;
}

int rules_check(const struct plan *plan, FILE *errors)
{
	return run_plan(plan, true, errors);
}

int rules_apply(const struct plan *plan, FILE *errors)
{
	return run_plan(plan, false, errors);
}

bool rules_exist(void)
{
	struct nft_ctx *nft = open_nft();
	bool exist = nft != NULL && nft_run_cmd_from_buffer(nft, "list table inet " PLAN_TABLE) == 0;

	if (nft != NULL)
		nft_ctx_free(nft);
	return exist;
}
