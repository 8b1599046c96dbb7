/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * no_entry - a shared object that is no module: the function that all of them have is missing.
 */
int no_entry_at_all(void);

int no_entry_at_all(void)
{
	return 0;
}
