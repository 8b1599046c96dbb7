# SPDX-License-Identifier: BSD-2-Clause
"""A scenario of weir-sim: the sections that weir itself reads, too, and what its sources and sinks are to do."""
import re

from .error import BenchError

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
TIMES = {"us": 0.000001, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1}
UNLIMITED = float("inf")
# What is said of a listener that both know; addresses are ours.
ADDRESSES = ("listen", "upstream")
TURNED = {"up_source": "down_source", "down_source": "up_source", "up_sink": "down_sink", "down_sink": "up_sink"}


def size(text):
    """Bytes, as weir writes them: 64K, 1M, unlimited."""
    if text in ("unlimited", "never"):
        return UNLIMITED
    found = re.fullmatch(r"(\d+)([KMG]?)", text)
    if found is None:
        raise BenchError(f"{text} is no size")
    return int(found.group(1)) * UNITS[found.group(2)]


def seconds(text):
    """A time, as weir writes it: 5ms, 2s, never."""
    if text == "never":
        return UNLIMITED
    found = re.fullmatch(r"(\d+)(us|ms|s|m|h|)", text)
    if found is None:
        raise BenchError(f"{text} is no time")
    return int(found.group(1)) * TIMES[found.group(2)]


def steps(text):
    """A sink's schedule: [(seconds, bytes per second)]."""
    pairs = [step.split() for step in text.split(",")]
    return [(seconds(at), size(rate)) for at, rate in pairs]


class Scenario:
    """The sections of a file: {"policy big": {"module": "shape", ...}}."""

    def __init__(self, path):
        self.path = path
        self.sections = {}
        self._read(path)

    def _read(self, path):
        section = None
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                line = re.sub(r"\s;.*$", "", " " + line.rstrip("\n")).strip()
                if not line or line[0] in ";#":
                    continue
                if line.startswith("["):
                    section = self.sections.setdefault(line.strip("[]").strip(), {})
                else:
                    key, _, value = line.partition("=")
                    section[key.strip()] = value.strip()

    def get(self, section, key, default=None):
        value = self.sections.get(section, {}).get(key, default)
        if value is None:
            raise BenchError(f"{self.path}: [{section}] has no {key}")
        return value

    def named(self, kind):
        """The sections of a kind, {name: keys}."""
        words = (section.split(None, 1) for section in self.sections)
        return {word[1]: self.sections[" ".join(word)] for word in words if len(word) == 2 and word[0] == kind}

    @property
    def duration(self):
        return seconds(self.get("scenario", "duration", "10s"))

    def policy(self, module):
        """The keys of the first policy that is made by this module."""
        for keys in self.named("policy").values():
            if keys.get("module") == module:
                return keys
        raise BenchError(f"{self.path}: no policy is made by {module}")

    def change(self, section, keys):
        """Other values for some keys, whatever the file says; None: no value."""
        kept = {**self.sections.get(section, {}), **keys}
        self.sections[section] = {key: value for key, value in kept.items() if value is not None}

    def turn(self):
        """What went up goes down, and the other way round."""
        for traffic in self.named("traffic").values():
            turned = {TURNED.get(key, key): value for key, value in traffic.items()}
            traffic.clear()
            traffic.update(turned)

    def _write(self, chosen):
        lines = []
        for section, keys in chosen.items():
            lines += [f"[{section}]"] + [f"{key} = {value}" for key, value in keys.items()] + [""]
        return "\n".join(lines)

    def text(self):
        """For weir-sim."""
        return self._write(self.sections)

    def _listener(self, port, upstream):
        """The one listener: the file's own, or the one that the simulator makes of [scenario] policy."""
        listeners = self.named("listener")
        if len(listeners) > 1:
            raise BenchError(f"{self.path}: several listeners; one is all that is done here")
        for name, keys in listeners.items():
            kept = {key: value for key, value in keys.items() if key not in ADDRESSES}
            return name, {"listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{upstream}", **kept}
        keys = {"listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{upstream}"}
        if "policy" in self.sections.get("scenario", {}):
            keys["policy"] = self.get("scenario", "policy")
        return "compared", keys

    def weir(self, port, upstream):
        """For weir: the same policies, on real addresses."""
        name, keys = self._listener(port, upstream)
        chosen = {"weir": {"workers": "1", **self.sections.get("weir", {}), "log_level": "info"}}
        chosen |= {f"policy {name}": keys for name, keys in self.named("policy").items()}
        chosen[f"listener {name}"] = keys
        return self._write(chosen)
