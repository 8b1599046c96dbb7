# SPDX-License-Identifier: BSD-2-Clause
"""Medians, ranges and ratios of the samples."""
import statistics

from . import memory

WEIR = "weir"
PLAIN = ("haproxy", "nginx")  # as people run them
PEERS = (*PLAIN, "haproxy-splice", "nginx-128k")
RELAYS = ("relay-copy", "relay-splice")
TOTALS = {"idle": memory.idle_total, "stalled": memory.stalled_total}


class Summary:
    """All samples, by case and set-up. A sample is {"round", "case", "proxy", "figures"}."""

    def __init__(self, samples):
        self._figures = {}
        for sample in samples:
            self._figures.setdefault((sample["case"], sample["proxy"]), []).append(dict(sample["figures"]))
        self._add_totals()

    def _add_totals(self):
        """Memory is told apart from that of the two ends by what a session without a proxy takes."""
        for (case, proxy), found in self._figures.items():
            total = TOTALS.get(case.split("-")[0])
            if total is None or proxy == "direct" or not self.has(case, "direct"):
                continue
            direct = {key: self.median(case, "direct", key) for key in ("slab_kib", "tcp_kib")}
            for figures in found:
                figures.update(total(figures, direct))

    def has(self, case, proxy):
        return (case, proxy) in self._figures

    def samples(self, case, proxy):
        return self._figures.get((case, proxy), [])

    def values(self, case, proxy, key):
        return [figures[key] for figures in self.samples(case, proxy) if figures.get(key) is not None]

    def median(self, case, proxy, key):
        values = self.values(case, proxy, key)
        return statistics.median(values) if values else None

    def ratio(self, case, proxy, key):
        """weir's median against that of another."""
        return divide(self.median(case, WEIR, key), self.median(case, proxy, key))

    def best(self, case, figure, among=PEERS):
        """(set-up, median) of the best of some; (None, None) if none was measured."""
        found = [(self.median(case, proxy, figure.key), proxy) for proxy in among]
        found = [(value, proxy) for value, proxy in found if value is not None and value > 0]
        if not found:
            return None, None
        value, proxy = (max if figure.higher else min)(found)
        return proxy, value

    def as_dict(self):
        """For results.json."""
        result = {}
        for case, proxy in self._figures:
            numbers = [key for key, value in self.samples(case, proxy)[0].items() if isinstance(value, (int, float))]
            result.setdefault(case, {})[proxy] = {key: self._numbers(case, proxy, key) for key in numbers}
        return result

    def _numbers(self, case, proxy, key):
        values = self.values(case, proxy, key)
        return {
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "samples": len(values),
            "weir_to_it": self.ratio(case, proxy, key),
        }


def divide(one, other):
    """None where there is nothing to compare; a difference that came out negative is noise, and nothing, too."""
    return one / other if one is not None and other and min(one, other) >= 0 else None
