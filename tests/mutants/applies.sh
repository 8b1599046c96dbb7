#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every mutant still fits the tree, and says what it breaks. Whether they are caught takes longer: `make mutants`.
set -u

: "${WEIR_SRCDIR:?}"

if ! command -v patch >/dev/null; then
	echo '1..0 # SKIP patch is missing'
	exit 0
fi

count=0
failed=0
for patch in "$WEIR_SRCDIR"/tests/mutants/*.patch; do
	count=$((count + 1))
	name=$(basename "$patch" .patch)
	if ! said=$(patch --dry-run --silent --force -p1 -d "$WEIR_SRCDIR" -i "$patch" 2>&1); then
		printf 'not ok %d - %s applies\n' "$count" "$name"
		printf '%s\n' "$said" | sed 's/^/# /'
		failed=1
	elif sed -n 1p "$patch" | grep -q '^\(---\|diff\|$\)'; then
		printf 'not ok %d - %s says what it breaks\n' "$count" "$name"
		failed=1
	else
		printf 'ok %d - %s applies: %s\n' "$count" "$name" "$(sed -n 1p "$patch")"
	fi
done
printf '1..%d\n' "$count"
exit "$failed"
