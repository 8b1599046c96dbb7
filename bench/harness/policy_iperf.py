# SPDX-License-Identifier: BSD-2-Clause
"""The traffic of a scenario by iperf3, where it is bulk: what the receiver counted, every tenth of a second."""
import contextlib
import json
import subprocess

from . import process
from .error import BenchError
from .policy_trial import Curve

CONTROL = 1  # iperf3's own connection


def _traffic(scenario):
    """(sessions, whether the server sends)"""
    found = list(scenario.named("traffic").values())
    if len(found) != 1:
        raise BenchError(f"{scenario.path}: iperf3 is one kind of traffic")
    return int(found[0].get("sessions", 1)), "up_source" not in found[0]


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
    sessions, is_down = _traffic(scenario)
    command = ["iperf3", "--client", "127.0.0.1", "--port", str(port), "--json", "--get-server-output"]
    command += ["--interval", "0.1", "--time", str(round(scenario.duration)), "--parallel", str(sessions)]
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
