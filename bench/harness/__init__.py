# SPDX-License-Identifier: BSD-2-Clause
"""What bench/run is made of.

command   the options, and the order of everything
bench     what is running during a run: one faucet-and-sink server and one process for each set-up
setups    how every proxy is configured and started
cases     what is measured, and which of its figures are shown
load, memory, syscalls, iperf, paired      the ways of measuring
summary, targets      medians, ratios, and what weir is to reach
tables, plots, report      what is printed and written
process, machine, error    what all of them need
"""
