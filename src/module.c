/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module - a policy's shared object: found by bare name, checked, opened, passed through the gate.
 */
#include "module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate.h"
#include "object.h"
#include "option.h"
#include "text.h"

#define NAME_LENGTH_MAX 64
#define SUGGESTIONS_MAX 64
#define SUFFIX ".so"

typedef const struct weir_policy *entry_function(void);

static struct module *modules; /* all that are open */

/* ---- who could have written it ------------------------------------------------------------------------------------- */

static int check_owner(int fd, mode_t type, const char *path, char *error, size_t error_size)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return text_error(error, error_size, "cannot look at %s: %s", path, strerror(errno));
	if ((status.st_mode & S_IFMT) != type)
		return text_error(error, error_size, "%s is no %s; expected one", path,
			type == S_IFDIR ? "directory" : "regular file");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return text_error(error, error_size, "%s belongs to uid %u; expected root or uid %u", path,
			(unsigned)status.st_uid, (unsigned)geteuid());
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return text_error(error, error_size,
			"%s can be written by others (mode %04o); expected write permission for its owner only", path,
			(unsigned)status.st_mode & 07777);
	return 0;
}

/* ---- finding it ---------------------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= NAME_LENGTH_MAX &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

/* The modules that the directory has, as a list for option_nearest(); its words are to be freed. */
static void list_names(int directory, char *names[SUGGESTIONS_MAX + 1])
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	size_t count = 0;

	while (stream != NULL && count < SUGGESTIONS_MAX && (entry = readdir(stream)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length <= strlen(SUFFIX) || strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		names[count] = strndup(entry->d_name, length - strlen(SUFFIX));
		if (names[count] != NULL)
			count++;
	}
	names[count] = NULL;
	if (stream != NULL)
		closedir(stream);
	else if (fd >= 0)
		close(fd);
}

static int refuse_missing(int directory, const struct module *module, char *error, size_t error_size)
{
	char *names[SUGGESTIONS_MAX + 1];
	const char *nearest;

	list_names(directory, names);
	nearest = option_nearest(module->name, (const char *const *)names);
	if (nearest != NULL)
		text_reason(error, error_size, "no file %s; did you mean \"%s\"?", module->path, nearest);
	else
		text_reason(error, error_size, "no file %s; expected a module that is installed there", module->path);
	for (size_t i = 0; names[i] != NULL; i++)
		free(names[i]);
	return -1;
}

