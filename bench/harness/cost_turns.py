# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of weir's own code under each policy: weir-sim under callgrind, which says the same each time."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from . import cost_cases, tables
from .error import BenchError, Missing

NAME = "turns"
OURS = re.compile(r"/(src|policies)/[^/]+\.[ch]$")
FILE = re.compile(r"^(c?)f[lie]=\((\d+)\)(?: (.*))?$")  # what follows, or is called, is of that file, named once
WAYS = ("bulk", "rounds")
HEADS = {"bulk": "for each 64K", "rounds": "for a round trip"}

# With content, so that there is something to scan; as fast as sockets are, since some policies are asked by time, too.
BULK = """\
[scenario]
duration = 50ms
content = yes
[listener tried]
policy = {line}
[source steady]
kind = constant
rate = 1G
write = 64K
[traffic bulk]
sessions = 1
up_source = steady
"""

ROUNDS = """\
[scenario]
duration = 50ms
content = yes
[listener tried]
policy = {line}
[source asks]
kind = requests
write = 1K
[source answers]
kind = answers
write = 1K
service = 50us
[traffic rounds]
sessions = 1
up_source = asks
down_source = answers
"""

SCENARIOS = {"bulk": BULK, "rounds": ROUNDS}
UNITS = {"bulk": 64 * 1024, "rounds": 2 * 1024}  # bytes that are written for each


def _own(profile):
    """Instructions of weir's and the policies' files, by callgrind's profile: neither the simulator's nor libc's."""
    names, ours, callee, count = {}, False, False, 0
    for line in profile:
        found = FILE.match(line)
        if found:
            called, number, name = found.groups()
            names.setdefault(number, name)
            ours = ours if called else bool(OURS.search(names[number]))
        elif line.startswith("calls="):
            callee = True  # the next line is what the callee cost, which is told elsewhere
        elif line[:1] in "+-*0123456789":
            count += int(line.split()[1]) if ours and not callee else 0
            callee = False
    return count


def _count(build, directory, scenario, unit):
    path, profile = (os.path.join(directory, name) for name in ("scenario.ini", "profile"))
    with open(path, "w", encoding="ascii") as stream:
        stream.write(scenario)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--collect-atstart=no"]
    command += ["--toggle-collect=session_turn", os.path.join(build, "tools", "weir-sim")]
    command += ["--module-dir", os.path.join(build, "policies", ".libs"), "--json", path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise BenchError(f"weir-sim under callgrind: {done.stderr.strip()[-400:]}")
    with open(profile, encoding="ascii") as stream:
        return _own(stream) / (json.loads(done.stdout)["written_bytes"] / unit)


def measure(build, say):
    """By policy: {way: instructions for a unit of work}."""
    if shutil.which("valgrind") is None:
        raise Missing("valgrind", "valgrind")
    counts = {}
    with tempfile.TemporaryDirectory(prefix="weir-costs-") as directory:
        for name, (line, sections) in cost_cases.policies().items():
            counts[name] = {}
            for way in WAYS if name not in cost_cases.CONVERSING else ("rounds",):
                scenario = SCENARIOS[way].format(line=line) + sections
                counts[name][way] = _count(build, directory, scenario, UNITS[way])
                say(f"turns {way} {name}: {counts[name][way]:.0f}")
    return counts


def _cells(found, base, way):
    return [f"{found[way]:,.0f}", f"{found[way] - base[way]:+,.0f}"] if way in found else ["", ""]


def table(counts):
    """Instructions, and how many more than under the default policy."""
    head = [""]
    for way in WAYS:
        head += [HEADS[way], f"beyond {cost_cases.BASE}"]
    rows = []
    for name, found in counts.items():
        row = [name]
        for way in WAYS:
            row += _cells(found, counts[cost_cases.BASE], way)
        rows.append(row)
    return tables.Table(f"{NAME}: instructions of weir and its policies", head, rows)
