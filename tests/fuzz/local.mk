# SPDX-License-Identifier: BSD-2-Clause
# Inputs that nobody thought of. `make check` replays the seeds; `make fuzz` looks for more, with clang's libFuzzer, for so
# many seconds a framing. What it finds it leaves in fuzz/, and it becomes a seed by being copied to seeds/FRAMING/NAME.

FUZZ_SECONDS = 30
FUZZ_CC = clang
fuzz_framings = line resp u32be pgsql

check_PROGRAMS += tests/fuzz/replay
tests_fuzz_replay_SOURCES = tests/fuzz/replay.c tests/fuzz/framing.c tests/fuzz/fuzz.h $(framing)
tests_fuzz_replay_CPPFLAGS = $(AM_CPPFLAGS) -iquote $(top_srcdir)/policies
tests_fuzz_replay_LDADD =
TESTS += tests/fuzz/replay

EXTRA_DIST += tests/fuzz/fuzzer.c tests/fuzz/pgsql.dict tests/fuzz/resp.dict tests/fuzz/seeds

fuzz_sources = $(srcdir)/tests/fuzz/fuzzer.c $(srcdir)/tests/fuzz/framing.c $(addprefix $(srcdir)/,$(filter %.c,$(framing)))
fuzz_flags = -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

fuzz:
	@command -v $(FUZZ_CC) >/dev/null || { \
		echo 'make fuzz: needs clang with libFuzzer (Debian: apt install clang libclang-rt-dev)' >&2; exit 1; }
	@set -e; for framing in $(fuzz_framings); do \
		$(MKDIR_P) fuzz/$$framing; \
		kind=FRAMING_$$(echo $$framing | tr a-z A-Z); dict=$(srcdir)/tests/fuzz/$$framing.dict; \
		$(FUZZ_CC) $(fuzz_flags) -DFUZZ_KIND=$$kind -iquote $(srcdir)/policies -o fuzz/fuzz-$$framing $(fuzz_sources); \
		echo "make fuzz: $$framing, $(FUZZ_SECONDS) s"; \
		fuzz/fuzz-$$framing -max_total_time=$(FUZZ_SECONDS) -max_len=512 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=fuzz/$$framing- $$(test ! -f $$dict || echo -dict=$$dict) \
			fuzz/$$framing $(srcdir)/tests/fuzz/seeds/$$framing; \
	done

.PHONY: fuzz
