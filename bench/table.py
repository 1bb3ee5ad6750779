"""Judges the rows and prints them as one table. Medians of all rounds; the spread is that of the rounds' own ratios.

SPDX-License-Identifier: MIT
"""

import statistics
from dataclasses import asdict, dataclass

from rows import PAIR_GOAL, PAIR_MEDIAN, PAIR_WORST


@dataclass
class Judged:
    key: str
    title: str
    unit: str
    nginx: float | None
    sluice: float | None
    ratio: float | None
    low: float | None
    high: float | None
    bar: float | None
    goal: float | None
    on_ratio: bool
    verdict: str  # pass, MISSED, BROKEN (wrong or no answers), "" (no bar)
    nginx_instructions: float | None
    sluice_instructions: float | None
    allocations: float | None
    digits: int

    def as_dict(self):
        return asdict(self)


def judge(row, results):
    values = results.values.get(row.key, {})
    at = {name: statistics.median(values[name]) if values.get(name) else None for name in ("nginx", "sluice")}
    if row.key.startswith("left_") and values.get("sluice"):  # one late notice is one too many
        at = {name: max(v) for name, v in values.items()}
    ratio = low = high = None
    if at["nginx"] and at["sluice"] is not None:
        ratio = at["sluice"] / at["nginx"]
        each = [s / n for n, s in zip(values["nginx"], values["sluice"]) if n]
        low, high = (min(each), max(each)) if each else (None, None)
    judged = ratio if row.ratio else at["sluice"]
    if (row.key, "sluice") in results.faults or judged is None:
        verdict = "BROKEN"
    elif row.bar is None:
        verdict = ""
    else:
        verdict = "pass" if judged <= row.bar else "MISSED"
    counts = results.instructions.get(row.key, {})
    return Judged(
        row.key, row.title, row.unit, at["nginx"], at["sluice"], ratio, low, high, row.bar, row.goal, row.ratio, verdict,
        counts.get("nginx"), counts.get("sluice"), results.allocations.get(row.key, {}).get("sluice"), row.digits,
    )


def square(judged):
    """The square of dialects in a line: the median and the worst of its pairs."""
    pairs = [j for j in judged if j.key.startswith("pair_")]
    lines = []
    for word, of in (("CPU", lambda j: j.ratio), ("instructions", instructions_ratio)):
        known = sorted((of(j), j.title) for j in pairs if of(j) is not None)
        if known:
            middle, (worst, title) = statistics.median(r for r, _ in known), known[-1]
            within = sum(1 for r, _ in known if r <= PAIR_GOAL)
            lines.append(
                f"{len(known)} pairs at 1 KB, {word}: median {middle:.2f}x (bar {PAIR_MEDIAN:g}), worst {worst:.2f}x"
                f" ({title}; bar {PAIR_WORST:g}), {within} within the goal of {PAIR_GOAL:g}."
            )
    return lines


def instructions_ratio(j):
    return j.sluice_instructions / j.nginx_instructions if j.sluice_instructions and j.nginx_instructions else None


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def render(judged, args, lines, busy):
    head = ["work", "unit", "nginx", "sluice", "ratio", "spread", "bar (goal)", "", "instructions nginx", "sluice", "ratio", "allocations"]
    rows = []
    for j in judged:
        bar = ""
        if j.bar is not None:
            mark = "x" if j.on_ratio else " " + j.unit.split("/")[0]
            bar = f"<= {j.bar:g}{mark}" + (f" ({j.goal:g})" if j.goal else "")
        instructions = instructions_ratio(j)
        rows.append(
            [
                j.title, j.unit, number(j.nginx, j.digits), number(j.sluice, j.digits), number(j.ratio, 2),
                f"{j.low:.2f}..{j.high:.2f}" if j.low is not None else "-", bar, j.verdict,
                number(j.nginx_instructions, 0), number(j.sluice_instructions, 0),
                number(instructions, 2), number(j.allocations, 1),
            ]
        )
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    left = {0, 1, 6, 7}

    def line(cells):
        return "| " + " | ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))) + " |"

    rule = "|" + "|".join("-" * (w + 1) + ("-" if i in left else ":") for i, w in enumerate(widths)) + "|"
    foot = [
        "",
        f"Medians of {args.runs} interleaved rounds of {args.secs:g} s (departures: the slowest of all tries); spread: the"
        f" rounds' own ratios; machine load at the start {busy:.2f}.",
        "Instructions: user space, by callgrind, per request or event; they do not depend on the machine's mood.",
        "Allocations: the gateway's, per request or event.",
        *square(judged),
    ]
    if lines is not None:
        foot.append(f"The gateway's request log had {lines:.2f} lines per request.")
    missed = [j.key for j in judged if j.verdict in ("MISSED", "BROKEN")]
    with_bar = sum(1 for j in judged if j.bar is not None)
    foot.append(f"Missed: {', '.join(missed)}." if missed else f"All {with_bar} bars are held.")
    return "\n".join([line(head), rule, *map(line, rows), *foot])
