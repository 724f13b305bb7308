#!/usr/bin/env python3
"""Draws the chart in README: bars for the times in the table of docs/benchmarks.md.

    benches/chart.py           draws docs/benchmark.svg
    benches/chart.py TABLE     puts the output of peers.sh, a file, into docs/benchmarks.md first
    benches/chart.py --print   prints the picture
"""

import pathlib
import re
import sys
from xml.sax.saxutils import escape

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
# The rows of the table to draw, by the beginning of their names, and the title of each.
PANELS = [
    ("with pip, empty", "With pip, the first time"),
    ("with pip, ext4", "With pip, from then on"),
    ("`--without-pip`, ext4", "Without pip"),
]
TOOLS = ["python -m venv", "virtualenv", "uv venv", "rvenv"]
NOTES = [
    "virtualenv and uv install no bytecode, and so half as many files.",
    "The first time, uv has nothing to install pip from without the network.",
]
LABELS, BARS, ROW, GAP = 122, 430, 22, 34
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.label { text-anchor: end; }
.note { font-size: 11px; fill: #59636e; }
.bar { fill: #afb8c1; }
.rvenv { fill: #1a7f37; }
text.rvenv { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .bar { fill: #656c76; }
  .rvenv { fill: #3fb950; }
}
"""


def rows(text):
    """The rows of the table: what is measured, and the milliseconds of each tool."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    names = [name.strip("`") for name in lines[0]]
    found = {}
    for line in lines[2:]:
        figures = {name: re.match(r"[*]*([\d.]+)", cell) for name, cell in zip(names[1:], line[1:])}
        found[line[0]] = {name: float(figure.group(1)) for name, figure in figures.items() if figure}
    return found


def panels(text):
    table = rows(text)
    for start, title in PANELS:
        row = next(row for row in table if row.startswith(start))
        yield title, [(tool, table[row][tool]) for tool in TOOLS if tool in table[row]]


def draw(text):
    parts, spoken, y = [], [], 6
    for title, times in panels(text):
        y += 16
        parts.append('<text class="title" x="{}" y="{}">{}</text>'.format(LABELS, y, escape(title)))
        y += 8
        longest = max(time for _, time in times)
        for tool, time in times:
            kind = " rvenv" if tool == "rvenv" else ""
            width = max(2, round(time / longest * BARS, 1))
            written = "{:,.{}f} ms".format(time, 1 if time < 10 else 0)
            if not kind:
                written += " ({:.{}f} ×)".format(time / times[-1][1], 0 if time > 3 * times[-1][1] else 1)
            parts.append('<text class="label{}" x="{}" y="{}">{}</text>'.format(kind, LABELS - 8, y + 15, escape(tool)))
            parts.append(
                '<rect class="bar{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>'.format(kind, LABELS, y + 3, width, ROW - 6)
            )
            parts.append('<text class="value{}" x="{}" y="{}">{}</text>'.format(kind, LABELS + width + 8, y + 15, escape(written)))
            spoken.append("{}: {} {}".format(title, tool, written))
            y += ROW
        y += GAP - 16
    for note in NOTES:
        parts.append('<text class="note" x="{}" y="{}">{}</text>'.format(LABELS, y + 4, note))
        y += 15
    width, height = LABELS + BARS + 148, y + 6
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img">'
    title = "<title>The time that creating an environment takes</title>"
    text = [head.format(width, height), title, "<desc>" + escape("; ".join(spoken)) + "</desc>", "<style>" + STYLE + "</style>"]
    return "\n".join(text + parts + ["</svg>"]) + "\n"


def main():
    page = DOCS / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    if sys.argv[1:] == ["--print"]:
        sys.stdout.buffer.write(draw(text).encode())
        return
    if len(sys.argv) > 1:
        measured = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").strip()
        text = re.sub(r"^Medians? in .*?\n\n(\|[^\n]*\n)+", lambda _: measured + "\n", text, count=1, flags=re.M | re.S)
        page.write_text(text, encoding="utf-8")
    (DOCS / "benchmark.svg").write_text(draw(text), encoding="utf-8")


main()
