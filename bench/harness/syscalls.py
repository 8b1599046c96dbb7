# SPDX-License-Identifier: BSD-2-Clause
"""System calls for a unit of work, by strace.

The whole trace is read, not strace's own table: what the calls return tells how much work was done while they were
traced, so that calls and work belong together. The load generator's window would not do: it leaves the warm-up out.
"""
import collections
import os
import re
import signal

from . import process
from .error import BenchError

GIB = 2**30
# "123 recvfrom(5, ...) = 16384", and the second half of an interrupted one: "123 <... epoll_wait resumed>...) = 1"
CALL = re.compile(r"^(?:\d+\s+)?(?:<\.\.\. )?(\w+)(?:\(| resumed>).* = (-?\d+|\?)(?: (E[A-Z]+))?")
READS = ("read", "readv", "recvfrom", "recvmsg")
ACCEPTS = ("accept", "accept4")


def _is_traced(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as stream:
            if "TracerPid:\t0\n" in stream.read():
                return False
    return True


class Trace:
    """A process's system calls while the context lasts."""

    def __init__(self, bench, pid):
        self.children = bench.children
        self.pid = pid
        self.path = os.path.join(bench.place.directory, "trace")
        self.calls = collections.Counter()
        self.refused = 0
        self.moved = 0
        self.accepted = 0
        self.core = bench.load.core
        self.child = None

    def __enter__(self):
        command = ["strace", "-f", "-s", "0", "-o", self.path, "-p", str(self.pid)]
        self.child = self.children.start(command, self.core)
        process.eventually(lambda: self.child.poll() is not None or _is_traced(self.pid), 30)
        if self.child.poll() is not None:
            raise BenchError(f"strace: {process.said(self.child)}")
        return self

    def __exit__(self, *_):
        self.children.stop(self.child, signal.SIGINT)
        with open(self.path, encoding="ascii", errors="replace") as stream:
            for line in stream:
                self._count(line)
        os.unlink(self.path)

    def _count(self, line):
        found = CALL.match(line)
        if not found:
            return
        name, value, error = found.groups()
        self.calls[name] += 1
        self.refused += error == "EAGAIN"
        moved = max(0, int(value)) if value != "?" else 0
        if name in READS:
            self.moved += moved
        elif name == "splice":
            self.moved += moved / 2  # into the pipe and out of it
        elif name in ACCEPTS and not error:
            self.accepted += 1


def measure(bench, setup, measure_name, units, **options):
    """Calls for each unit; units(trace) says how many units a trace has seen."""
    proxy = bench.proxy(setup)
    if not proxy.pids:
        return None
    with Trace(bench, proxy.pids[0]) as trace:
        bench.load.run(measure_name, proxy, min(1, bench.options.seconds), **options)
    done = units(trace)
    if done <= 0:
        raise BenchError("strace saw no work")
    return {
        "units": done,
        "calls": sum(trace.calls.values()),
        "calls_per_unit": sum(trace.calls.values()) / done,
        "refused_per_unit": trace.refused / done,
        "by_name": {name: count / done for name, count in trace.calls.most_common()},
    }


def gibibytes(trace):
    """Bulk's unit."""
    return trace.moved / GIB


def round_trips(size):
    """The unit of a ping-pong: every round moves the message there and back."""
    return lambda trace: trace.moved / (2 * size)


def connections(trace):
    """The unit of churn."""
    return trace.accepted
