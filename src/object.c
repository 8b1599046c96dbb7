/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object - is this file a whole shared object?
 */
#include "object.h"

#include <elf.h>
#include <inttypes.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define EXPECTED "expected a shared object for this machine"

static int read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, buffer, size, (off_t)offset) == (ssize_t)size ? 0 : -1;
}

/* Class and byte order are this program's own; the processor is left for dlopen() to judge. */
static int check_header(const ElfW(Ehdr) * header, char *error, size_t error_size)
{
	const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	const unsigned char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return text_error(error, error_size, "is no ELF file; " EXPECTED);
	if (header->e_ident[EI_CLASS] != class || header->e_ident[EI_DATA] != order)
		return text_error(error, error_size, "is an ELF file of class %d and byte order %d; expected %d and %d",
			header->e_ident[EI_CLASS], header->e_ident[EI_DATA], class, order);
	if (header->e_type != ET_DYN || header->e_phentsize != sizeof(ElfW(Phdr)))
		return text_error(error, error_size, "is an ELF file of type %u; " EXPECTED ", type %d", header->e_type,
			ET_DYN);
	return 0;
}

int object_check(int fd, char *error, size_t error_size)
{
	ElfW(Ehdr) header;
	struct stat status;

	if (fstat(fd, &status) < 0 || read_at(fd, &header, sizeof(header), 0) < 0)
		return text_error(error, error_size, "is too short for an ELF file; " EXPECTED);
	if (check_header(&header, error, error_size) < 0)
		return -1;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		ElfW(Phdr) segment;
		uint64_t end, offset = header.e_phoff + (uint64_t)i * sizeof(segment);

		if (read_at(fd, &segment, sizeof(segment), offset) < 0)
			return text_error(error, error_size, "is cut off in its headers; expected the whole file");
		if (segment.p_type == PT_LOAD &&
			(__builtin_add_overflow(segment.p_offset, segment.p_filesz, &end) ||
				end > (uint64_t)status.st_size))
			return text_error(error, error_size,
				"is cut off at %" PRIu64 " bytes; expected at least %" PRIu64 ", as its headers say",
				(uint64_t)status.st_size, end);
	}
	return 0;
}
