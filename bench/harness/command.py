# SPDX-License-Identifier: BSD-2-Clause
"""The command line, and the order of everything."""
import argparse
import os
import signal
import sys
import time

from . import cases, machine, paired, report, setups
from .bench import Bench, default_build
from .error import BenchError, Missing

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUSY = 0.5  # load average


def _say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _names(text):
    return [name for name in text.split(",") if name]


def _parser():
    parser = argparse.ArgumentParser(
        prog="bench/run",
        description="Measures weir beside haproxy, nginx, a bare relay and no proxy at all, in interleaved rounds; "
        "bench/README.md says how to read what it prints.",
    )
    add = parser.add_argument
    cores = sorted(os.sched_getaffinity(0))
    add("--build", metavar="DIR", default=default_build(TOP), help="the build tree [%(default)s]")
    add("--out", metavar="DIR", help="where the results go [bench-results in the build tree]")
    add("--rounds", type=int, metavar="N", help="rounds over everything [5; with --quick 1]")
    add("--seconds", type=float, metavar="S", help="length of a measured window [2; with --quick 0.3]")
    add("--pairs", type=int, metavar="N", help="pairs of the measure policy [15; with --quick 3]")
    add("--measures", type=_names, metavar="A,B", help="only these measures or cases (--list names them)")
    add("--only", type=_names, metavar="A,B", help="only these set-ups (--list names them)")
    add("--proxy-core", type=int, default=cores[0], metavar="N", help="the processor of the proxies [%(default)s]")
    add("--load-core", type=int, default=cores[:2][-1], metavar="N", help="the processor of the load [%(default)s]")
    add("--quick", action="store_true", help="short windows and few sessions: to see that it works, not to measure")
    add("--list", action="store_true", help="say what is measured on what, and end")
    return parser


def _parse(arguments, catalogue):
    parser = _parser()
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (0.3 if options.quick else 2)
    options.pairs = options.pairs or (3 if options.quick else 15)
    options.measures = options.measures or list(catalogue.measures)
    options.build = os.path.abspath(options.build)
    options.out = os.path.abspath(options.out or os.path.join(options.build, "bench-results"))
    names = [setup.name for setup in setups.every()]
    options.only = options.only or names
    for name in options.measures:
        if not catalogue.knows(name):
            parser.error(f"no measure named {name}; see --list")
    for name in options.only:
        if name not in names:
            parser.error(f"no set-up named {name}; expected one of {', '.join(names)}")
    return options


def _list(catalogue):
    print("measures:")
    for name, members in catalogue.measures.items():
        print(f"  {name:10} {', '.join(members) if members else 'weir against weir-none, in pairs'}")
    print("cases:")
    for case in catalogue.cases.values():
        print(f"  {case.name:16} {case.title}")
    print("set-ups:")
    for setup in setups.every():
        try:
            setup.check()
            print(f"  {setup.name:16} {setup.what}")
        except Missing as error:
            print(f"  {setup.name:16} {setup.what}; {error}")


def _check(options):
    """What nothing can be done without."""
    for parts in (("src", "weir"), ("bench", "load"), ("bench", "relay")):
        path = os.path.join(options.build, *parts)
        if not os.access(path, os.X_OK):
            raise BenchError(f"{path} is missing: run `make bench` there, or say --build DIR")
    usable = os.sched_getaffinity(0)
    for core in (options.proxy_core, options.load_core):
        if core not in usable:
            raise BenchError(f"processor {core} cannot be used here; expected one of {sorted(usable)}")
    if options.proxy_core == options.load_core:
        _say("proxy and load share a processor: throughput says little, CPU for each unit is what to read")


def _brief(case, figures):
    shown = [f"{figure.text(figures[figure.key])} {figure.label}" for figure in case.full if figure.key in figures]
    return ", ".join(shown)


def _sample(bench, case, setup, number, results):
    """One sample into the results. What fails is said, kept, and does not end the run."""
    where = f"round {number + 1}/{bench.options.rounds} {case.name} {setup.name}"
    try:
        figures = case.sample(bench, setup)
    except (BenchError, OSError, ValueError) as error:
        _say(f"{where}: {error}")
        results.failures.append(f"{where}: {error}")
        return
    if figures is None:
        return
    _say(f"{where}: {_brief(case, figures)}")
    results.samples.append({"round": number, "case": case.name, "proxy": setup.name, "figures": figures})


def _run(bench, catalogue, chosen, results):
    """All rounds; in each, every case goes over all set-ups, beginning with another one each time."""
    for number in range(bench.options.rounds):
        start = time.monotonic()
        first = number % len(bench.setups)
        order = bench.setups[first:] + bench.setups[:first]
        for case in chosen:
            for setup in order if number < case.rounds else []:
                _sample(bench, case, setup, number, results)
        report.write_samples(results, bench.options.out)
        _say(f"round {number + 1}/{bench.options.rounds} took {time.monotonic() - start:.0f} s")
    if "policy" in bench.options.measures:
        results.policy = paired.measure(bench, catalogue, _say)


def _bench(options, catalogue):
    _check(options)
    os.makedirs(options.out, exist_ok=True)
    described = machine.describe(os.path.join(options.build, "src", "weir"))
    if described["load_before"] > BUSY:
        _say(f"this machine is busy (load {described['load_before']:.1f}): expect noise in every figure")
    results = report.Results(described, vars(options).copy(), [], [], {})
    chosen = _available(catalogue.select(options.measures))
    with Bench(options, machine.limit_descriptors()) as bench:
        bench.start(_say)
        if not bench.setups:
            raise BenchError("no set-up is left")
        try:
            _run(bench, catalogue, chosen, results)
        except BenchError as error:
            _say(str(error))
            results.failures.append(str(error))
        proxies = [setup.name for setup in bench.setups]
    try:
        report.finish(results, chosen, proxies, options.out)
    except Missing as error:
        _say(f"without SVGs: {error}")
    _say(f"results.json, results.md and SVGs are in {options.out}")
    return 1 if results.failures else 0


def _available(chosen):
    """Without the cases that this machine lacks something for."""
    found = []
    for case in chosen:
        try:
            case.check()
            found.append(case)
        except Missing as error:
            _say(f"without {case.name}: {error}")
    return found


def _interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    """The exit status: 0, 1 if anything failed, 2 if it was called in a wrong way."""
    catalogue = cases.Catalogue()
    options = _parse(arguments, catalogue)
    if options.list:
        _list(catalogue)
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        return _bench(options, catalogue)
    except BenchError as error:
        _say(str(error))
        return 1
