# SPDX-License-Identifier: BSD-2-Clause
"""Requests and answers of a scenario, lines both: a client that asks, and a server that takes its time."""
import contextlib
import heapq
import socket
import threading
import time

from . import policy_scenario

PIECE = 64 * 1024  # bytes of a read
IDLE = 0.1  # seconds after which a side looks whether it is over


class Counter:
    """Requests that all servers have just now, and the most there ever were."""

    def __init__(self):
        self._lock = threading.Lock()
        self._now = 0
        self._over = False
        self.most = 0

    def add(self, number):
        with self._lock:
            self._now += number
            if not self._over:
                self.most = max(self.most, self._now)

    def end(self):
        """Who ends a stream without its answers is nobody to count for."""
        self._over = True


class _Side(threading.Thread):
    """One end of a session: counts the lines that come, and notes when how many bytes had been taken."""

    def __init__(self, peer, law, zero):
        super().__init__(daemon=True)
        self._peer = peer
        self._zero = zero
        self._over = threading.Event()
        self._line = b"x" * (policy_scenario.size(law.get("write", "16K")) - 1) + b"\n"
        self._taken = 0
        self.noted = []

    def stop(self):
        self._over.set()

    def _read(self, patience):
        """Lines that came in time."""
        self._peer.settimeout(max(patience, 0.0001))
        try:
            piece = self._peer.recv(PIECE)
        except socket.timeout:
            return 0
        finally:
            self._peer.settimeout(None)
        if not piece:
            self._over.set()
        self._taken += len(piece)
        self.noted.append((time.monotonic() - self._zero, self._taken))
        return piece.count(b"\n")

    def run(self):
        with contextlib.suppress(OSError):  # the run is over
            while not self._over.is_set():
                self._step()


class Client(_Side):
    """Has so many requests unanswered, always."""

    def __init__(self, peer, law, zero):
        super().__init__(peer, law, zero)
        self._left = int(law.get("pipeline", "1"))

    def _step(self):
        self._peer.sendall(self._line * self._left)
        self._left = self._read(IDLE)


class Server(_Side):
    """Works on so many requests at a time, on each for so long."""

    def __init__(self, peer, law, zero, counter):
        super().__init__(peer, law, zero)
        self._service = policy_scenario.seconds(law.get("service", "0s"))
        self._hands = [0.0] * int(law.get("concurrency", "1"))  # when each is free again
        self._due = []  # when answers are
        self._counter = counter

    def _step(self):
        now = time.monotonic()
        came = self._read(min(self._due[0] - now, IDLE) if self._due else IDLE)
        self._counter.add(came)
        now = time.monotonic()
        for _ in range(came):
            done = max(heapq.heappop(self._hands), now) + self._service
            heapq.heappush(self._hands, done)
            self._due.append(done)
        ready = sum(due <= now for due in self._due)
        if ready:
            self._due = self._due[ready:]
            self._counter.add(-ready)  # before they are sent: weir may let the next ones pass at once
            self._peer.sendall(self._line * ready)


def is_one(traffic, sources):
    """Whether it is a conversation."""
    return sources.get(traffic.get("up_source"), {}).get("kind") == "requests"


def sides(client, server, traffic, sources, zero, counter):
    """Both, not begun: what the server takes is up, what the client takes is down."""
    asks, answers = sources[traffic["up_source"]], sources[traffic["down_source"]]
    return [Server(server, answers, zero, counter), Client(client, asks, zero)]
