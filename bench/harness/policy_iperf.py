# SPDX-License-Identifier: BSD-2-Clause
"""The traffic of a scenario by iperf3, where it is bulk: what the receiver counted, every tenth of a second."""
import contextlib
import json
import subprocess

from . import policy_scenario, process
from .error import BenchError
from .policy_trial import Curve

CONTROL = 1  # iperf3's own connection


def _traffic(scenario):
    """(sessions, whether the server sends, bytes a second or 0 for all that go)"""
    found = list(scenario.named("traffic").values())
    sources = list(scenario.named("source").values())
    if len(found) != 1 or len(sources) != 1 or sources[0].get("kind", "bulk") not in ("bulk", "constant"):
        raise BenchError(f"{scenario.path}: iperf3 is one kind of traffic, bulk or constant")
    rate = policy_scenario.size(sources[0]["rate"]) if sources[0].get("kind") == "constant" else 0
    return int(found[0].get("sessions", 1)), "up_source" not in found[0], rate


@contextlib.contextmanager
def serving(children, core):
    """A server for one run: its port."""
    command = ["iperf3", "--server", "--json", "--interval", "0.1", "--bind", "127.0.0.1", "--port"]
    server, port = process.start_listening(children, core, lambda port: command + [str(port)])
    try:
        yield port
    finally:
        children.stop(server)


def _curves(report, is_down):
    intervals = report["intervals"] if is_down else report["server_output_json"]["intervals"]
    curves, counts = {}, {}
    for interval in intervals:
        for stream in interval["streams"]:
            counts[stream["socket"]] = counts.get(stream["socket"], 0) + stream["bytes"]
            curves.setdefault(stream["socket"], [(0.0, 0)]).append((stream["end"], counts[stream["socket"]]))
    return [Curve(points) for points in curves.values()]


def run(children, core, port, scenario):
    """Through weir at `port`: (Curves of what was received, sessions that there were)."""
    sessions, is_down, rate = _traffic(scenario)
    command = ["iperf3", "--client", "127.0.0.1", "--port", str(port), "--json", "--get-server-output"]
    command += ["--zerocopy", "--interval", "0.1", "--time", str(round(scenario.duration)), "--parallel", str(sessions)]
    command += ["--bitrate", str(rate * 8 // sessions)]
    client = children.start(command + (["--reverse"] if is_down else []), core, stdout=subprocess.PIPE)
    try:
        report = json.loads(client.communicate(timeout=scenario.duration + 60)[0] or "{}")
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise BenchError(f"iperf3: {error}") from error
    finally:
        children.stop(client)
    if "error" in report or "server_output_json" not in report:
        raise BenchError(f"iperf3: {report.get('error', 'the server told nothing')}")
    return _curves(report, is_down), sessions + CONTROL