static int open_file(int directory, const struct module *module, char *error, size_t error_size)
{
	char file[NAME_LENGTH_MAX + sizeof(SUFFIX)];
	int fd;

	snprintf(file, sizeof(file), "%s" SUFFIX, module->name);
	fd = openat(directory, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return refuse_missing(directory, module, error, error_size);
	if (fd < 0 && errno == ELOOP)
		return text_error(error, error_size, "%s is a symbolic link; expected the file itself", module->path);
	if (fd < 0)
		return text_error(error, error_size, "cannot open %s: %s; expected a readable file", module->path,
			strerror(errno));
	if (check_owner(fd, S_IFREG, module->path, error, error_size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The module's file, after its directory and it were found to be nobody else's. */
static int find_file(const char *directory, const struct module *module, char *error, size_t error_size)
{
	int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	if (directory_fd < 0)
		return text_error(error, error_size, "cannot open the module directory %s: %s; expected a directory",
			directory, strerror(errno));
	if (check_owner(directory_fd, S_IFDIR, directory, error, error_size) == 0)
		fd = open_file(directory_fd, module, error, error_size);
	close(directory_fd);
	return fd;
}

/* ---- opening it ---------------------------------------------------------------------------------------------------- */

/* dlopen()'s own words, without the name in /proc that they begin with. */
static int refuse_object(const struct module *module, const char *fd_path, char *error, size_t error_size)
{
	const char *reason = dlerror();

	if (reason == NULL)
		reason = "no reason given";
	if (strncmp(reason, fd_path, strlen(fd_path)) == 0) {
		reason += strlen(fd_path);
		reason += strspn(reason, ": ");
	}
	return text_error(error, error_size, "%s cannot be loaded: %s; expected a shared object for this machine",
		module->path, reason);
}

static int load(struct module *module, char *error, size_t error_size)
{
	entry_function *entry;
	char fd_path[sizeof("/proc/self/fd/") + 10];
	char reason[TEXT_ERROR_MAX];

	if (object_check(module->fd, reason, sizeof(reason)) < 0)
		return text_error(error, error_size, "%s %s", module->path, reason);
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", module->fd);
	module->handle = dlopen(fd_path, RTLD_NOW | RTLD_LOCAL);
	if (module->handle == NULL)
		return refuse_object(module, fd_path, error, error_size);
	*(void **)&entry = dlsym(module->handle, WEIR_POLICY_ENTRY); /* as POSIX wants it written */
	if (entry == NULL)
		return text_error(error, error_size, "%s has no function %s; expected a policy module", module->path,
			WEIR_POLICY_ENTRY);
	if (gate_pass(&module->api, entry(), module->name, reason, sizeof(reason)) < 0)
		return text_error(error, error_size, "%s: %s", module->path, reason);
	return 0;
}

static void module_free(struct module *module)
{
	if (module->handle != NULL)
		dlclose(module->handle);
	if (module->fd >= 0)
		close(module->fd);
	free(module->name);
	free(module->path);
	free(module);
}

static struct module *module_new(const char *directory, const char *name)
{
	struct module *module = calloc(1, sizeof(*module));

	if (module == NULL)
		return NULL;
	module->fd = -1;
	module->references = 1;
	module->name = strdup(name);
	if (asprintf(&module->path, "%s/%s" SUFFIX, directory, name) < 0)
		module->path = NULL;
	if (module->name == NULL || module->path == NULL) {
		module_free(module);
		return NULL;
	}
	return module;
}

static struct module *module_find(const struct module *like)
{
	for (struct module *module = modules; module != NULL; module = module->next)
		if (strcmp(module->path, like->path) == 0)
			return module;
	return NULL;
}

struct module *module_open(const char *directory, const char *name, char *error, size_t error_size)
{
	char quote[TEXT_QUOTE_MAX];
	struct module *module, *known;

	if (!is_name(name)) {
		text_reason(error, error_size, "%s is no module's name; expected at most %d of a-z, 0-9, '_' and '-'",
			text_quote(quote, name), NAME_LENGTH_MAX);
		return NULL;
	}
	module = module_new(directory, name);
	if (module == NULL) {
		text_reason(error, error_size, "no memory for the module; expected some");
		return NULL;
	}
	known = module_find(module);
	if (known != NULL) {
		known->references++;
		module_free(module);
		return known;
	}
	module->fd = find_file(directory, module, error, error_size);
	if (module->fd < 0 || load(module, error, error_size) < 0) {
		module_free(module);
		return NULL;
	}
	module->next = modules;
	modules = module;
	return module;
}

void module_close(struct module *module)
{
	struct module **link = &modules;

	if (--module->references > 0)
		return;
	while (*link != module)
		link = &(*link)->next;
	*link = module->next;
	module_free(module);
}

/* ---- help ---------------------------------------------------------------------------------------------------------- */

/* The option at this place of the options struct. */
static const char *key_at(const struct weir_policy *api, uint32_t offset)
{
	const struct weir_option *row;

	for (size_t i = 0; (row = option_at(api->options, api->option_stride, i)) != NULL; i++)
		if (row->offset == offset)
			return row->key;
	return "(no option)";
}

static void help_pool(FILE *out, const struct weir_policy *api, const struct weir_pool *pool)
{
	static const char *const scopes[] = {
		[WEIR_SCOPE_INSTANCE] = "[policy] section",
		[WEIR_SCOPE_LISTENER] = "listener",
		[WEIR_SCOPE_FLOW] = "flow",
		[WEIR_SCOPE_SESSION] = "session",
		[WEIR_SCOPE_CLIENT] = "client",
		[WEIR_SCOPE_UPSTREAM] = "upstream",
	};
	const char *each = (pool->flags & WEIR_POOL_DIRECTED) != 0 ? ", in each direction" : "";

	if (pool->scope == WEIR_SCOPE_OPTION)
		fprintf(out, "\npool %s, for whom %s says%s; ", pool->name, key_at(api, pool->scope_offset), each);
	else
		fprintf(out, "\npool %s, one for each %s%s; ", pool->name, scopes[pool->scope], each);
	fprintf(out, "%s gives its size", key_at(api, pool->size_offset));
	if ((pool->flags & WEIR_POOL_CONSUMED) != 0)
		fprintf(out, ", %s what comes back each second", key_at(api, pool->rate_offset));
	if ((pool->flags & WEIR_POOL_LOW) != 0)
		fprintf(out, ", %s its low mark", key_at(api, pool->low_offset));
	if ((pool->flags & WEIR_POOL_SEGMENTS) != 0)
		fprintf(out, ", %s its unit", key_at(api, pool->unit_offset));
	if ((pool->flags & WEIR_POOL_FLOOR) != 0)
		fprintf(out, ", %s what each flow owns", key_at(api, pool->floor_offset));
	if (pool->unit_bytes != 0)
		fprintf(out, ", a unit stands for %llu bytes of memory", (unsigned long long)pool->unit_bytes);
	fputc('\n', out);
}

void module_help(FILE *out, const struct module *module)
{
	const struct weir_policy *api = &module->api;

	fprintf(out, "%s - %s\n", api->name, api->summary);
	fprintf(out, "module ABI %u.%u, %s\n", (unsigned)api->major, (unsigned)api->minor, module->path);
	for (uint32_t i = 0; i < api->pool_count; i++) {
		struct weir_pool pool = gate_pool(api, i);

		help_pool(out, api, &pool);
	}
	for (uint32_t i = 0; i < api->counter_count; i++)
		fprintf(out, "\ncounter %s: %s\n", gate_counter(api, i).name, gate_counter(api, i).doc);
	fprintf(out, "\n[policy NAME]\n  module = %s\n", api->name);
	option_help(out, api->options, api->option_stride);
}
