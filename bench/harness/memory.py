# SPDX-License-Identifier: BSD-2-Clause
"""What sessions cost while nothing moves: the process's memory, the kernel's, and what is in pipes.

Every sample has a proxy process of its own, so that nothing it kept from earlier sessions hides what these take.
"""
import array
import fcntl
import os
import re
import shutil
import subprocess
import termios
import time

from . import process
from .error import BenchError

KIB = 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
SKMEM = re.compile(r"skmem:\(r(\d+),rb\d+,t(\d+),tb\d+,f(\d+),w(\d+)")


def _text(path):
    with open(path, encoding="ascii") as stream:
        return stream.read()


def _private(pid):
    """Pages that the process shares with nobody."""
    parts = re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", _text(f"/proc/{pid}/smaps_rollup"), re.M)
    return KIB * sum(map(int, parts))


def _slab():
    return KIB * int(re.search(r"^Slab:\s+(\d+) kB", _text("/proc/meminfo"), re.M).group(1))


def _tcp_memory():
    return PAGE * int(re.search(r"^TCP: .* mem (\d+)", _text("/proc/net/sockstat"), re.M).group(1))


def tcp_sockets():
    """All of this machine's TCP sockets in use."""
    return int(re.search(r"^TCP: inuse (\d+)", _text("/proc/net/sockstat"), re.M).group(1))


def _socket_memory(pids):
    """What ss shows for the proxy's own sockets: received, queued to send, sent below TCP, reserved."""
    sums = [0, 0, 0, 0]
    if not pids or shutil.which("ss") is None:
        return sums
    listing = subprocess.run(["ss", "-tmnpHO"], stdout=subprocess.PIPE, check=True, text=True).stdout
    owners = tuple(f"pid={pid}," for pid in pids)
    for line in listing.splitlines():
        found = SKMEM.search(line)
        if found and any(owner in line for owner in owners):
            received, sent, reserved, queued = map(int, found.groups())
            sums = [a + b for a, b in zip(sums, (received, queued, sent, reserved))]
    return sums


def _pipe(path):
    """(bytes in it, bytes it could take)"""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        unread = array.array("i", [0])
        fcntl.ioctl(descriptor, termios.FIONREAD, unread)
        return unread[0], fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    finally:
        os.close(descriptor)


def _pipes(pid):
    """(number, bytes in them, bytes they could take) of a process's pipes, each counted once for its two ends."""
    found = {}
    for entry in os.scandir(f"/proc/{pid}/fd"):
        target = os.readlink(entry.path)
        if target.startswith("pipe:") and target not in found:
            found[target] = _pipe(entry.path)
    return len(found), sum(pipe[0] for pipe in found.values()), sum(pipe[1] for pipe in found.values())


def read(pids):
    """Everything at this moment, in bytes."""
    received, queued, sent, reserved = _socket_memory(pids)
    pipes = [_pipes(pid) for pid in pids]
    return {
        "private": sum(map(_private, pids)),
        "slab": _slab(),
        "tcp": _tcp_memory(),
        "ss_received": received,
        "ss_queued": queued,
        "ss_sent": sent,
        "ss_reserved": reserved,
        "pipes": sum(pipe[0] for pipe in pipes),
        "pipe_bytes": sum(pipe[1] for pipe in pipes),
        "pipe_room": sum(pipe[2] for pipe in pipes),
    }


def _settled(pids):
    """read(), once the kernel has done with what went before: the same TCP memory twice, some time apart."""

    def is_same():
        earlier = _tcp_memory()
        time.sleep(0.05)
        return earlier == _tcp_memory()

    process.eventually(is_same, 5)
    return read(pids)


def _per_session(before, during, sessions):
    grown = {key: (during[key] - before[key]) / sessions for key in before}
    pipes = grown.pop("pipes")
    figures = {f"{key}_kib": value / KIB for key, value in grown.items()}
    # Sent is left out: it is what the queue shares with the layers below, and TCP does not account for it.
    figures["ss_kib"] = figures["ss_received_kib"] + figures["ss_queued_kib"] + figures["ss_reserved_kib"]
    figures["pipes"] = pipes
    return figures


def measure(bench, setup, kind, sessions, **options):
    """One sample of `kind`, idle or stalled, in a fresh process."""
    quiet = tcp_sockets()
    with setup.fresh(bench.place, bench.children, bench.upstream) as proxy:
        bench.load.run("rounds", proxy, 0.1, connections=1, size=KIB)  # what comes once and not per session
        before = _settled(proxy.pids)
        with bench.load.hold(kind, proxy, connections=sessions, **options) as ready:
            if ready["ready"] != sessions:
                raise BenchError(f"{ready['ready']} of {sessions} sessions came up")
            figures = _per_session(before, _settled(proxy.pids), sessions)
    process.eventually(lambda: tcp_sockets() <= quiet + 2, 10)
    return {"sessions": sessions, **figures}


def idle_total(figures, direct):
    """The proxy's share: all that grew, less what the two ends take by themselves."""
    kernel = figures["slab_kib"] + figures["tcp_kib"] - direct["slab_kib"] - direct["tcp_kib"]
    return {"kernel_kib": kernel, "total_kib": figures["private_kib"] + kernel + figures["pipe_bytes_kib"]}


def stalled_total(figures, direct):
    """By what ss says of the proxy's own sockets, and, to check that, by all TCP memory less what the ends take."""
    own = figures["private_kib"] + figures["pipe_bytes_kib"]
    return {"total_kib": own + figures["ss_kib"], "sockstat_kib": own + figures["tcp_kib"] - direct["tcp_kib"]}
