/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink - makes a failing scenario smaller, as long as it fails in the same way.
 */
#ifndef SHRINK_H
#define SHRINK_H

#include "document.h"
#include "trial.h"

/* Shrinks the document, and tells how what is left of it fails. Takes two minutes at most. */
void shrink(struct document *document, struct trial *trial);

#endif
