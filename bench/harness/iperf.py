# SPDX-License-Identifier: BSD-2-Clause
"""iperf3 as a cross-check of our own load generator: one stream, client to server."""
import json
import subprocess

from . import process
from .error import BenchError

GIB = 2**30


def _client(bench, port, seconds):
    command = ["iperf3", "--client", "127.0.0.1", "--port", str(port)]
    command += ["--parallel", "1", "--time", str(seconds), "--json"]
    client = bench.children.start(command, bench.load.core, stdout=subprocess.PIPE)
    try:
        report = json.loads(client.communicate(timeout=seconds + 30)[0] or "{}")
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise BenchError(f"iperf3: {error}") from error
    finally:
        bench.children.stop(client)
    if "error" in report or "end" not in report:
        raise BenchError(f"iperf3: {report.get('error', 'no report')}")
    return report["end"]["sum_received"]


def measure(bench, setup):
    """One run against an iperf3 server and a proxy of its own."""
    command = ["iperf3", "--server", "--bind", "127.0.0.1", "--port"]
    server, upstream = process.start_listening(bench.children, bench.load.core, lambda port: command + [str(port)])
    try:
        with setup.fresh(bench.place, bench.children, upstream) as proxy:
            before = process.cpu_ns(proxy.pids)
            received = _client(bench, proxy.port, max(1, round(bench.options.seconds)))
            spent = process.cpu_ns(proxy.pids) - before
    finally:
        bench.children.stop(server)
    figures = {"bytes": received["bytes"], "gbit_s": received["bits_per_second"] / 1e9}
    if proxy.pids:
        figures |= {"cpu_ns": spent, "cpu_s_per_gib": spent / 1e9 / (received["bytes"] / GIB)}
    return figures
