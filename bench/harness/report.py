# SPDX-License-Identifier: BSD-2-Clause
"""Everything that a run leaves: tables on stdout; results.json, results.md and SVGs in a directory."""
import dataclasses
import json
import os

from . import plots, summary, tables, targets


@dataclasses.dataclass
class Results:
    """What was found."""

    machine: dict
    options: dict
    samples: list
    failures: list
    policy: dict


def write_samples(results, directory):
    """The bare samples: after every round, so that an interrupted run was not for nothing."""
    _write(directory, "results.json", json.dumps(dataclasses.asdict(results), indent=1) + "\n")


def _write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def _tables(found, chosen, proxies, results, rows):
    made = []
    for case in chosen:
        measured = [proxy for proxy in proxies if found.has(case.name, proxy)]
        if not measured:
            continue
        made.append(tables.of_case(found, case, measured))
        if case.name.startswith("syscalls"):
            made.append(tables.of_calls(found, case, measured))
    if results.policy:
        made.append(tables.of_policy(results.policy))
    return made + [tables.of_targets(rows)]


def _settings(machine):
    return [f"{name} = {value}" for name, value in machine["settings"].items() if value]


def _markdown(results, made):
    machine = results.machine
    versions = [version for version in machine["versions"].values() if version]
    head = [
        "# Results of bench/run",
        "",
        f"- {machine['date']}; {machine['cpu']}, {machine['processors']} processors; {machine['kernel']}",
        "- " + "; ".join(versions),
        "- " + "; ".join(_settings(machine)),
        f"- {results.options['rounds']} rounds of {results.options['seconds']:g} s",
    ]
    head += [f"- failed: {failure}" for failure in results.failures]
    return "\n".join(head) + "\n\n" + "\n".join(table.markdown() for table in made)


def finish(results, chosen, proxies, directory):
    """Prints the tables and writes all files."""
    found = summary.Summary(results.samples)
    rows = targets.rows(found, results.policy)
    made = _tables(found, chosen, proxies, results, rows)
    print("\n".join(table.text() for table in made), flush=True)
    everything = dataclasses.asdict(results)
    everything |= {"summary": found.as_dict(), "targets": [dataclasses.asdict(row) for row in rows]}
    _write(directory, "results.json", json.dumps(everything, indent=1) + "\n")
    _write(directory, "results.md", _markdown(results, made))
    plots.draw(found, chosen, proxies, directory)
