# SPDX-License-Identifier: BSD-2-Clause
# Inputs that nobody thought of. `make check` replays the seeds; `make fuzz` looks for more, with clang's libFuzzer, for so
# many seconds a kind. What it finds it leaves in fuzz/, and it becomes a seed by being copied to seeds/KIND/NAME.

FUZZ_SECONDS = 30
FUZZ_CC = clang
fuzz_kinds = line resp u32be pgsql proxy

check_PROGRAMS += tests/fuzz/replay
tests_fuzz_replay_SOURCES = \
	tests/fuzz/replay.c \
	tests/fuzz/framing.c \
	tests/fuzz/fuzz.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/proxy.c \
	$(framing)
tests_fuzz_replay_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/policies
tests_fuzz_replay_LDADD = src/libweir.a
TESTS += tests/fuzz/replay

EXTRA_DIST += tests/fuzz/fuzzer.c tests/fuzz/pgsql.dict tests/fuzz/proxy.dict tests/fuzz/resp.dict tests/fuzz/seeds

fuzz_parsed = $(framing) src/address.c src/proxy_header.c src/proxy_header_v1.c src/proxy_header_v2.c src/text.c
fuzz_sources = $(addprefix $(srcdir)/,$(filter %.c,$(fuzz_parsed)) \
	tests/fuzz/fuzzer.c tests/fuzz/framing.c tests/fuzz/fuzz.c tests/fuzz/proxy.c)
fuzz_includes = -iquote $(srcdir)/policies -iquote $(srcdir)/src
fuzz_flags = -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

fuzz:
	@command -v $(FUZZ_CC) >/dev/null || { \
		echo 'make fuzz: needs clang with libFuzzer (Debian: apt install clang libclang-rt-dev)' >&2; exit 1; }
	@set -e; for kind in $(fuzz_kinds); do \
		$(MKDIR_P) fuzz/$$kind; \
		name=FUZZ_$$(echo $$kind | tr a-z A-Z); dict=$(srcdir)/tests/fuzz/$$kind.dict; \
		$(FUZZ_CC) $(fuzz_flags) -DFUZZ_KIND=$$name $(fuzz_includes) -o fuzz/fuzz-$$kind $(fuzz_sources); \
		echo "make fuzz: $$kind, $(FUZZ_SECONDS) s"; \
		fuzz/fuzz-$$kind -max_total_time=$(FUZZ_SECONDS) -max_len=512 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=fuzz/$$kind- $$(test ! -f $$dict || echo -dict=$$dict) \
			fuzz/$$kind $(srcdir)/tests/fuzz/seeds/$$kind; \
	done

.PHONY: fuzz
