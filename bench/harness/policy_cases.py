# SPDX-License-Identifier: BSD-2-Clause
"""What is compared: scenarios, how they are run over sockets, the figures looked at and what they should be."""
import dataclasses
import os

from . import policy_scenario
from .policy_trial import jain

KIB = 2**10
MIB = 2**20
GIB = 2**30
FLOOR = 4096  # bytes that a flow may hold although its group may hold no more
BEGUN = 1.0  # seconds, from when on rates are looked at: bursts are over
LAST = 0.15  # seconds at the end that are not: iperf3's last interval is a short one

# How a scenario is run.
IPERF = "iperf3"
THREADS = "threads"


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number of a trial, and what it should be by formula; None where no formula says it."""

    name: str
    of: object  # (trial, scenario) -> number
    expected: object = None  # scenario -> number
    digits: int = 0
    at_most: bool = False  # the formula is a bound


@dataclasses.dataclass(frozen=True)
class Case:
    """A scenario; with other values of some keys, {section: {key: value}}, or turned round."""

    name: str
    scenario: str
    by: str
    figures: tuple
    changes: dict = dataclasses.field(default_factory=dict)
    down: bool = False
    as_long: bool = False  # as the scenario says
    apart: bool = False  # run only when it is named

    def is_named(self, names):
        """By its name, or by its first word; None names all but those apart."""
        if names is None:
            return not self.apart
        return self.name in names or self.name.split("-")[0] in names

    def load(self, directory, duration):
        scenario = policy_scenario.Scenario(os.path.join(directory, f"{self.scenario}.ini"))
        for section, keys in self.changes.items():
            scenario.change(section, keys)
        if self.down:
            scenario.turn()
        if not self.as_long:
            scenario.change("scenario", {"duration": f"{duration}s"})
        return scenario


def _sessions(traffic):
    return int(traffic.get("sessions", "1"))


def _option(module, key, default):
    return lambda scenario: policy_scenario.size(scenario.policy(module).get(key, default))


# ---- shape ---------------------------------------------------------------------------------------

_shape_rate = _option("shape", "rate", None)


def _shape_burst(scenario):
    burst = scenario.policy("shape").get("burst", "auto")
    return max(64 * KIB, _shape_rate(scenario) / 10) if burst == "auto" else policy_scenario.size(burst)


def _quantum(scenario):
    """What a flow waits for: 10 ms of the rate, between a packet and the largest read."""
    return min(max(_shape_rate(scenario) / 100, 1448), 256 * KIB, _shape_burst(scenario))


def _middle(scenario):
    return (_shape_burst(scenario) - _quantum(scenario) / 2) / KIB


def _line(trial, scenario):
    return trial.line(BEGUN, scenario.duration - LAST)


def _rates(trial, scenario):
    return trial.rates(BEGUN, scenario.duration - LAST)


def _share(trial, scenario, choose):
    rates = _rates(trial, scenario)
    return choose(rates) / (sum(rates) / len(rates))


def _written(scenario):
    """What the only source writes at once."""
    (law,) = scenario.named("source").values()
    return policy_scenario.size(law.get("burst", law.get("bytes", "0")))


def _passed(trial, scenario):
    """Seconds until it has passed for the first time."""
    return trial.every[0].reaches(_written(scenario))


def _leap(trial, _scenario):
    """What passes in the first moment, at any speed."""
    return trial.total(MOMENT) / KIB


MOMENT = 0.02  # seconds
RATE = Figure("rate, KB/s", lambda *run: _line(*run)[0] / KIB, lambda s: _shape_rate(s) / KIB, 1)
# A line through the middle of a staircase.
START = Figure("line at 0 s, KB", lambda *run: _line(*run)[1] / KIB, _middle, 1)
LEAP = Figure("taken after 20 ms, KB", _leap, lambda s: (_shape_burst(s) + MOMENT * _shape_rate(s)) / KIB, 1)
PASSED = Figure("all of it after, s", _passed, lambda s: (_written(s) - _shape_burst(s)) / _shape_rate(s), 3)
LEAST = Figure("least share of the mean", lambda *run: _share(*run, min), lambda _: 1, 4)
MOST = Figure("largest share of the mean", lambda *run: _share(*run, max), lambda _: 1, 4)
JAIN = Figure("Jain's index", lambda *run: jain(_rates(*run)), lambda _: 1, 5)
FAIR = (RATE, LEAST, MOST, JAIN)


# What bounds what is held: a sink that is late for a moment leaves megabytes at this rate, which then are copied.
BESIDE = {"policy bounded": {"module": "watermark"}, "listener a": {"policy": "slow, bounded"}}


def _shaped(rate, **more):
    """shape.ini at another rate, and all the time."""
    return {"policy slow": {"rate": rate, "burst": None, **more}, "source upload": {"bytes": None}}


# ---- what is held --------------------------------------------------------------------------------

_high = _option("watermark", "high", "256K")
_low = _option("watermark", "low", "128K")


def _group(scenario):
    """Flows of the first client."""
    return _sessions(next(iter(scenario.named("traffic").values())))


def _group_bound(scenario):
    return (_high(scenario) + _group(scenario) * FLOOR) / KIB


def _pauses(trial, _scenario):
    return trial.pauses / (trial.written / MIB)


def _most(trial, scenario):
    return max(trial.held_together(_group(scenario))) / KIB


def _least(trial, scenario):
    return min(trial.held_together(_group(scenario), BEGUN)) / KIB


HELD = Figure("held, most, KB", lambda trial, _: trial.held_max / KIB, lambda s: _high(s) / KIB, 1)
HELD_MEDIAN = Figure("held, median, KB", lambda trial, _: trial.held_median(BEGUN) / KIB, None, 1)
HELD_LEAST = Figure("held, least, KB", _least, lambda s: _low(s) / KIB, 1)
HELD_TOGETHER = Figure("held together, most, KB", _most, _group_bound, 1, at_most=True)
TOGETHER_LEAST = Figure("held together, least, KB", _least, lambda s: _low(s) / KIB, 1)
PAUSES = Figure("pauses per MB", _pauses, lambda s: MIB / (_high(s) - _low(s)), 1, at_most=True)
TAKEN = Figure("rate, KB/s", lambda *run: _line(*run)[0] / KIB, None, 1)

# ---- demand --------------------------------------------------------------------------------------


def _demand(scenario, key, default):
    return int(scenario.policy("demand").get(key, default))


def _chunk(scenario):
    """What a read brings, at most: as much as a receive queue holds, where its size is said."""
    (listener,) = scenario.named("listener").values()
    return policy_scenario.size(listener.get("rcvbuf", "256K"))


def _demand_bound(scenario):
    chunks = _demand(scenario, "prefetch", "128") + _demand(scenario, "queue", "32")
    return min(chunks * _chunk(scenario), policy_scenario.size(scenario.policy("demand").get("bytes", "1M"))) / KIB


def _refills(scenario):
    """Each stands for the chunks that were complete when it came."""
    chunks = _demand(scenario, "prefetch", "128") - _demand(scenario, "refill", "64")
    return MIB / (chunks * _chunk(scenario))


HELD_DEMAND = dataclasses.replace(HELD, expected=_demand_bound, at_most=True)
REFILL_AT = dataclasses.replace(HELD_LEAST, expected=lambda s: _demand(s, "refill", "64") * _chunk(s) / KIB)
REFILLS = dataclasses.replace(PAUSES, expected=_refills, at_most=False)


# ---- credit --------------------------------------------------------------------------------------

_pool = _option("credit", "pool", "64M")
_segment = _option("credit", "segment", "32K")


def _segments(scenario, key, default):
    return int(scenario.policy("credit").get(key, default)) * _segment(scenario) / KIB


def _all_held(trial, _scenario):
    return max(trial.held_together(len(trial.held))) / KIB


def _rate(scenario, sink):
    return policy_scenario.size(scenario.get(sink, "rate")) / KIB


def _later(trial, _scenario):
    """What one that came later holds while the first does not drain."""
    return trial.held_by(1, 0.8, 1.0) / KIB


def _limited(trial, scenario):
    """The slowest of those whose clients take so much a second and no more; four stuck ones came before them."""
    return min(trial.rates(BEGUN, scenario.duration - LAST)[4:8]) / KIB


HELD_CREDIT = dataclasses.replace(HELD, expected=lambda s: _segments(s, "max", "10"))
HELD_POOL = Figure("held together, most, KB", _all_held, lambda s: _pool(s) / KIB, 1, at_most=True)
LATER = Figure("held by a later one, KB", _later, lambda s: _segments(s, "exclusive", "2"), 1)
LIMITED = Figure("least of the limited, KB/s", _limited, lambda s: _rate(s, "sink rated"), 1)
LIVED = dataclasses.replace(LIMITED, expected=None)

# ---- fair ----------------------------------------------------------------------------------------

_whole = _option("fair", "pool", "64M")


def _threshold(flows):
    """Of each of so many that want all they can get, with alpha = 1; beside the pool each has its own 4K."""
    return lambda scenario: (_whole(scenario) / (1 + flows) + FLOOR) / KIB


def _held_at(number, at):
    return lambda trial, _scenario: trial.held[number].stepped(at) / KIB


def _ninth(trial, scenario):
    return trial.held_by(8, BEGUN, scenario.duration) / KIB


ALONE = Figure("held by one alone, KB", _held_at(0, 2.8), _threshold(1), 1)
OF_TWO = Figure("by the second of two, KB", _held_at(1, 5.8), _threshold(2), 1)
OF_THREE = Figure("by the third of three, KB", _held_at(2, 8.8), _threshold(3), 1)
FIRST_OF_THREE = Figure("by the first of three, KB", _held_at(0, 8.8), _threshold(3), 1)
HELD_FAIR = Figure("held together, most, KB", _all_held, lambda s: (_whole(s) + 3 * FLOOR) / KIB, 1, at_most=True)
TAKEN_IN = Figure("held by the newcomer, most, KB", _ninth, _threshold(9), 1, at_most=True)
LEFT_OVER = dataclasses.replace(TAKEN_IN, expected=lambda _: FLOOR / KIB)

# A window below loopback's segments would be what is measured, and so would pipes, which hold 256K each and no more. Hogs
# that take nothing keep what the first of them found.
COPIED = {"rcvbuf": "64K", "splice": "off"}
NEWCOMER = {"listener a": COPIED, "sink stalled": {"schedule": None, "rate": "2M"}}
NEWCOMER_MARKS = {"listener a": {**COPIED, "policy": "marks"}}

# ---- inflight-cap --------------------------------------------------------------------------------

_cap = _option("inflight-cap", "total", None)
SLOW = {"source answers": {"service": "50ms", "rtt": None}, "sink server": {"rtt": None}}


def _requests(trial, scenario):
    """A second, by the bytes of both ways."""
    sources = scenario.named("source")
    length = sum(policy_scenario.size(sources[name]["write"]) for name in ("asks", "answers"))
    return _line(trial, scenario)[0] / length


def _service(scenario):
    return policy_scenario.seconds(scenario.get("source answers", "service"))


def _queued(trial, _scenario):
    return trial.queued_max / KIB


IN_FLIGHT = Figure("requests at the server, most", lambda trial, _: trial.in_flight, _cap)
ANSWERED = Figure("requests a second", _requests, lambda s: _cap(s) / _service(s), 1)
QUEUED = Figure("not acknowledged, most, KB", _queued, lambda s: _cap(s) / KIB, 1, at_most=True)
SERVED = dataclasses.replace(TAKEN, expected=lambda s: _group(s) * _rate(s, "sink slow"))


# ---- what it costs --------------------------------------------------------------------------------


def _cost(trial, _scenario):
    return trial.cpu_ns / 1e9 / (trial.written / GIB) if trial.cpu_ns else None


COST = Figure("CPU, s per GiB", _cost, None, 3)
PACED = {"source upload": {"kind": "constant", "rate": "100M", "write": "128K", "bytes": None}}


def _asked(total):
    changes = {**SLOW, "policy asked": {"total": str(total)}}
    return Case(f"inflight-requests-{total}", "inflight-requests", THREADS, (IN_FLIGHT, ANSWERED), changes)


def _costs():
    """The same throughput, by the source's pace or by the bucket's: what the policy adds."""
    slow = {"burst": None, "rate": "100M"}
    stacks = {
        "none": {**PACED, "listener a": {"policy": "none"}},
        "watermark": {**PACED, "policy slow": {"module": "watermark", "rate": None, "burst": None}},
        "unused": {**PACED, "policy slow": {**slow, "rate": "1G"}},
        "shape": {"source upload": {"bytes": None}, "policy slow": slow},
    }
    figures = (TAKEN, COST)
    return (Case(f"cost-{name}", "shape", IPERF, figures, changes, apart=True) for name, changes in stacks.items())


def every():
    """All cases, in the order of the table."""
    rates = ("100K", "1M", "10M", "100M")
    five = {"traffic client": {"sessions": "5"}}
    return (
        *(Case(f"shape-{rate.lower()}", "shape", IPERF, (RATE, START), _shaped(rate)) for rate in rates),
        Case("shape-1g", "shape", IPERF, (RATE,), {**_shaped("1G"), **BESIDE}),
        Case("shape-down", "shape", IPERF, (RATE, START), _shaped("10M"), down=True),
        Case("shape-write", "shape", IPERF, (RATE, START), _shaped("10M", side="write")),
        Case("shape-five", "shape", IPERF, FAIR, {**_shaped("10M", scope="instance"), **five}),
        Case("shape-8m", "shape", THREADS, (LEAP, PASSED), as_long=True),
        Case("shape-burst", "shape-burst", THREADS, (LEAP, PASSED), as_long=True),
        Case("watermark", "watermark", THREADS, (HELD, HELD_LEAST, HELD_MEDIAN, PAUSES, TAKEN)),
        Case("scopes", "scopes", THREADS, (HELD_TOGETHER,), as_long=True),
        Case("scopes-teeth", "scopes-teeth", THREADS, (HELD_TOGETHER, TOGETHER_LEAST, TAKEN)),
        Case("demand", "demand", THREADS, (HELD_DEMAND, REFILL_AT, HELD_MEDIAN, REFILLS, TAKEN)),
        Case("demand-stalled", "demand-stalled", THREADS, (HELD_DEMAND,), as_long=True),
        Case("credit", "credit", THREADS, (HELD_CREDIT, LATER, HELD_POOL), as_long=True),
        Case("credit-stalled", "credit-stalled", THREADS, (HELD_CREDIT, HELD_POOL, LIMITED, COST)),
        Case("credit-marks", "credit-stalled", THREADS, (LIVED, COST), {"listener a": {"policy": "marks"}}),
        Case("fair", "fair", THREADS, (ALONE, OF_TWO, FIRST_OF_THREE, OF_THREE, HELD_FAIR), as_long=True),
        Case("fair-newcomer", "fair-newcomer", THREADS, (TAKEN_IN,), NEWCOMER, as_long=True),
        Case("fair-marks", "fair-newcomer", THREADS, (LEFT_OVER,), NEWCOMER_MARKS, as_long=True),
        Case("inflight-bytes", "inflight", THREADS, (QUEUED, SERVED)),
        *(_asked(total) for total in (1, 8, 64)),
        *_costs(),
    )
