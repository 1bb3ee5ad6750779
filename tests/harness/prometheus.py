"""A strict reader of the Prometheus text format: every sample belongs to a declared family, histograms add up.
SPDX-License-Identifier: MIT
"""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"^({NAME})(?:\{{(.*)\}})? ([-+]?(?:\d[\d.eE+-]*|Inf|NaN))(?: (\d+))?$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
    "counter": ("",),
    "gauge": ("",),
}


def read(text):
    """{name: {labels as a sorted tuple: value}}; asserts on anything that the format forbids."""
    kinds, helped, samples, closed, current = {}, set(), {}, set(), None
    assert text.endswith("\n"), "the last line must end with a line feed"
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped, f"HELP of {name} stands twice"
            helped.add(name)
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds, f"TYPE of {name} stands twice"
            assert kind in SUFFIXES, kind
            assert name not in closed
            kinds[name], current = kind, name
            continue
        if not line or line.startswith("#"):
            continue
        found = SAMPLE.match(line)
        assert found, f"no sample: {line!r}"
        name, labels, value = found[1], found[2] or "", float(found[3])
        family = next((f for f in (current,) if f and any(name == f + s for s in SUFFIXES[kinds[f]])), None)
        assert family, f"{name} stands outside of its family"
        assert family in helped, f"{family} has no HELP"
        pairs, at = [], 0
        while at < len(labels):
            pair = LABEL.match(labels, at)
            assert pair, f"no labels: {labels!r}"
            pairs.append((pair[1], pair[2]))
            at = pair.end()
        key = tuple(sorted(pairs))
        assert len({n for n, _ in pairs}) == len(pairs), f"a label stands twice: {line}"
        assert key not in samples.setdefault(name, {}), f"{line} stands twice"
        samples[name][key] = value
        if kinds[family] == "counter":
            assert family.endswith("_total"), f"the counter {family} must end in _total"
            assert value >= 0
    for family, kind in kinds.items():
        if kind == "histogram":
            _histogram(family, samples)
    return samples


def _histogram(family, samples):
    series = {}
    for labels, value in samples.get(family + "_bucket", {}).items():
        bound = float(dict(labels)["le"].replace("Inf", "inf"))
        series.setdefault(tuple(p for p in labels if p[0] != "le"), []).append((bound, value))
    for labels, buckets in series.items():
        values = [v for _, v in sorted(buckets)]
        assert values == sorted(values), f"buckets of {family} fall"
        assert max(b for b, _ in buckets) == float("inf"), f"{family} has no +Inf"
        assert values[-1] == samples[family + "_count"][labels]
        assert labels in samples[family + "_sum"]


def total(samples, name, **wanted):
    """The sum of a family's samples that carry these labels."""
    return sum(v for labels, v in samples.get(name, {}).items() if set(wanted.items()) <= set(labels))
