# SPDX-License-Identifier: BSD-2-Clause
"""Runs bench/load: the server once, a client for every sample."""
import contextlib
import json
import os
import subprocess

from . import process
from .error import BenchError

PATIENCE = 60  # seconds
PROGRESS = {"bulk": "bytes", "rounds": "rounds", "mice": "rounds", "churn": "connections"}


def _words(options):
    words = []
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return words


class Load:
    """The load generator, pinned to the load core."""

    def __init__(self, program, children, core):
        self.program = program
        self.children = children
        self.core = core

    def serve(self):
        """Starts the server: its port. It ends with us, because its stdin does."""
        pipe = subprocess.PIPE
        self.server = self.children.start([self.program, "serve"], self.core, stdin=pipe, stdout=pipe, bufsize=0)
        port = int(process.read_line(self.server, 30))
        self._quiet = self._sessions()
        return port

    def _sessions(self):
        """What the server has open."""
        return len(os.listdir(f"/proc/{self.server.pid}/fd"))

    def _end(self, child):
        """Ends a client, and waits for the server to have nothing more of it: a proxy may still have held a lot."""
        self.children.stop(child)
        if not process.eventually(lambda: self._sessions() <= self._quiet, PATIENCE):
            left = self._sessions() - self._quiet
            self._quiet += left
            raise BenchError(f"{left} sessions did not end within {PATIENCE} s after their client")

    def _start(self, measure, proxy, options):
        command = [self.program, measure, "--port", str(proxy.port)] + _words(options)
        if proxy.pids:
            command += ["--cpu-of", ",".join(map(str, proxy.pids))]
        return self.children.start(command, self.core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def run(self, measure, proxy, seconds, **options):
        """One measured window: the figures."""
        child = self._start(measure, proxy, {"seconds": seconds, **options})
        try:
            figures = json.loads(process.read_line(child, seconds + options.get("settle", 0) + PATIENCE))
        finally:
            self._end(child)
        _check(proxy, figures[PROGRESS[measure]])
        return _own(figures, proxy)

    @contextlib.contextmanager
    def hold(self, measure, proxy, **options):
        """Sessions that are all up, and stay so, while the context lasts."""
        child = self._start(measure, proxy, options)
        try:
            yield json.loads(process.read_line(child, 120))
        finally:
            child.stdin.close()
            child.stdin = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(30)
            self._end(child)


def _check(proxy, progress):
    if not proxy.alive:
        raise BenchError(f"{proxy.name} died: {process.said(proxy.child)}")
    if progress == 0:
        raise BenchError(f"nothing went through {proxy.name}")


def _own(figures, proxy):
    """Where nobody's CPU was asked for, there is none."""
    if proxy.pids:
        return figures
    return {key: value for key, value in figures.items() if not key.startswith("cpu_")}
