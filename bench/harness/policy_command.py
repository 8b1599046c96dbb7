# SPDX-License-Identifier: BSD-2-Clause
"""bench/policies: each policy's scenario, simulated and over sockets, side by side."""
import argparse
import os
import shutil
import signal
import sys
import tempfile

from . import machine, policy_cases, policy_ends, policy_iperf, policy_report, policy_sim, process, setups
from .bench import default_build
from .error import BenchError, Missing
from .policy_trial import Trial, together
from .policy_weir import Weir

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUSY = 0.5  # load average
LEAST = {policy_cases.IPERF: 16 * 1024, policy_cases.THREADS: 1}  # bytes of a flow; iperf3's own connection has fewer


def _say(text):
    print(f"policies: {text}", file=sys.stderr, flush=True)


def _parser():
    parser = argparse.ArgumentParser(
        prog="bench/policies",
        description="Runs scenarios in weir-sim and, with the same policies, through weir over loopback; prints what "
        "should come of them, what does in the simulation, and what does in truth.",
    )
    add = parser.add_argument
    cores = sorted(os.sched_getaffinity(0))
    add("--build", metavar="DIR", default=default_build(TOP), help="the build tree [%(default)s]")
    add("--scenarios", metavar="DIR", default=os.path.join(TOP, "doc", "scenarios"), help="[%(default)s]")
    add("--out", metavar="FILE", help="what was found, as JSON, every sample")
    add("--rounds", type=int, default=3, metavar="N", help="rounds over all cases; medians are told [%(default)s]")
    add("--seconds", type=int, default=3, metavar="S", help="length of a run [%(default)s]")
    add("--only", type=lambda text: text.split(","), metavar="A,B", help="only these cases, by name or first word")
    add("--proxy-core", type=int, default=cores[0], metavar="N", help="the processor of weir [%(default)s]")
    add("--load-core", type=int, default=cores[:2][-1], metavar="N", help="the processor of the peers [%(default)s]")
    add("--list", action="store_true", help="say what is compared, and end")
    return parser


def _parse(arguments):
    parser = _parser()
    options = parser.parse_args(arguments)
    options.build = os.path.abspath(options.build)
    for name in options.only or []:
        if not any(case.is_named([name]) for case in policy_cases.every()):
            parser.error(f"no case named {name}; see --list")
    if options.seconds < 2 or options.rounds < 1:
        parser.error("a run takes 2 seconds at least, and there is one at least")
    return options


class Run:
    """What all runs have in common."""

    def __init__(self, options, place, children):
        self.options = options
        self.place = place
        self.children = children

    def measure(self, case, scenario):
        """One run over sockets: a Trial."""
        if case.by == policy_cases.IPERF:
            with policy_iperf.serving(self.children, self.options.load_core) as upstream:
                return self._through(case, scenario, upstream, self._iperf)
        with policy_ends.listening() as server:
            return self._through(case, scenario, server.getsockname()[1], lambda *run: self._threads(server, *run))

    def _through(self, case, scenario, upstream, drive):
        weir = Weir(self.place, self.children, scenario, upstream)
        try:
            before = process.cpu_ns([weir.child.pid])
            taken, sessions, in_flight = drive(weir, scenario)
            spent = process.cpu_ns([weir.child.pid]) - before
            log = weir.log(sessions)
        finally:
            weir.stop()
        flows = log.carriers(LEAST[case.by])
        held = log.held(flows)
        counts = {"cpu_ns": spent, "in_flight": in_flight, "queued_max": weir.queued_max, **log.totals(flows)}
        every = [together(taken)] if case.by == policy_cases.THREADS else taken  # iperf3's are of the same moments
        return Trial(taken=taken, held=held, every=every, **counts)

    def _iperf(self, weir, scenario):
        return (*policy_iperf.run(self.children, self.options.load_core, weir.port, scenario), 0)

    def _threads(self, server, weir, scenario):
        with weir.watched():
            taken, in_flight = policy_ends.run(server, weir.port, scenario)
        sessions = sum(int(traffic.get("sessions", 1)) for traffic in scenario.named("traffic").values())
        return taken, sessions, in_flight


def _figures(case, trial, scenario):
    return {figure.name: figure.of(trial, scenario) for figure in case.figures}


def _rounds(options, run, cases, found):
    for number in range(options.rounds):
        for case, scenario in cases:
            where = f"round {number + 1}/{options.rounds} {case.name}"
            try:
                figures = _figures(case, run.measure(case, scenario), scenario)
            except (BenchError, OSError, ValueError) as error:
                _say(f"{where}: {error}")
                found.failures.append(f"{where}: {error}")
                continue
            _say(f"{where}: " + ", ".join(f"{name} {value:,.2f}" for name, value in figures.items()))
            found.measured.setdefault(case.name, []).append(figures)


def _check(options, chosen):
    """What nothing can be done without."""
    for parts in (("src", "weir"), ("tools", "weir-sim")):
        path = os.path.join(options.build, *parts)
        if not os.access(path, os.X_OK):
            raise BenchError(f"{path} is missing: run `make` there, or say --build DIR")
    if any(case.by == policy_cases.IPERF for case in chosen) and shutil.which("iperf3") is None:
        raise Missing("iperf3", "iperf3")


def _compare(options):
    chosen = [case for case in policy_cases.every() if case.is_named(options.only)]
    _check(options, chosen)
    cases = [(case, case.load(options.scenarios, options.seconds)) for case in chosen]
    described = machine.describe(os.path.join(options.build, "src", "weir"))
    if described["load_before"] > BUSY:
        _say(f"this machine is busy (load {described['load_before']:.1f}): expect noise")
    found = policy_report.Found(described, vars(options).copy())
    os.sched_setaffinity(0, {options.load_core})  # the peers that are threads of ours
    with tempfile.TemporaryDirectory(prefix="weir-policies-") as directory, process.Children(directory) as children:
        place = setups.Place(options.build, directory, options.proxy_core, machine.limit_descriptors())
        for case, scenario in cases:
            found.expected[case.name] = {f.name: f.expected(scenario) for f in case.figures if f.expected}
            found.simulated[case.name] = _figures(case, policy_sim.run(place, scenario), scenario)
        _rounds(options, Run(options, place, children), cases, found)
    policy_report.finish(found, [case for case, _ in cases], options.out)
    return 1 if found.failures else 0


def _interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    """The exit status: 0, 1 if anything failed, 2 if it was called in a wrong way."""
    options = _parse(arguments)
    if options.list:
        for case in policy_cases.every():
            print(f"{case.name:15} doc/scenarios/{case.scenario}.ini, {case.by}{', if named' if case.apart else ''}")
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        return _compare(options)
    except (BenchError, OSError) as error:
        _say(str(error))
        return 1
