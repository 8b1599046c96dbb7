# SPDX-License-Identifier: BSD-2-Clause
"""The sources and sinks of a scenario as threads with real sockets, on both sides of a running weir."""
import contextlib
import itertools
import socket
import struct
import threading
import time

from . import policy_scenario, policy_talk
from .error import BenchError
from .policy_trial import Curve

BULK = 256 * 1024  # bytes of a write that is as large as possible
PATIENCE = 30  # seconds
LATE = 0.002  # seconds that a sink may make up for, when it was not woken in time
RESET = struct.pack("ii", 1, 0)


class Source(threading.Thread):
    """Writes by the law of a [source] section until it is stopped."""

    def __init__(self, peer, law):
        super().__init__(daemon=True)
        self._peer = peer
        self._over = threading.Event()
        self._rate = policy_scenario.size(law.get("rate", "10M"))
        self._write = policy_scenario.size(law.get("write", "16K"))
        self._burst = policy_scenario.size(law.get("burst", "0"))
        self._period = policy_scenario.seconds(law.get("period", "0"))
        self._on = policy_scenario.seconds(law.get("on", "0"))
        self._off = policy_scenario.seconds(law.get("off", "0"))
        self._left = policy_scenario.size(law.get("bytes", "unlimited"))
        laws = {"bulk": self._bulk, "constant": self._constant, "bursts": self._bursts, "onoff": self._onoff}
        if law.get("kind", "bulk") not in laws or law.get("random", "no") != "no":
            raise BenchError(f"a source of kind {law.get('kind')} is not done over sockets")
        self._law = laws[law.get("kind", "bulk")]

    def run(self):
        self._begun = time.monotonic()
        with contextlib.suppress(OSError):  # the run is over
            self._law()

    def stop(self):
        self._over.set()

    def _wait_until(self, at):
        """False if the run was over first."""
        return not self._over.wait(max(0, self._begun + at - time.monotonic()))

    def _put(self, block):
        """All that is left is written, and then the stream ended."""
        length = min(len(block), self._left)
        self._peer.sendall(memoryview(block)[:length])
        self._left -= length
        if self._left == 0:
            self._peer.shutdown(socket.SHUT_WR)
            self._over.set()

    def _bulk(self):
        block = bytes(BULK)
        while not self._over.is_set():
            self._put(block)

    def _constant(self):
        block, count = bytes(self._write), 0
        while self._wait_until(count * self._write / self._rate):
            self._put(block)
            count += 1

    def _bursts(self):
        block, count = bytes(self._burst), 0
        while self._wait_until(count * self._period):
            self._put(block)
            count += 1

    def _onoff(self):
        block, phase, at = bytes(self._write), 0.0, 0.0
        while self._wait_until(at):
            self._put(block)
            at += self._write / self._rate
            if at >= phase + self._on:
                phase += self._on + self._off
                at = phase


