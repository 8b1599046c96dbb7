# SPDX-License-Identifier: BSD-2-Clause
"""bench/costs: CPU for each unit of work under each policy, against the default one, in interleaved rounds."""
import argparse
import json
import os
import signal
import statistics
import sys

from . import cases, cost_cases, cost_turns, machine, paired, tables
from .bench import Bench, default_build
from .error import BenchError

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUSY = 0.5  # load average


def _say(text):
    print(f"costs: {text}", file=sys.stderr, flush=True)


def _names(text):
    return [name for name in text.split(",") if name]


def _parser():
    parser = argparse.ArgumentParser(
        prog="bench/costs",
        description="What each policy costs: CPU time of weir for a GiB or a round trip, divided by that with the "
        "default policy in the same round; and instructions, which repeat themselves.",
    )
    add = parser.add_argument
    cores = sorted(os.sched_getaffinity(0))
    names = ", ".join(case.name for case in cost_cases.CASES)
    add("--build", metavar="DIR", default=default_build(TOP), help="the build tree [%(default)s]")
    add("--rounds", type=int, default=15, metavar="N", help="[%(default)s]")
    add("--seconds", type=float, default=0.6, metavar="S", help="length of a measured window [%(default)s]")
    add("--cases", type=_names, metavar="A,B", help=f"of {names}, and turns [all]")
    add("--only", type=_names, metavar="A,B", help="only policies whose names begin so, against the default one [all]")
    add("--out", metavar="FILE", help="what was found, as JSON, every sample")
    add("--proxy-core", type=int, default=cores[0], metavar="N", help="the processor of the proxies [%(default)s]")
    add("--load-core", type=int, default=cores[:2][-1], metavar="N", help="the processor of the load [%(default)s]")
    return parser


def _is_named(shown, names):
    return not names or shown == cost_cases.BASE or any(shown.startswith(name) for name in names)


def _parse(arguments):
    parser = _parser()
    options = parser.parse_args(arguments)
    known = [case.name for case in cost_cases.CASES] + [cost_turns.NAME]
    options.cases = options.cases or known
    for name in options.cases:
        if name not in known:
            parser.error(f"no case named {name}; expected one of {', '.join(known)}")
    options.build = os.path.abspath(options.build)
    options.quick = False
    chosen = [case for case in cost_cases.CASES if case.name in options.cases]
    every = [item for case in chosen for item in case.proxies().items()]
    options.only = {proxy for proxy, shown in every if _is_named(shown, options.only)}
    return options, chosen


def _sample(bench, case, load, setup, where, found):
    try:
        figures = load.sample(bench, setup)
    except (BenchError, OSError, ValueError) as error:
        _say(f"{where} {setup.name}: {error}")
        found["failures"].append(f"{where} {setup.name}: {error}")
        return
    _say(f"{where} {setup.name}: {figures[case.unit]:.3f}")
    found["samples"].setdefault(case.name, {}).setdefault(setup.name, {})[str(found["round"])] = figures


def _round(bench, chosen, catalogue, found):
    """In each case all set-ups have their turn, beginning with another one each time."""
    first = found["round"]
    for case in chosen:
        names = case.proxies()
        order = [setup for setup in bench.setups if setup.name in names]
        order = order[first % len(order) :] + order[: first % len(order)]
        for setup in order:
            where = f"round {first + 1}/{bench.options.rounds} {case.name}"
            _sample(bench, case, catalogue.cases[case.load], setup, where, found)


def _ratios(samples, case, name):
    """Of the rounds in which both were measured."""
    base = samples.get(f"{cost_cases.BASE}{case.kind}", {})
    mine = samples.get(name, {})
    return [mine[at][case.unit] / base[at][case.unit] for at in mine if at in base and base[at][case.unit] > 0]


def _span(ratios):
    if len(ratios) < 2:
        return ""
    mean, half = paired.interval(ratios)
    return f"{mean - half:.3f}..{mean + half:.3f}"


def _row(samples, case, name, shown, figures):
    values = [sample[case.unit] for sample in samples[name].values()]
    ratios = _ratios(samples, case, name)
    unit, pace = figures
    median = statistics.median(sample[case.pace] for sample in samples[name].values())
    ratio = f"{statistics.median(ratios):.3f}" if ratios else ""
    cells = [unit.text(statistics.median(values)), f"{unit.text(min(values))}..{unit.text(max(values))}"]
    return [shown, *cells, ratio, _span(ratios), pace.text(median)]


def _table(found, case, catalogue):
    load = catalogue.cases[case.load]
    unit = next(figure for figure in load.figures if figure.key == case.unit)
    pace = next(figure for figure in load.figures if figure.key == case.pace)
    samples = found["samples"].get(case.name, {})
    names = [(name, shown) for name, shown in case.proxies().items() if name in samples]
    rows = [_row(samples, case, name, shown, (unit, pace)) for name, shown in names]
    head = ["", unit.label, "min..max", f"/ {cost_cases.BASE}", "95 % of the mean", pace.label]
    return tables.Table(f"{case.name}: {load.title}", head, rows)


def _cell(samples, case, shown):
    """The median ratio, and half the width of the 95 % interval of their mean."""
    name = next((name for name, other in case.proxies().items() if other == shown), None)
    ratios = _ratios(samples.get(case.name, {}), case, name)
    if not ratios or shown == cost_cases.BASE:
        return "1" if ratios else ""
    median, half = statistics.median(ratios), paired.interval(ratios)[1]
    return f"{median:.2f}" + (f" +-{half:.2f}" if len(ratios) > 1 else "")


def _overview(found, chosen):
    """All ratios at one look."""
    names = list(dict.fromkeys(shown for case in chosen for shown in case.proxies().values()))
    rows = [[shown] + [_cell(found["samples"], case, shown) for case in chosen] for shown in names]
    rows = [row for row in rows if any(row[1:])]
    return tables.Table(f"CPU, divided by {cost_cases.BASE}'s", [""] + [case.name for case in chosen], rows)


def _tell(found, chosen, catalogue, options):
    about = found["machine"]
    print(f"{about['date']}; {about['cpu']}, {about['processors']} processors; {about['kernel']}\n")
    if chosen:
        print(_overview(found, chosen).markdown())
    for case in chosen:
        print(_table(found, case, catalogue).markdown(), flush=True)
    if found["turns"]:
        print(cost_turns.table(found["turns"]).markdown(), flush=True)
    for failure in found["failures"]:
        print(f"failed: {failure}")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as stream:
            json.dump(found, stream, indent=1)
            stream.write("\n")


def _measure(options, chosen, found):
    catalogue = cases.Catalogue()
    if chosen:
        with Bench(options, machine.limit_descriptors(), cost_cases.every) as bench:
            bench.start(_say)
            for number in range(options.rounds):
                found["round"] = number
                _round(bench, chosen, catalogue, found)
    if cost_turns.NAME in options.cases:
        found["turns"] = cost_turns.measure(options.build, _say)
    _tell(found, chosen, catalogue, options)
    return 1 if found["failures"] else 0


def _interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    """The exit status: 0, 1 if anything failed, 2 if it was called in a wrong way."""
    options, chosen = _parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    described = machine.describe(os.path.join(options.build, "src", "weir"))
    if described["load_before"] > BUSY:
        _say(f"this machine is busy (load {described['load_before']:.1f}): expect noise")
    found = {"machine": described, "samples": {}, "turns": {}, "failures": []}
    try:
        return _measure(options, chosen, found)
    except (BenchError, OSError) as error:
        _say(str(error))
        return 1
