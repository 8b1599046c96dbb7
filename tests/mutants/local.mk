# SPDX-License-Identifier: BSD-2-Clause
# Faults put in on purpose, one at a time: `make mutants` shows what notices each, which takes some minutes.

mutants:
	+@MAKE='$(MAKE)' $(SHELL) $(srcdir)/tests/mutants/run '$(abs_srcdir)' '$(abs_builddir)/mutants'

.PHONY: mutants

dist_check_SCRIPTS += tests/mutants/applies.sh
TESTS += tests/mutants/applies.sh
EXTRA_DIST += \
	tests/mutants/run \
	tests/mutants/alpha-ignored.patch \
	tests/mutants/answers-uncounted.patch \
	tests/mutants/backlog-ignored.patch \
	tests/mutants/bucket-overfull.patch \
	tests/mutants/cap-plus-one-byte.patch \
	tests/mutants/cap-plus-one.patch \
	tests/mutants/chunks-early.patch \
	tests/mutants/circle-unnoticed.patch \
	tests/mutants/client-scope.patch \
	tests/mutants/deaf-reader.patch \
	tests/mutants/directions-shared.patch \
	tests/mutants/door-first.patch \
	tests/mutants/early-close.patch \
	tests/mutants/early-end.patch \
	tests/mutants/error-forgotten.patch \
	tests/mutants/floor-removed.patch \
	tests/mutants/grant-in-no-hand.patch \
	tests/mutants/grant-lost.patch \
	tests/mutants/grant-unheard.patch \
	tests/mutants/group-beyond.patch \
	tests/mutants/half-price.patch \
	tests/mutants/held-forgotten.patch \
	tests/mutants/high-plus-one.patch \
	tests/mutants/late-unit-unused.patch \
	tests/mutants/lease-kept.patch \
	tests/mutants/lease-uncounted.patch \
	tests/mutants/leaving-wakes-nobody.patch \
	tests/mutants/lifo-queue.patch \
	tests/mutants/lost-wakeup.patch \
	tests/mutants/low-forgotten.patch \
	tests/mutants/low-inclusive.patch \
	tests/mutants/mail-lost.patch \
	tests/mutants/mark-unnoticed.patch \
	tests/mutants/memory-kept.patch \
	tests/mutants/never-paid.patch \
	tests/mutants/no-byte-bound.patch \
	tests/mutants/no-hysteresis.patch \
	tests/mutants/nobody-is-woken.patch \
	tests/mutants/one-chunk-more.patch \
	tests/mutants/one-end-only.patch \
	tests/mutants/over-and-free.patch \
	tests/mutants/overtaking.patch \
	tests/mutants/own-share-unused.patch \
	tests/mutants/page-for-free.patch \
	tests/mutants/page-kept.patch \
	tests/mutants/ports-shared.patch \
	tests/mutants/read-forgotten.patch \
	tests/mutants/refill-unit.patch \
	tests/mutants/reset-as-end.patch \
	tests/mutants/return-unnoticed.patch \
	tests/mutants/segment-too-many.patch \
	tests/mutants/share-not-had.patch \
	tests/mutants/share-put-back.patch \
	tests/mutants/stale-verdict.patch \
	tests/mutants/surplus-kept.patch \
	tests/mutants/time-lost.patch \
	tests/mutants/timeout-never.patch \
	tests/mutants/timer-once.patch \
	tests/mutants/unacked-is-free.patch \
	tests/mutants/uncounted-keeps.patch \
	tests/mutants/upstreams-apart.patch \
	tests/mutants/wildcard-unnoticed.patch \
	tests/mutants/written-is-acked.patch \
	tests/mutants/wrong-bytes.patch \
	tests/mutants/wrong-side.patch \
	tests/mutants/yield-forgotten.patch
