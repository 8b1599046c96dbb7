/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink - makes a failing scenario smaller, as long as it fails in the same way.
 */
#ifndef SHRINK_H
#define SHRINK_H

#include "document.h"
#include "trial.h"

/* Shrinks the document, and tells how what is left of it fails. At most so many trials are made. */
void shrink(struct document *document, struct trial *trial, unsigned trials);

#endif
