# SPDX-License-Identifier: BSD-2-Clause
"""Measure `policy`: does the default policy cost anything? weir with it and without any, in pairs."""
import math
import statistics

from .error import BenchError

WITH, WITHOUT = "weir", "weir-none"
WORKLOADS = {"bulk-1": ("cpu_s_per_gib", "syscalls-bulk"), "rounds-1kx1": ("cpu_us_per_round", "syscalls-rounds")}
# Student's t, two-sided 95 %, for 1 to 30 degrees of freedom
T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def interval(ratios):
    """(mean, half the width of its 95 % confidence interval)"""
    mean = statistics.mean(ratios)
    if len(ratios) < 2:
        return mean, math.inf
    freedom = len(ratios) - 1
    t = T_95[freedom - 1] if freedom <= len(T_95) else 1.96
    return mean, t * statistics.stdev(ratios) / math.sqrt(len(ratios))


def _pair(bench, case, setups, turn, key):
    order = setups if turn % 2 == 0 else setups[::-1]
    found = {setup.name: case.sample(bench, setup)[key] for setup in order}
    return found[WITH] / found[WITHOUT]


def _ratios(bench, case, setups, key, say):
    """One for each pair; a pair of which a half failed is left out, and said."""
    ratios = []
    for turn in range(bench.options.pairs):
        try:
            ratios.append(_pair(bench, case, setups, turn, key))
        except BenchError as error:
            say(f"policy {case.name}: {error}")
    if not ratios:
        raise BenchError(f"policy {case.name}: no pair succeeded")
    return ratios


def _calls(bench, case, setups):
    try:
        case.check()
        return {setup.name: case.sample(bench, setup)["calls_per_unit"] for setup in setups}
    except BenchError:
        return {}


def measure(bench, catalogue, say):
    """For each workload: the ratios of CPU for each unit, their mean and interval, and the system calls of both."""
    setups = [setup for setup in bench.setups if setup.name in (WITH, WITHOUT)]
    if len(setups) < 2:
        raise BenchError(f"policy: needs both {WITH} and {WITHOUT}")
    found = {}
    for name, (key, calls) in WORKLOADS.items():
        say(f"policy {name}: {bench.options.pairs} pairs")
        ratios = _ratios(bench, catalogue.cases[name], setups, key, say)
        mean, half = interval(ratios)
        found[name] = {
            "ratios": ratios,
            "mean": mean,
            "half": half if math.isfinite(half) else None,
            "calls": _calls(bench, catalogue.cases[calls], setups),
        }
    return found
