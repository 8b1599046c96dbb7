# SPDX-License-Identifier: BSD-2-Clause
"""Expected, simulated, measured: one table, and everything as JSON."""
import dataclasses
import json
import statistics


@dataclasses.dataclass
class Found:
    """By case and figure; `measured` has a dictionary for each round."""

    machine: dict
    options: dict
    expected: dict = dataclasses.field(default_factory=dict)
    simulated: dict = dataclasses.field(default_factory=dict)
    measured: dict = dataclasses.field(default_factory=dict)
    failures: list = dataclasses.field(default_factory=list)


HEAD = ("case", "figure", "expected", "simulated", "measured", "min..max", "measured / simulated")


def _row(found, case, figure):
    def text(value):
        return "" if value is None else f"{value:,.{figure.digits}f}"

    expected = found.expected[case.name].get(figure.name)
    simulated = found.simulated[case.name][figure.name]
    values = [figures[figure.name] for figures in found.measured.get(case.name, [])]
    bound = "at most " if figure.at_most else ""
    cells = [case.name, figure.name, bound + text(expected), text(simulated)]
    if not values:
        return cells + ["", "", ""]
    middle = statistics.median(values)
    ratio = f"{middle / simulated:.3f}" if simulated else ""
    return cells + [text(middle), f"{text(min(values))}..{text(max(values))}", ratio]


def _markdown(rows):
    lines = [HEAD, ["---", "---"] + ["---:"] * (len(HEAD) - 2), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def finish(found, cases, path):
    """Prints the table; writes the JSON if it is to go somewhere."""
    about = found.machine
    print(f"{about['date']}; {about['cpu']}, {about['processors']} processors; {about['kernel']}\n")
    print(_markdown([_row(found, case, figure) for case in cases for figure in case.figures]), end="", flush=True)
    for failure in found.failures:
        print(f"failed: {failure}")
    if path:
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(dataclasses.asdict(found), stream, indent=1)
            stream.write("\n")
