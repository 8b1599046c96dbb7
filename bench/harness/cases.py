# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and which of its figures are shown."""
import dataclasses
import functools
import shutil

from . import iperf, memory, syscalls
from .error import Missing

KIB = 1024
SIZES = {"1": 1, "1k": KIB, "16k": 16 * KIB}
SIZE_WORDS = {"1": "1 B", "1k": "1 KiB", "16k": "16 KiB"}
SCALE = (1, 10, 100, 1000)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number of a sample: where it is, how it is called and written."""

    key: str
    label: str
    digits: int = 2
    higher: bool = False  # is more better?

    def text(self, value):
        return "-" if value is None else f"{value:,.{self.digits}f}"


GBIT_S = Figure("gbit_s", "Gbit/s", higher=True)
CPU_PER_GIB = Figure("cpu_s_per_gib", "CPU s/GiB", 3)
ROUNDS_S = Figure("rounds_s", "round trips/s", 0, higher=True)
CPU_PER_ROUND = Figure("cpu_us_per_round", "CPU us/round trip")
P50 = Figure("p50_us", "p50 us", 0)
P99 = Figure("p99_us", "p99 us", 0)
P999 = Figure("p999_us", "p99.9 us", 0)
CONNECTIONS_S = Figure("connections_s", "connections/s", 0, higher=True)
CPU_PER_CONNECTION = Figure("cpu_us_per_connection", "CPU us/connection", 1)
USER = Figure("private_kib", "user space KiB")
PIPES = Figure("pipes", "pipes", 3)
PIPE_BYTES = Figure("pipe_bytes_kib", "KiB in pipes", 1)
KERNEL = Figure("kernel_kib", "own kernel KiB")
SLAB = Figure("slab_kib", "slab KiB, with both ends")
TCP = Figure("tcp_kib", "TCP KiB, with both ends")
SS = Figure("ss_kib", "ss -m KiB", 1)
SS_RECEIVED = Figure("ss_received_kib", "of it received (r)", 1)
SS_QUEUED = Figure("ss_queued_kib", "queued (w)", 1)
SS_RESERVED = Figure("ss_reserved_kib", "reserved (f)", 1)
TOTAL = Figure("total_kib", "together KiB")
SOCKSTAT = Figure("sockstat_kib", "the same by sockstat KiB", 1)
CALLS = Figure("calls_per_unit", "system calls")
REFUSED = Figure("refused_per_unit", "of them EAGAIN")
ELEPHANTS = Figure("elephant_gbit_s", "elephant Gbit/s", higher=True)


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing to measure on every set-up. sample(bench, setup) gives the figures, or None where there are none."""

    name: str
    title: str
    sample: object
    full: tuple  # median, range and ratio are shown
    brief: tuple = ()  # only the median is
    chart: Figure = None
    rounds: int = 1000  # at most so many, where more tell nothing new
    needs: tuple = ()  # (program, its package)

    @property
    def figures(self):
        return self.full + self.brief

    def check(self):
        """Raises if this machine lacks what it takes."""
        if self.needs and shutil.which(self.needs[0]) is None:
            raise Missing(*self.needs)


def _load(measure, options, bench, setup):
    return bench.load.run(measure, bench.proxy(setup), bench.options.seconds, **options)


def _bulk(direction, connections):
    words = {"up": "client to server", "down": "server to client", "both": "both ways at once"}
    name = f"bulk-{connections}" if direction == "up" else f"bulk-{direction}-{connections}"
    # Many connections take gigabytes into the queues of their sockets before a proxy is slowed down. Until then its work
    # and the bytes that arrive have little to do with each other.
    options = {"direction": direction, "connections": connections, "settle": max(0.3, connections / 100)}
    return Case(
        name,
        f"bulk, {words[direction]}, {_connections(connections)}",
        functools.partial(_load, "bulk", options),
        full=(GBIT_S, CPU_PER_GIB),
        chart=CPU_PER_GIB,
    )


def _rounds(size, connections):
    return Case(
        f"rounds-{size}x{connections}",
        f"ping-pong of {SIZE_WORDS[size]}, {_connections(connections)}",
        functools.partial(_load, "rounds", {"size": SIZES[size], "connections": connections}),
        full=(ROUNDS_S, CPU_PER_ROUND, P99),
        brief=(P50, P999),
        chart=CPU_PER_ROUND,
    )


def _connections(number):
    return "1 connection" if number == 1 else f"{number:,} connections"


def _churn():
    return Case(
        "churn",
        "connect, exchange 1 KiB, close; 32 at a time",
        functools.partial(_load, "churn", {"at_once": 32, "size": KIB}),
        full=(CONNECTIONS_S, CPU_PER_CONNECTION, P99),
        brief=(P50,),
        chart=CPU_PER_CONNECTION,
    )


