# SPDX-License-Identifier: BSD-2-Clause
"""Tables, for a terminal and in Markdown."""
import collections
import dataclasses

from . import paired


@dataclasses.dataclass
class Table:
    """A title, a head and rows of text. The first column is a name, the others are numbers unless they are words."""

    title: str
    head: list
    rows: list
    words: bool = False

    def text(self):
        lines = [self.head] + self.rows
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        return "\n".join([self.title] + ["  " + self._line(line, widths) for line in lines]) + "\n"

    def _line(self, line, widths):
        cells = [
            cell.ljust(width) if column == 0 or self.words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ]
        return "  ".join(cells).rstrip()

    def markdown(self):
        right = "---" if self.words else "---:"
        rule = ["---"] + [right] * (len(self.head) - 1)
        lines = ["| " + " | ".join(line) + " |" for line in [self.head] + self.rows]
        return "\n".join([f"### {self.title}", "", lines[0], "|" + "|".join(rule) + "|"] + lines[1:]) + "\n"


def _full(summary, case, proxy, figure):
    """Median, range and weir's ratio: three cells."""
    values = summary.values(case.name, proxy, figure.key)
    if not values:
        return ["-", "", ""]
    span = f"{figure.text(min(values))}..{figure.text(max(values))}" if len(values) > 1 else ""
    ratio = summary.ratio(case.name, proxy, figure.key)
    return [figure.text(summary.median(case.name, proxy, figure.key)), span, _ratio(ratio)]


def _ratio(value):
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def of_case(summary, case, proxies):
    """A row for each set-up that was measured."""
    shown = [f for f in case.figures if any(summary.values(case.name, proxy, f.key) for proxy in proxies)]
    head = [""]
    for figure in shown:
        head += [figure.label, "min..max", "weir/it"] if figure in case.full else [figure.label]
    rows = []
    for proxy in proxies:
        if not summary.has(case.name, proxy):
            continue
        row = [proxy]
        for figure in shown:
            cells = _full(summary, case, proxy, figure)
            row += cells if figure in case.full else cells[:1]
        rows.append(row)
    return Table(f"{case.name}: {case.title}", head, rows)


def of_calls(summary, case, proxies):
    """Every system call that is at least a hundredth of some set-up's, by name."""
    found = {proxy: summary.samples(case.name, proxy)[0] for proxy in proxies if summary.has(case.name, proxy)}
    names = {}
    for figures in found.values():
        for name, value in figures["by_name"].items():
            if value >= figures["calls_per_unit"] / 100:
                names[name] = max(value, names.get(name, 0))
    names = sorted(names, key=names.get, reverse=True)
    rows = [[proxy] + [_call(figures["by_name"].get(name)) for name in names] for proxy, figures in found.items()]
    return Table(f"{case.name}: by name", [""] + names, rows)


def _call(value):
    return "" if value is None else f"{value:,.2f}"


def of_policy(found):
    """weir with its default policy against weir with none, pair by pair."""
    rows = []
    for workload, figures in found.items():
        half = figures["half"]
        calls = [_call(figures["calls"].get(name)) or "-" for name in (paired.WITH, paired.WITHOUT)]
        span = "-" if half is None else f"{figures['mean'] - half:.3f}..{figures['mean'] + half:.3f}"
        rows.append([workload, str(len(figures["ratios"])), f"{figures['mean']:.3f}", span] + calls)
    head = ["", "pairs", "CPU ratio", "95 % interval", "system calls a unit, watermark", "none"]
    return Table("policy: watermark against none", head, rows)


def of_targets(rows):
    """What weir is to reach; rows that this run says nothing about are counted only."""
    known = [row for row in rows if row.measured]
    counts = collections.Counter("not measured" if not row.measured else row.verdict.split(" ")[0] for row in rows)
    title = "targets: " + ", ".join(f"{counts[word]} {word}" for word in ("met", "tie", "missed", "not measured"))
    shown = [[row.what, row.target, row.figure, row.verdict] for row in known]
    return Table(title, ["what", "target", "weir", "verdict"], shown, words=True)
