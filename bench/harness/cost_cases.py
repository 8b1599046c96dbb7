# SPDX-License-Identifier: BSD-2-Clause
"""What policies are compared with, and on what."""
import dataclasses

from . import setups

BASE = "watermark"
COPYING = "splice = off\n"
PEERS = ("haproxy", "haproxy-splice", "nginx", "nginx-128k")  # in the same rounds, where bytes go as they like
# Limits that nothing here reaches: what is measured is asking, leasing and counting, and not waiting. But for what is held:
# that is bounded here as by the default, or it would be measured that what is held is copied. Those who lease what they hold
# do so by quarters of a pool, and a turn is 256K.
SECTIONS = {
    "none": {},
    BASE: {"module": "watermark"},
    "watermark, a group": {"module": "watermark", "scope": "listener", "high": "1M", "low": "512K"},
    "shape": {"module": "shape", "rate": "256G", "queue": "256K"},
    "demand": {"module": "demand", "bytes": "256K"},
    "credit": {"module": "credit"},
    "fair": {"module": "fair", "pool": "1M"},
    "inflight-cap, bytes": {"module": "inflight-cap", "per_session": "16M", "total": "64M", "queue": "256K"},
    "inflight-cap, requests": {
        "module": "inflight-cap",
        "unit": "requests",
        "framing": "line",
        "per_session": "64",
        "total": "1000",
        "queue": "256K",
    },
}
CONVERSING = ("inflight-cap, requests",)  # of no use for one stream of random bytes
STACK = ("shape", "credit", "inflight-cap, bytes", BASE)


def section(name, of):
    """An ini section of that policy."""
    return "\n".join([f"[policy {name}]"] + [f"{key} = {value}" for key, value in SECTIONS[of].items()]) + "\n"


def policies():
    """By name: the policies of a listener, and the sections that they need."""
    found = {}
    for name, keys in SECTIONS.items():
        found[name] = ("tried" if keys else "none", section("tried", name) if keys else "")
    names = [f"p{number}" for number in range(len(STACK))]
    found["shape, credit, cap, watermark"] = (", ".join(names), "".join(map(section, names, STACK)))
    return found


def _setup(name, line, sections, more):
    kind = " copying" if more else ""
    return setups.weir(f"{name}{kind}", f"weir with policy {name}", f"{more}policy = {line}\n{sections}")


def every():
    """All set-ups: each policy, and again without splicing; then the peers."""
    found = [_setup(name, *words, more) for more in ("", COPYING) for name, words in policies().items()]
    return tuple(found) + tuple(setup for setup in setups.every() if setup.name in PEERS)


@dataclasses.dataclass(frozen=True)
class Case:
    """A case of bench/run, on some of the set-ups."""

    name: str
    load: str  # the case of bench/run
    unit: str  # the key of its CPU time for a unit of work
    pace: str  # and of how many it did
    kind: str = ""  # what the names of the set-ups end with
    peers: bool = True

    def proxies(self):
        """Names of set-ups, and how they are called in the table."""
        found = {f"{name}{self.kind}": name for name in policies()}
        return found | ({name: name for name in PEERS} if self.peers else {})


BULK = ("cpu_s_per_gib", "gbit_s")
ROUNDS = ("cpu_us_per_round", "rounds_s")
CASES = (
    Case("bulk", "bulk-1", *BULK),
    Case("bulk-8", "bulk-8", *BULK),
    Case("bulk-copied", "bulk-1", *BULK, kind=" copying", peers=False),
    Case("rounds", "rounds-1kx1", *ROUNDS),
    Case("rounds-64", "rounds-1kx64", *ROUNDS),
)
