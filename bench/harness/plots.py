# SPDX-License-Identifier: BSD-2-Clause
"""One SVG for each case, by gnuplot: bars with the range of the samples; lines over the number of connections."""
import os
import shutil
import subprocess

from . import cases
from .error import BenchError, Missing

HEAD = """\
set terminal svg size 760,{height} font 'sans,12' background 'white'
set output '{path}'
set title "{title}" noenhanced
set grid ytics
set yrange [0:*]
set style fill solid 0.7
set boxwidth 0.6
"""


def _draw(script):
    done = subprocess.run(["gnuplot"], input=script, stderr=subprocess.PIPE, check=False, text=True)
    if done.returncode != 0:
        raise BenchError(f"gnuplot: {done.stderr.strip()}")


def _bars(summary, case, proxies, path):
    key = case.chart.key
    measured = [proxy for proxy in proxies if summary.values(case.name, proxy, key)]
    if not measured:
        return
    rows = []
    for proxy in measured:
        values = summary.values(case.name, proxy, key)
        rows.append(f'"{proxy}" {summary.median(case.name, proxy, key)} {min(values)} {max(values)}')
    script = HEAD.format(height=380, path=path, title=f"{case.name}: {case.title}")
    script += f'set ylabel "{case.chart.label}" noenhanced\nset xtics rotate by -20 noenhanced\nunset key\n'
    script += "$data << END\n" + "\n".join(rows) + "\nEND\n"
    script += "plot $data using 0:2:xtic(1) with boxes lc rgb '#4878a8', "
    script += "'' using 0:2:3:4 with yerrorbars lc black pt 0\n"
    _draw(script)


def _lines(summary, kind, figure, proxies, path):
    blocks, plots = [], []
    for proxy in proxies:
        points = zip(cases.SCALE, cases.scale_names(kind))
        found = [(n, summary.median(case, proxy, figure.key)) for n, case in points]
        found = [f"{n} {value}" for n, value in found if value is not None]
        if len(found) > 1:
            plots.append(f"$d{len(blocks)} using 1:2 with linespoints title '{proxy}' noenhanced")
            blocks.append(f"$d{len(blocks)} << END\n" + "\n".join(found) + "\nEND\n")
    if not plots:
        return
    script = HEAD.format(height=460, path=path, title=f"scale: {figure.label}")
    script += "set logscale x 10\nset xlabel 'connections'\nset key outside right\n"
    _draw(script + "".join(blocks) + "plot " + ", ".join(plots) + "\n")


def draw(summary, chosen, proxies, directory):
    """All SVGs into a directory."""
    if shutil.which("gnuplot") is None:
        raise Missing("gnuplot", "gnuplot-nox")
    for case in chosen:
        _bars(summary, case, proxies, os.path.join(directory, f"{case.name}.svg"))
    _lines(summary, "bulk", cases.CPU_PER_GIB, proxies, os.path.join(directory, "scale-bulk.svg"))
    _lines(summary, "rounds", cases.CPU_PER_ROUND, proxies, os.path.join(directory, "scale-rounds.svg"))
