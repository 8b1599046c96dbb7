# SPDX-License-Identifier: BSD-2-Clause
"""What came of a scenario, simulated or over sockets: the same figures of both."""
import bisect
import dataclasses
import statistics

POINTS = 997  # of a line: what comes in steps of a few milliseconds is met in all its phases


class Curve:
    """What was counted when: [(seconds since the begin, bytes)], in order of time."""

    def __init__(self, points):
        self.points = points

    def _place(self, at):
        return bisect.bisect_right(self.points, (at, float("inf")))

    def stepped(self, at):
        """What was counted last, at that moment."""
        place = self._place(at)
        return self.points[place - 1][1] if place > 0 else 0

    def at(self, at):
        """Between two points, in proportion."""
        place = self._place(at)
        if place in (0, len(self.points)):
            return self.stepped(at)
        (before, less), (after, more) = self.points[place - 1 : place + 1]
        return less + (more - less) * (at - before) / (after - before)

    def reaches(self, count):
        """When it is first that much; never: infinity."""
        return next((at for at, value in self.points if value >= count), float("inf"))


def together(curves):
    """The sum of Curves, one step for each of theirs."""
    steps = []
    for curve in curves:
        before = 0
        for at, count in curve.points:
            steps.append((at, count - before))
            before = count
    points, count = [], 0
    for at, more in sorted(steps):
        count += more
        points.append((at, count))
    return Curve(points)


@dataclasses.dataclass
class Trial:
    """A run: curves of the flows that carried bytes, and what weir's meters said of all of them."""

    taken: list  # Curves: bytes that each flow's sink has taken, ever
    held: list  # Curves: bytes that weir held of each flow
    every: list  # Curves whose sum is what all sinks have taken, those of sessions that are over, too
    held_max: int = 0  # the most that a flow held, between two points, too
    written: int = 0  # bytes that weir gave to sinks
    pauses: int = 0  # by policies
    cpu_ns: int = 0  # that weir spent; a simulation does not tell
    queued_max: int = 0  # bytes that were on the way to servers, at most: in a socket, and not acknowledged
    in_flight: int = 0  # the most requests that were with servers at one time, by their own count

    def total(self, at):
        """Taken by all sinks."""
        return sum(curve.at(at) for curve in self.every)

    def line(self, begin, end):
        """(bytes a second, bytes at the begin of all): the straight line nearest to what was taken in between."""
        moments = [begin + (end - begin) * i / POINTS for i in range(POINTS + 1)]
        return statistics.linear_regression(moments, [self.total(at) for at in moments])

    def rates(self, begin, end):
        """Bytes a second between two moments, of each flow."""
        return [(curve.at(end) - curve.at(begin)) / (end - begin) for curve in self.taken]

    def held_together(self, count, begin=0.0):
        """What the first so many flows held at each moment from then on."""
        moments = sorted({at for curve in self.held for at, _ in curve.points if at >= begin})
        return [sum(curve.stepped(at) for curve in self.held[:count]) for at in moments] or [0]

    def held_by(self, number, begin, end):
        """The most that one flow held between two moments."""
        points = [count for at, count in self.held[number].points if begin <= at <= end]
        return max(points + [self.held[number].stepped(begin)])

    def held_median(self, begin):
        """Of what flows held from then on."""
        found = [count for curve in self.held for at, count in curve.points if at >= begin]
        return statistics.median(found) if found else 0


def jain(rates):
    """Jain's fairness index: 1 if all are the same, 1/n if one has all."""
    squares = sum(rate * rate for rate in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else 0.0
