/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_nft - reads rules by libnftables, and tries some where they harm nobody: in a child process with a network
 * namespace of its own, which ends with it.
 */
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor_parts.h"

#define LIST "list table inet " PLAN_TABLE
#define NO_NAMESPACE 3 /* status of the child */

static int ignore(const struct nlmsghdr *message, void *data)
{
	(void)message;
	(void)data;
	return MNL_CB_OK;
}

bool doctor_nft_may(void)
{
	char buffer[64];
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(question, sizeof(*header));

	question->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	header->version = NFNETLINK_V0;
	return doctor_ask(NETLINK_NETFILTER, question, ignore, NULL) == 0;
}

/* "Error: what", of lines that show where. */
static char *first_error(const char *text)
{
	const char *error = strstr(text, "Error: ");

	if (error != NULL)
		text = error + strlen("Error: ");
	return strndup(text, strcspn(text, "\n"));
}

int doctor_nft(const char *commands, char **text)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int rc;

	*text = NULL;
	if (nft == NULL)
		return -1;
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_PRIO);
	if (nft_ctx_buffer_output(nft) != 0 || nft_ctx_buffer_error(nft) != 0) {
		nft_ctx_free(nft);
		return -1;
	}
	rc = nft_run_cmd_from_buffer(nft, commands) == 0 ? 0 : -1;
	*text = rc == 0 ? strdup(nft_ctx_get_output_buffer(nft)) : first_error(nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
	return rc;
}

const char *doctor_take_line(const char *text, char line[DOCTOR_LINE_MAX])
{
	size_t indent = strspn(text, "\t "), length = strcspn(text, "\n");

	snprintf(line, DOCTOR_LINE_MAX, "%.*s", (int)(length - (indent < length ? indent : length)), text + indent);
	return text + length + (text[length] == '\n');
}

/* ---- elsewhere ----------------------------------------------------------------------------------------------------- */

/* Whoever is not root may have a namespace within a user namespace. */
static bool leave(void)
{
	return unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static void tell(int fd, const char *text)
{
	size_t left = text == NULL ? 0 : strlen(text);

	while (left > 0) {
		ssize_t sent = write(fd, text, left);

		if (sent <= 0)
			return;
		text += sent;
		left -= (size_t)sent;
	}
}

static _Noreturn void be_child(int fd, const char *commands)
{
	char *text = NULL;
	int rc;

	if (!leave())
		_exit(NO_NAMESPACE);
	rc = doctor_nft(commands, &text);
	if (rc == 0) {
		free(text);
		rc = doctor_nft(LIST, &text);
	}
	tell(fd, text);
	free(text);
	_exit(rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* NULL: no memory. */
static char *read_all(int fd)
{
	char chunk[4096], *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	ssize_t got;

	while (memory != NULL && (got = read(fd, chunk, sizeof(chunk))) > 0)
		fwrite(chunk, 1, (size_t)got, memory);
	if (memory == NULL || fclose(memory) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

int doctor_nft_elsewhere(const char *commands, char **text)
{
	int ends[2], status = 0;
	pid_t child;

	*text = NULL;
	if (pipe(ends) != 0)
		return -2;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		be_child(ends[1], commands);
	}
	close(ends[1]);
	if (child > 0)
		*text = read_all(ends[0]);
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
		WEXITSTATUS(status) == NO_NAMESPACE || *text == NULL)
		return -2;
	return WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -1;
}
