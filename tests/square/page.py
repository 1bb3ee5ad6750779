"""docs/dialects.md, written from what the run found. SPDX-License-Identifier: MIT"""

import re

from . import clients, cells, vendors

TITLES = {v.name: v.title for v in vendors.ALL}
HEAD = """# Which client reaches which vendor, and with what

Written by `tests/test_square.py`, never by hand: `SLUICE_GOLDEN=rewrite tests/run BINARY -k square` (part of
`make golden`) rewrites it, and the test fails when it is not what the run found.

每一种官方 SDK 作为客户端，经过网关访问每一种厂商方言：下面的表格由测试自动生成。✓ 表示内容完整送达（请求与回复两侧都核对过）；
✓ 后面的数字是注释编号，说明网关改写或补充了什么；◐ 表示这一对方言无法完整表达，网关会在 `x-sluice-notes` 响应头（流式请求在
请求日志）里说明丢失了什么；– 表示这种客户端或厂商没有这项功能。

Each official SDK below is a client of the gateway, in front of each vendor's dialect; whole replies and streams are tried
where both exist. Looked at is what the vendor was asked and what the client got, not a status.

| sign | means |
| --- | --- |
| ✓ | everything crossed |
| ✓ with numbers | everything crossed; the gateway said something in other words or had to add something, and says so |
| ◐ with numbers | the pair cannot say all of it: what is missing stands in a Note, never in silence |
| – | the client or the vendor has no such thing |

Notes are in the header `x-sluice-notes` of a reply and in the request log; what is known only while a stream runs is in
the request log.
"""
WHAT = {
    "text": "system text, earlier turns, Unicode, a limit",
    "stream": "the same, streamed",
    "tools": "two tools, one must be called",
    "parallel tools": "three calls behind a text, their results",
    "tool loop with signature": "what the vendor signed comes back to it, though the client keeps only what its README says",
    "image": "inline PNG",
    "document": "inline PDF; from Cohere's clients a text document",
    "thinking": "effort asked for, thoughts shown",
    "structured output": "a JSON Schema for the answer",
    "usage": "input, output, cached and reasoning tokens",
    "stop reason": "the limit, the vendor's filter",
    "vendor error": "400, 429, a stream that breaks",
    "cancel": "the client leaves, the vendor notices",
    "with every answer": "Notes that any plain question gets too, so that they are not repeated above",
}


def steady(text):
    """Without what differs from run to run."""
    return re.sub(r"call_[0-9A-Za-z]{8,}", "call_…", text)


def gist(note):
    """A Note without the numbers of turns and parts, so that it reads as a rule."""
    at = re.sub(r"/\d+(?=/|$)", "/N", note.get("at", "")) or "/"
    return steady(f"{note['kind']} `{at}`: {note['why']}")


class Section:
    """One client's table with its footnotes."""

    def __init__(self, name):
        self.name, self.footnotes = name, []

    def mark(self, found, always=()):
        """`found`: a Found, or None where the cell does not apply. `always`: Notes that stand in a row of their own."""
        if found is None:
            return "–"
        sign = "◐" if found.missing else "✓"
        return (sign + " " + self.numbers([line for line in found.lines() if line not in always])).rstrip()

    def numbers(self, lines):
        for line in lines:
            if line not in self.footnotes:
                self.footnotes.append(line)
        found = " ".join(str(n) for n in sorted(self.footnotes.index(line) + 1 for line in lines))
        return f"<sup>{found}</sup>" if found else ""

    def text(self, table):
        packages = clients.module(self.name).PACKAGES
        out = [f"\n## {TITLES[self.name]} clients\n"]
        named = ", ".join(f"`{package}` for {language}" for language, package in packages.items()) + "."
        out.append(" ".join([named, getattr(clients.module(self.name), "REMARK", "")]).rstrip() + "\n")
        out.append("| | " + " | ".join(f"to {v.title}" for v in vendors.ALL) + " |")
        out.append("| --- |" + " --- |" * len(vendors.ALL))
        always = [table[self.name, v.name, "text"].lines() for v in vendors.ALL]
        for kind in cells.ALL:
            found = [table.get((self.name, v.name, kind.name)) for v in vendors.ALL]
            marks = [self.mark(*one) for one in zip(found, always, strict=True)]
            out.append(f"| {kind.name} | " + " | ".join(marks) + " |")
        if any(always):
            out.append("| with every answer | " + " | ".join(self.numbers(lines) for lines in always) + " |")
        out.append("")
        out += [f"{n}. {line}" for n, line in enumerate(self.footnotes, 1)]
        return "\n".join(out) + "\n"


class Found:
    """What one cell found, over all languages and modes."""

    def __init__(self):
        self.missing, self.notes = [], []

    def add(self, cell):
        self.missing += [m for m in cell.missing if m not in self.missing]
        for note in cell.notes:
            if (line := gist(note)) not in self.notes:
                self.notes.append(line)

    def lines(self):
        return self.notes + [m for m in self.missing if m.startswith(("refused", "open"))]


def written(table):
    what = "\n## What the rows are\n\n| row | is |\n| --- | --- |\n"
    what += "".join(f"| {name} | {WHAT[name]} |\n" for name in (*(k.name for k in cells.ALL), "with every answer"))
    return HEAD + what + "".join(Section(name).text(table) for name in clients.NAMES)
