# SPDX-License-Identifier: BSD-2-Clause
"""Child processes: pinned to a core, none outlives the run."""
import ctypes
import functools
import glob
import os
import selectors
import signal
import socket
import subprocess
import time

from .error import BenchError

PR_SET_PDEATHSIG = 1
LISTEN = "0A"  # the state's code in /proc/net/tcp


def _settle(libc, core):
    """In the child, before its program starts."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {core})


class Children:
    """Everything that was started. As a context manager it ends all that is left."""

    def __init__(self, directory):
        self.directory = directory
        self._libc = ctypes.CDLL(None)
        self._alive = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in list(self._alive):
            self.stop(child)

    def start(self, arguments, core, **options):
        """Starts a program; what it writes to stderr can be had from said()."""
        errors = os.path.join(self.directory, f"stderr.{len(os.listdir(self.directory))}")
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        with open(errors, "wb") as stderr:
            child = subprocess.Popen(
                arguments, stderr=stderr, preexec_fn=functools.partial(_settle, self._libc, core), **options
            )
        child.errors = errors
        self._alive.append(child)
        return child

    def stop(self, child, number=signal.SIGKILL):
        """Ends a child, if it has not ended, and waits for it."""
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
        if child in self._alive:
            self._alive.remove(child)


def said(child):
    """The end of what a child wrote to stderr, on one line."""
    with open(child.errors, encoding="utf-8", errors="replace") as stream:
        return " | ".join(stream.read().split("\n")[-6:]).strip(" |") or "it said nothing"


def read_line(child, seconds):
    """One line of a child's stdout, which must be an unbuffered pipe; an error if it takes too long."""
    deadline = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0, deadline - time.monotonic())):
                raise BenchError(f"{child.args[0]}: no answer within {seconds:g} s")
            piece = os.read(child.stdout.fileno(), 4096)
            if not piece:
                child.wait()
                raise BenchError(f"{child.args[0]} ended with status {child.returncode}: {said(child)}")
            line += piece
    return line.decode()


def eventually(condition, seconds):
    """Polls until the condition holds; whether it did in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def free_port():
    """A port that nobody has. Somebody may take it before it is used: be ready to ask again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    """Whether somebody listens there, without connecting."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = (line.split() for line in table)
        return any(row[3] == LISTEN and row[1].endswith(f":{port:04X}") for row in rows)


def start_listening(children, core, command):
    """Starts command(port), a list of words, on ports of our choosing until one is not taken: (child, port)."""
    for _ in range(5):
        port = free_port()
        child = children.start(command(port), core)
        eventually(lambda: is_listening(port) or child.poll() is not None, 30)
        if child.poll() is None and is_listening(port):
            return child, port
        children.stop(child)
    raise BenchError(f"{child.args[0]} does not start: {said(child)}")


def cpu_ns(pids):
    """On-CPU time of all threads of these processes, so far."""
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as stream:
                total += int(stream.read().split()[0])
    return total
