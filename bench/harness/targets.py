# SPDX-License-Identifier: BSD-2-Clause
"""What weir is to reach, row by row, and whether it did.

A row of 1.0x is a tie while the figure is within noise of it: 5 %, in bulk 10 %. All others are met or missed.
"""
import dataclasses

from . import cases as c
from . import paired
from .summary import PLAIN, RELAYS, WEIR, divide

BULK = ("bulk-1", "bulk-8", "bulk-100", "bulk-1000", "bulk-both-1", "bulk-both-8")
ROUNDS = tuple(f"rounds-{size}x{n}" for size in c.SIZES for n in (1, 64))
NOISE, BULK_NOISE = 0.05, 0.10
TURN = 256 * 1024  # bytes that one flow may move before the others get their turn
GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Row:
    """One target: what, how much, what was found, and the verdict."""

    what: str
    target: str
    figure: str = "-"
    verdict: str = "not measured"

    @property
    def measured(self):
        return self.figure != "-"


def _verdict(ratio, limit, figure, noise):
    """Of a ratio to the best peer."""
    if limit == 1.0 and 1 - noise <= ratio <= 1 + noise:
        return "tie"
    reached = ratio >= limit if figure.higher else ratio <= limit
    return "met" if reached else "missed"


def _against(summary, case, figure, limit, among=None, noise=NOISE):
    """A row of weir against the best of some peers."""
    whom = "haproxy and nginx" if among is PLAIN else "the best peer"
    row = Row(f"{case}: {figure.label}", f"at {'least' if figure.higher else 'most'} {limit:g}x {whom}")
    name, value = summary.best(case, figure, among) if among else summary.best(case, figure)
    own = summary.median(case, WEIR, figure.key)
    ratio = divide(own, value)
    if ratio is None:
        return row
    text = f"{ratio:.2f}x ({figure.text(own)} : {figure.text(value)}, {name})"
    return dataclasses.replace(row, figure=text, verdict=_verdict(ratio, limit, figure, noise))


def _bulk_cpu(summary, case):
    """The stretch: level with the bare relay passes, too."""
    row = _against(summary, case, c.CPU_PER_GIB, 1.0, noise=BULK_NOISE)
    name, value = summary.best(case, c.CPU_PER_GIB, RELAYS)
    ratio = divide(summary.median(case, WEIR, c.CPU_PER_GIB.key), value)
    if ratio is None:
        return row
    figure = f"{row.figure}; {ratio:.2f}x {name}"
    verdict = "met (level with the relay)" if row.verdict == "missed" and ratio <= 1 + NOISE else row.verdict
    target = f"{row.target}, or level with the relay"
    return dataclasses.replace(row, target=target, figure=figure, verdict=verdict)


def _bulk(summary):
    rows = [_bulk_cpu(summary, case) for case in BULK]
    rows += [_against(summary, case, c.CPU_PER_GIB, 0.4, PLAIN) for case in BULK]
    return rows + [_against(summary, case, c.GBIT_S, 1.0, noise=BULK_NOISE) for case in BULK]


def _rounds(summary):
    rows = [_against(summary, case, c.CPU_PER_ROUND, 0.92) for case in ROUNDS]
    rows += [_against(summary, case, c.ROUNDS_S, 1.05) for case in ROUNDS]
    return rows + [_against(summary, case, c.P99, 1.0) for case in ROUNDS]


def _at_most(summary, case, figure, limit, what):
    row = Row(f"{case}: {what}", f"at most {limit:g}")
    value = summary.median(case, WEIR, figure.key)
    if value is None:
        return row
    return dataclasses.replace(row, figure=figure.text(value), verdict="met" if value <= limit else "missed")


def _memory(summary):
    rows = []
    for case in ("idle-fresh", "idle-used"):
        rows.append(_at_most(summary, case, c.USER, 1.5, "user space, KiB"))
        rows.append(_at_most(summary, case, c.PIPES, 0, "pipes"))
        rows.append(_against(summary, case, c.TOTAL, 0.75))
    for case in ("stalled", "stalled-warm"):
        rows.append(_against(summary, case, c.TOTAL, 0.2))
        rows.append(_against(summary, case, c.SOCKSTAT, 0.2))
    return rows


def _mice(summary):
    """The bound: one turn of the elephant, at what its bytes cost."""
    alone, beside = (summary.median(case, WEIR, c.P99.key) for case in ("mice-0", "mice-1"))
    cost = summary.median("bulk-down-1", WEIR, c.CPU_PER_GIB.key)
    what = "mice: p99 beside an elephant"
    if cost is None:
        return Row(what, f"at most {TURN // 1024} KiB of the elephant's work later (needs bulk-down-1)")
    bound = cost * 1e6 * TURN / GIB
    row = Row(what, f"at most {bound:.0f} us later: {TURN // 1024} KiB of the elephant at {cost:.3f} s/GiB")
    if alone is None or beside is None:
        return row
    verdict = "met" if beside - alone <= bound else "missed"
    return dataclasses.replace(row, figure=f"{beside - alone:+.0f} us ({alone:.0f} : {beside:.0f})", verdict=verdict)


def _flat(summary, kind, figure):
    """How much dearer a unit gets than it is with one connection; cheaper is fine."""
    row = Row(f"scale: {figure.label}, 1 to 1,000 connections", "at most 1.15x that of 1 connection")
    costs = [summary.median(case, WEIR, figure.key) for case in c.scale_names(kind)]
    if None in costs:
        return row
    growth = max(costs) / costs[0]
    text = f"{growth:.2f}x ({' : '.join(map(figure.text, costs))})"
    return dataclasses.replace(row, figure=text, verdict="met" if growth <= 1.15 else "missed")


def _policy(found, workload):
    row = Row(f"policy: CPU, watermark : none, {workload}", "1.0 within its 95 % interval, that within +-3 %")
    if workload not in found:
        return row
    mean, half = found[workload]["mean"], found[workload]["half"]
    if half is None:
        return row
    text = f"{mean:.3f} +-{half:.3f}, {len(found[workload]['ratios'])} pairs"
    return dataclasses.replace(row, figure=text, verdict="met" if abs(mean - 1) <= half < 0.03 else "missed")


def _policy_calls(found, workload):
    row = Row(f"policy: system calls, watermark : none, {workload}", "the same, within 2 %")
    calls = found.get(workload, {}).get("calls", {})
    ratio = divide(calls.get(paired.WITH), calls.get(paired.WITHOUT))
    if ratio is None:
        return row
    text = f"{calls[paired.WITH]:,.2f} : {calls[paired.WITHOUT]:,.2f}"
    return dataclasses.replace(row, figure=text, verdict="met" if abs(ratio - 1) <= 0.02 else "missed")


def rows(summary, policy):
    """All of them."""
    return [
        *_bulk(summary),
        *_rounds(summary),
        _against(summary, "churn", c.CPU_PER_CONNECTION, 0.95),
        *_memory(summary),
        _mice(summary),
        _flat(summary, "bulk", c.CPU_PER_GIB),
        _flat(summary, "rounds", c.CPU_PER_ROUND),
        *(row(policy, workload) for workload in paired.WORKLOADS for row in (_policy, _policy_calls)),
    ]
