# SPDX-License-Identifier: BSD-2-Clause
"""Runs bench/load: the server once, a client for every sample."""
import contextlib
import json
import subprocess

from . import process
from .error import BenchError

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
        child = self.children.start([self.program, "serve"], self.core, stdin=pipe, stdout=pipe, bufsize=0)
        return int(process.read_line(child, 30))

    def _start(self, measure, proxy, options):
        command = [self.program, measure, "--port", str(proxy.port)] + _words(options)
        if proxy.pids:
            command += ["--cpu-of", ",".join(map(str, proxy.pids))]
        return self.children.start(command, self.core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def run(self, measure, proxy, seconds, **options):
        """One measured window: the figures."""
        child = self._start(measure, proxy, {"seconds": seconds, **options})
        try:
            figures = json.loads(process.read_line(child, seconds + 60))
        finally:
            self.children.stop(child)
        if not proxy.alive:
            raise BenchError(f"{proxy.name} died: {process.said(proxy.child)}")
        if figures[PROGRESS[measure]] == 0:
            raise BenchError(f"nothing went through {proxy.name}")
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
            self.children.stop(child)


def _own(figures, proxy):
    """Where nobody's CPU was asked for, there is none."""
    if proxy.pids:
        return figures
    return {key: value for key, value in figures.items() if not key.startswith("cpu_")}