def _mice_sample(elephants, bench, setup):
    options = {"mice": 32, "elephants": elephants, "size": KIB}
    figures = bench.load.run("mice", bench.proxy(setup), bench.options.seconds, **options)
    if elephants:
        figures["elephant_gbit_s"] = figures["gbit_s"]
    return figures


def _mice(elephants):
    beside = {0: "no elephant", 1: "one bulk transfer to the client"}[elephants]
    return Case(
        f"mice-{elephants}",
        f"32 ping-pongs of 1 KiB beside {beside}",
        functools.partial(_mice_sample, elephants),
        full=(P99, ROUNDS_S),
        brief=(P50, P999, ELEPHANTS),
        chart=P99,
    )


def _iperf():
    return Case(
        "iperf3",
        "iperf3, one stream",
        iperf.measure,
        full=(GBIT_S, CPU_PER_GIB),
        chart=CPU_PER_GIB,
        needs=("iperf3", "iperf3"),
    )


def _idle_sample(options, bench, setup):
    return memory.measure(bench, setup, "idle", bench.idle_sessions, **options)


def _idle(name, title, options):
    return Case(
        name,
        f"memory of an idle session, {title}",
        functools.partial(_idle_sample, options),
        full=(USER, KERNEL, TOTAL),
        brief=(PIPES, SLAB, TCP),
        chart=TOTAL,
        rounds=3,
    )


def _stalled_sample(options, bench, setup):
    return memory.measure(bench, setup, "stalled", bench.stalled_sessions, **options)


def _stalled(name, title, options):
    return Case(
        name,
        f"memory of a session stalled by its client, {title}",
        functools.partial(_stalled_sample, options),
        full=(USER, SS, TOTAL),
        brief=(PIPE_BYTES, SS_RECEIVED, SS_QUEUED, SS_RESERVED, SOCKSTAT),
        chart=TOTAL,
        rounds=3,
        needs=("ss", "iproute2"),
    )


def _syscalls_sample(measure, units, options, bench, setup):
    return syscalls.measure(bench, setup, measure, units, **options)


def _syscalls(name, title, measure, units, options):
    return Case(
        name,
        title,
        functools.partial(_syscalls_sample, measure, units, options),
        full=(CALLS,),
        brief=(REFUSED,),
        chart=CALLS,
        rounds=1,
        needs=("strace", "strace"),
    )


def _every():
    bulk = [_bulk("up", n) for n in (1, 8, 10, 100, 1000)]
    bulk += [_bulk("down", 1), _bulk("both", 1), _bulk("both", 8)]
    rounds = [_rounds(size, n) for size in SIZES for n in (1, 64)]
    rounds += [_rounds("1k", n) for n in SCALE[1:]]
    return (
        *bulk,
        *rounds,
        _churn(),
        _mice(0),
        _mice(1),
        _iperf(),
        _idle("idle-fresh", "never used", {}),
        _idle("idle-used", "after 64 KiB each way", {"used": 64 * KIB}),
        _stalled("stalled", "from its first byte on", {}),
        _stalled("stalled-warm", "after 4 MiB in full flow", {"warm_up": 4096 * KIB}),
        _syscalls(
            "syscalls-bulk",
            "system calls for each GiB (bulk-1)",
            "bulk",
            syscalls.gibibytes,
            {"direction": "up", "connections": 1},
        ),
        _syscalls(
            "syscalls-rounds",
            "system calls for each round trip (rounds-1kx1)",
            "rounds",
            syscalls.round_trips(KIB),
            {"size": KIB, "connections": 1},
        ),
        _syscalls(
            "syscalls-rounds-64",
            "system calls for each round trip (rounds-1kx64)",
            "rounds",
            syscalls.round_trips(KIB),
            {"size": KIB, "connections": 64},
        ),
        _syscalls(
            "syscalls-churn",
            "system calls for each connection (churn)",
            "churn",
            syscalls.connections,
            {"at_once": 32, "size": KIB},
        ),
    )


def scale_names(kind):
    """The cases whose cost for each unit is compared over the number of connections."""
    return [{"bulk": f"bulk-{n}", "rounds": f"rounds-1kx{n}"}[kind] for n in SCALE]


class Catalogue:
    """All cases by name, and the measures, each of which stands for one or more of them."""

    def __init__(self):
        self.cases = {case.name: case for case in _every()}
        families = ("bulk", "rounds", "mice", "iperf3", "idle", "stalled", "syscalls")
        self.measures = {name: [case for case in self.cases if case.startswith(name)] for name in families}
        self.measures["churn"] = ["churn"]
        self.measures["scale"] = scale_names("bulk") + scale_names("rounds")
        self.measures["policy"] = []  # paired, and thus not in the rounds: paired.py

    def knows(self, name):
        return name in self.measures or name in self.cases

    def select(self, names):
        """The cases that these measures or names of cases stand for, each once, in the catalogue's order."""
        wanted = {case for name in names for case in self.measures.get(name, [name])}
        return [case for case in self.cases.values() if case.name in wanted]
