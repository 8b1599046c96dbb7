# SPDX-License-Identifier: BSD-2-Clause
"""A scenario in weir-sim: what came of it, from its summary and its trace."""
import csv
import json
import os
import subprocess

from .error import BenchError
from .policy_trial import Curve, Trial

TRACE = ("--set", "scenario.traced=1000", "--set", "scenario.sample=1ms")  # every flow, as finely as it goes


def _curves(path):
    """The trace: Curves of what was taken, and held, by flow; "0" is all together; and the most that was queued."""
    taken, held, queued = {}, {}, 0
    with open(path, encoding="ascii") as stream:
        for row in csv.DictReader(stream):
            at = float(row["time_s"])
            taken.setdefault(row["flow"], []).append((at, int(row["taken_bytes"])))
            held.setdefault(row["flow"], []).append((at, int(row["held_bytes"])))
            queued = max(queued, int(row["queued_bytes"]) if row["flow"] == "0" else 0)
    return *({flow: Curve(points) for flow, points in found.items()} for found in (taken, held)), queued


def run(place, scenario):
    """The scenario simulated: a Trial."""
    path = place.write("scenario.ini", scenario.text())
    trace = os.path.join(place.directory, "trace.csv")
    command = [place.built("tools", "weir-sim"), "--module-dir", place.built("policies", ".libs")]
    command += [*TRACE, "--json", "--csv", trace, path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise BenchError(f"weir-sim: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    causes = [cause for cause in told["causes"] if cause["name"] != "memory"]
    taken, held, queued = _curves(trace)
    together = taken.pop("0")
    held.pop("0")
    return Trial(
        taken=list(taken.values()),
        held=list(held.values()),
        every=[together],
        held_max=told["held_bytes"]["max"],
        written=told["written_bytes"],
        pauses=sum(cause["pauses"] for cause in causes),
        queued_max=queued,
        in_flight=max([pool["used_max_units"] for pool in told["pools"] if pool["policy"]], default=0),
    )
