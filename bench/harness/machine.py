# SPDX-License-Identifier: BSD-2-Clause
"""The machine and the programs, as far as they explain figures."""
import datetime
import os
import platform
import re
import resource
import shutil
import subprocess

DESCRIPTORS = 20000
SYSCTLS = ("net/ipv4/tcp_congestion_control", "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem", "net/core/somaxconn")
VERSIONS = {
    "haproxy": ("haproxy", "-v"),
    "nginx": ("nginx", "-v"),
    "iperf3": ("iperf3", "--version"),
    "strace": ("strace", "--version"),
}


def limit_descriptors():
    """Everybody gets the same limit; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def _first_line(command):
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    return done.stdout.split("\n", 1)[0].strip()


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        found = re.search(r"^model name\s*: (.*)$", stream.read(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _sysctl(name):
    try:
        with open(f"/proc/sys/{name}", encoding="ascii") as stream:
            return " ".join(stream.read().split())
    except OSError:
        return None


def describe(weir):
    """Model, kernel, settings, versions, date."""
    versions = {name: _first_line(command) for name, command in VERSIONS.items()}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _cpu_model(),
        "processors": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "load_before": os.getloadavg()[0],
        "settings": {name.replace("/", "."): _sysctl(name) for name in SYSCTLS},
        "versions": {"weir": _first_line((weir, "-V")), **versions},
    }
