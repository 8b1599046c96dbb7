# SPDX-License-Identifier: BSD-2-Clause
"""A weir of its own for each run, and what its log lines say."""
import contextlib
import re
import signal
import threading

from . import process
from .error import BenchError
from .policy_trial import Curve

LINE = re.compile(r" info (session|status) (\d+\.\d+\.\d+|end) (\S+=.*)$", re.MULTILINE)
STATUS_PERIOD = 0.01  # seconds
DIRECTIONS = ("up", "down")


def _pauses(text):
    """How often, of "NAME:COUNT/TIME,..."; all policies together, without the memory limit."""
    found = re.findall(r"([^,:]+):(\d+)/", text)
    return sum(int(count) for name, count in found if name != "memory")


def _queued(port):
    """Bytes that the sockets connected to this port have sent, or will, and nobody has acknowledged."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = (line.split() for line in table)
        return sum(int(row[4].split(":")[0], 16) for row in rows if row[2].endswith(f":{port:04X}"))


class Log:
    """The session and status lines that weir has written. A flow's name is (id, direction)."""

    def __init__(self, text):
        found = {"session": [], "status": []}
        for kind, name, rest in LINE.findall(text):
            found[kind].append((name, dict(word.split("=", 1) for word in rest.split())))
        self.sessions = dict(found["session"])
        self._status = found["status"]

    def carriers(self, least):
        """Flows that carried at least so many bytes; of sessions that lived together, in the order of their begin."""
        names = sorted(self.sessions, key=lambda name: [int(part) for part in name.split(".")])
        flows = [(name, direction) for name in names for direction in DIRECTIONS]
        return [flow for flow in flows if int(self.sessions[flow[0]][flow[1]]) >= least]

    def _batches(self):
        """The lines of each signal, which are of one moment: {session: keys}."""
        batch = {}
        for name, keys in self._status:
            if name != "end":
                batch[name] = keys
            elif batch:
                yield batch
                batch = {}

    def held(self, flows):
        """Curves of what flows held, by the status lines; nothing once they are over."""
        points = {flow: [] for flow in flows}
        for batch in self._batches():
            moment = max(float(keys["age"].rstrip("s")) for keys in batch.values())
            for (name, direction), found in points.items():
                held = int(batch[name][f"{direction}_held_now"]) if name in batch else 0
                found.append((moment, held))
        return [Curve(found) for found in points.values()]

    def totals(self, flows):
        """What a Trial has of the meters, by the access lines."""
        found = {"held_max": 0, "written": 0, "pauses": 0}
        for name, direction in flows:
            keys = self.sessions[name]
            found["held_max"] = max(found["held_max"], int(keys[f"{direction}_held_max"]))
            found["written"] += int(keys[direction])
            found["pauses"] += _pauses(keys[f"{direction}_paused"])
        return found


class Weir:
    """A running weir in front of `upstream`."""

    def __init__(self, place, children, scenario, upstream):
        self._children = children
        self._upstream = upstream
        self.queued_max = 0  # bytes in the sockets to the server that were not acknowledged, at most

        def command(port):
            path = place.write(f"weir.{port}.ini", scenario.weir(port, upstream))
            return [place.built("src", "weir"), "-f", path, "--module-dir", place.built("policies", ".libs")]

        self.child, self.port = process.start_listening(children, place.core, command)

    @contextlib.contextmanager
    def watched(self):
        """Asks for status lines all the while."""
        over = threading.Event()

        def ask():
            while not over.wait(STATUS_PERIOD):
                self.child.send_signal(signal.SIGUSR1)
                self.queued_max = max(self.queued_max, _queued(self._upstream))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()

    def log(self, count):
        """What it has said, once so many sessions have ended."""
        found = []

        def is_over():
            with open(self.child.errors, encoding="utf-8", errors="replace") as stream:
                found[:] = [Log(stream.read())]
            return len(found[0].sessions) >= count

        if not process.eventually(is_over, 10):
            raise BenchError(f"weir: {count} sessions have not ended: {process.said(self.child)}")
        return found[0]

    def stop(self):
        self._children.stop(self.child, signal.SIGTERM)