class Sink(threading.Thread):
    """Reads by the law of a [sink] section, and notes when how much had been taken."""

    def __init__(self, peer, law, zero):
        super().__init__(daemon=True)
        self._peer = peer
        self._zero = zero
        self._over = threading.Event()
        self._read = policy_scenario.size(law.get("read", "16K"))
        self._every = policy_scenario.seconds(law.get("stall_every", "never"))
        self._for = policy_scenario.seconds(law.get("stall_for", "0s"))
        if law.get("random", "no") != "no":
            raise BenchError("a sink that stalls at random is not done over sockets")
        text = law.get("schedule")
        self._steps = policy_scenario.steps(text) if text else [(0, policy_scenario.size(law.get("rate", "unlimited")))]
        self.noted = []

    def stop(self):
        self._over.set()

    def _rate_at(self, at):
        """Bytes a second at this moment, and when that changes."""
        if at >= self._every and at % self._every < self._for:
            return 0, at - at % self._every + self._for
        rate, until = 0, policy_scenario.UNLIMITED
        for begin, value in self._steps:
            if begin > at:
                until = begin
                break
            rate = value
        if self._every < policy_scenario.UNLIMITED:
            until = min(until, (at // self._every + 1) * self._every)
        return rate, until

    def run(self):
        begun, ready, taken = time.monotonic(), 0.0, 0
        room = memoryview(bytearray(BULK * 4))
        while not self._over.is_set():
            at = time.monotonic() - begun
            rate, until = self._rate_at(at)
            if rate == 0 or ready > at:
                self._over.wait(min(until if rate == 0 else ready, until, at + PATIENCE) - at)
                continue
            length = self._peer_read(room if rate == policy_scenario.UNLIMITED else room[: self._read])
            if length == 0:
                return
            at, taken = time.monotonic() - begun, taken + length
            ready = max(ready, at - LATE) + length / rate
            self.noted.append((at + begun - self._zero, taken))

    def _peer_read(self, room):
        try:
            return self._peer.recv_into(room)
        except OSError:  # the run is over
            return 0


def _shrink(peer, law):
    """The sink's window: the kernel doubles what it is told, and offers about half of that."""
    if "window" in law:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, policy_scenario.size(law["window"]))


class Session:
    """A client, a server, and what runs on them."""

    def __init__(self, peers, traffic, scenario, zero, counter):
        self._peers = client, server = peers
        self._threads = []
        self.sinks = []
        sources, sinks = scenario.named("source"), scenario.named("sink")
        if policy_talk.is_one(traffic, sources):
            self._threads = self.sinks = policy_talk.sides(client, server, traffic, sources, zero, counter)
            return
        ends = (("up", client, server), ("down", server, client))
        for direction, giver, taker in ends:
            source = traffic.get(f"{direction}_source")
            if source is None:
                continue
            sink = Sink(taker, sinks.get(traffic.get(f"{direction}_sink"), {}), zero)
            self._threads += [Source(giver, sources[source]), sink]
            self.sinks.append(sink)

    def begin(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Both ends reset: what is on its way is of no interest."""
        for thread in self._threads:
            thread.stop()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(PATIENCE)
        for peer in self._peers:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            peer.close()


def _law(scenario, traffic, key):
    return scenario.named("sink").get(traffic.get(key), {})


def _address(kind, traffic, number):
    """The address that the session of this number comes from; different kinds of traffic share none."""
    clients = int(traffic.get("clients", 0))
    number = number % clients if clients > 0 else number
    return f"127.{16 + kind}.{number // 250}.{number % 250 + 1}"


def _join(listening_peer, port, start, scenario):
    """A client through weir, and the server's end of it."""
    _, kind, number, traffic = start
    client = socket.socket()
    client.bind((_address(kind, traffic, number), 0))
    _shrink(client, _law(scenario, traffic, "down_sink"))
    _shrink(listening_peer, _law(scenario, traffic, "up_sink"))
    client.connect(("127.0.0.1", port))
    server, _ = listening_peer.accept()
    for peer in (client, server):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


@contextlib.contextmanager
def listening():
    """Where weir connects to."""
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        peer.listen(128)
        peer.settimeout(PATIENCE)
        yield peer


def _starts(scenario):
    """Every session: (when it begins, number of its kind of traffic, its number there, its traffic), in order."""
    found = []
    for kind, traffic in enumerate(scenario.named("traffic").values()):
        if int(traffic.get("arrivals", 0)) > 0 or traffic.get("lifetime", "never") != "never":
            raise BenchError("sessions that come and go are not done over sockets")
        at = policy_scenario.seconds(traffic.get("start", "0s"))
        found += [(at, kind, number, traffic) for number in range(int(traffic.get("sessions", 1)))]
    return sorted(found, key=lambda start: start[:3])


def run(server, port, scenario):
    """All traffic of the scenario for its duration, through weir at `port`.

    Curves of what its sinks took, and the most requests that servers had at one time.
    """
    sessions, zero, counter = [], time.monotonic(), policy_talk.Counter()
    try:
        for at, starts in itertools.groupby(_starts(scenario), key=lambda start: start[0]):
            time.sleep(max(0, zero + at - time.monotonic()))
            joined = [(_join(server, port, start, scenario), start[3]) for start in starts]
            begun = [Session(*both, scenario, zero, counter) for both in joined]
            sessions += begun
            for session in begun:  # once all are there, or a policy might have given to the first what others own
                session.begin()
        time.sleep(max(0, zero + scenario.duration - time.monotonic()))
        counter.end()
    finally:
        for session in sessions:
            session.stop()
    return [Curve(sink.noted) for session in sessions for sink in session.sinks], counter.most
