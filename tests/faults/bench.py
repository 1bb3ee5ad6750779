"""What the cases of faults are tried with: clients of three dialects, two upstreams of theirs (or of another dialect), and
the table of outcomes. SPDX-License-Identifier: MIT"""

import dataclasses
import json
import os
import pathlib

from harness.gateway import CLIENT_KEY, ROOT
from harness.replies import Say, answer

TABLE = pathlib.Path(os.environ.get("SLUICE_FAULTS") or ROOT / "build/faults.jsonl")


@dataclasses.dataclass(frozen=True)
class Pair:
    """A client's dialect, and a vendor with a model of it."""

    client: str
    type: str
    model: str

    @property
    def name(self):
        own = {"chat": "openai", "messages": "anthropic", "gemini": "gemini"}[self.client]
        return self.client if own == self.type else f"{self.client} at {self.type}"


WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"  # of an answer that breaks
PAIRS = [
    Pair("chat", "openai", "gpt-4o"),
    Pair("messages", "anthropic", "claude-sonnet-4-5"),
    Pair("gemini", "gemini", "gemini-2.5-flash"),
    Pair("chat", "anthropic", "claude-sonnet-4-5"),
]


def backend(pair, address, **more):
    """As configured; `address` without a path."""
    base = {"openai": "/v1", "anthropic": "", "gemini": ""}[pair.type]
    return {"type": pair.type, "base_url": address + base, "api_key": "k", "models": [pair.model]} | more


def ask(gateway, pair, stream, model=None, text="ping"):
    model = model or pair.model
    if pair.client == "chat":
        return gateway.chat(model, text, stream=stream)
    if pair.client == "messages":
        body = {"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": text}], "stream": stream}
        return gateway.post("/v1/messages", body, [("anthropic-version", "2023-06-01"), ("x-api-key", CLIENT_KEY)])
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return gateway.post(f"/v1beta/models/{model}:{method}", body, [("x-goog-api-key", CLIENT_KEY)])


def text_of(pair, reply, stream):
    """The words of an answer, without those of an error."""
    if pair.client == "chat":
        if not stream:
            return reply.json["choices"][0]["message"]["content"]
        choices = [c for e in reply.events if e != "[DONE]" for c in e.get("choices", [])]
        return "".join(c["delta"].get("content") or "" for c in choices)
    if pair.client == "messages":
        if not stream:
            return "".join(b.get("text", "") for b in reply.json["content"])
        return "".join(e.get("delta", {}).get("text", "") for e in reply.events)
    events = reply.events if stream else [reply.json]
    parts = [p for e in events for c in e.get("candidates", []) for p in c.get("content", {}).get("parts", [])]
    return "".join(p.get("text", "") for p in parts)


def ended(pair, reply):
    """True for a stream with its dialect's proper end."""
    events = reply.events
    if pair.client == "chat":
        return bool(events) and events[-1] == "[DONE]"
    if pair.client == "messages":
        return bool(events) and events[-1].get("type") == "message_stop"
    return any(c.get("finishReason") for e in events for c in e.get("candidates", []))


def error_of(pair, body):
    """The error in a body or an event, whose form must be the dialect's."""
    if pair.client == "messages":
        assert body["type"] == "error" and set(body["error"]) >= {"type", "message"}, body
    elif pair.client == "gemini":
        assert set(body["error"]) >= {"code", "message", "status"}, body
    else:
        assert set(body["error"]) >= {"message", "type", "param", "code"}, body
    assert body["error"]["message"]
    return body["error"]


def says(text):
    return lambda request: answer(request, Say(text=text))


def changed(text="first", **changes):
    """What would have been said, with its framing or its end changed."""
    return lambda request: answer(request, Say(text=text)).with_(**changes)


def told(gateway, count=1):
    """The rows of that many conversations."""
    rows = []

    def enough(_):
        rows[:] = [row for row in gateway.lines() if row.get("operation") == "chat"]
        return len(rows) >= count

    gateway.wait_for_line(enough)
    assert len(rows) == count, "exactly one record each"
    return rows


def table():
    """The outcomes so far: a row of text for each fault; empty when none was tried."""
    if not TABLE.exists():
        return []
    rows = {}
    for line in TABLE.read_text().splitlines():
        one = json.loads(line)
        key = (one["row"], one["fault"], one["when"])
        rows.setdefault(key, []).append(one)
    out = [f"{'row':>3}  {'fault':40} {'when':14} {'tried':>5}  {'lost ms, median and most':>24}  outcome"]
    for (row, fault, when), tries in sorted(rows.items()):
        lost = sorted(one["lost_ms"] for one in tries)
        outcome = "; ".join(sorted({one["outcome"] for one in tries}))
        out.append(f"{row:>3}  {fault:40} {when:14} {len(tries):>5}  {lost[len(lost) // 2]:>12} {lost[-1]:>11}  {outcome}")
    return out


def note(row, fault, when, pair, stream, outcome, lost_ms):
    """A line of the table."""
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    line = {"row": row, "fault": fault, "when": when, "pair": pair.name, "mode": "stream" if stream else "whole"}
    line |= {"outcome": outcome, "lost_ms": round(lost_ms)}
    with TABLE.open("a") as out:
        out.write(json.dumps(line) + "\n")
