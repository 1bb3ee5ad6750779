"""One route that says all a route may say, clients in several dialects, and what their upstreams do: for tests of how
hedging, going on, sharing, copies, caps and filters hold together. SPDX-License-Identifier: MIT"""

import json
import time

import pytest

from faults.bench import told

from . import replies
from .asking import Asker
from .gateway import KEYS
from .mouthpieces import CLIENTS
from .prometheus import read, total
from .replies import Say
from .upstream import Answer, Gate, Upstream

MODEL = "gpt-4o"
TEXT = "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals."
PLACES = ("first", "second", "third", "shadow")
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def one_route(start):
    """What a fixture yields: route(…) -> a gateway with one route over some of three targets, and the upstreams by their
    names. Looks after them at the end."""
    upstreams = {name: Upstream() for name in PLACES}
    upstreams["shadow"].default = lambda request: replies.answer(request, Say(text="copy"))
    gateways = []

    def begin(targets=2, caps=None, hedge="150ms", server=None, breaker=False, **more):
        backends = {
            name: {"type": "openai", "base_url": one.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]}
            for name, one in upstreams.items()
        }
        for name, cap in (caps or {}).items():
            backends[name]["max_concurrent"] = cap
        own = {"resume": True, "coalesce": True, "on_filter": "next", "mirror": {"backend": "shadow", "model": MODEL}}
        tried = [{"backend": name, "model": MODEL} for name in PLACES[:targets]]
        config = {
            "server": {"workers": 3, "max_concurrent": 100} | (server or {}),
            "backends": backends,
            "routes": [{k: v for k, v in ({"model": "smart", "try": tried} | own | more).items() if v is not None}],
            "failover": {"hedge": hedge, "attempts": 3, "breaker": {"enabled": breaker}},
        }
        gateways.append(start(config))
        return gateways[0], *(upstreams[name] for name in (*PLACES[:targets], "shadow"))

    yield begin
    for gateway in gateways:
        settled(gateway)
    for one in upstreams.values():
        assert not one.violations, one.violations
        one.close()


def running(gateway):
    """What is under way by each count that there is of it."""
    page = read(gateway.get("/metrics").text)
    health = gateway.get("/health").json
    calls = [health["calls"], *(row["calls"] for row in health["backends"] if "calls" in row)]
    told_by_health = sum(one["running"] + one["waiting"] for one in calls)
    names = ("sluice_capped_calls", "sluice_queue_length", "sluice_mirrors", "sluice_open_streams")
    return told_by_health, {name: total(page, name) for name in names}


def settled(gateway, seconds=5.0):
    """No place, no turn in a line, no copy and no stream is left over."""
    end = time.monotonic() + seconds
    while True:
        here, page = running(gateway)
        if here == 0 and not any(page.values()):
            return
        assert time.monotonic() < end, (here, page)
        time.sleep(0.02)


def rows(gateway, exchanges, copies):
    """The log's lines of so many exchanges and copies: one each, and no more."""
    every = told(gateway, exchanges + copies)
    own = [row for row in every if "mirror_of" not in row]
    assert len(own) == exchanges and len({row["id"] for row in every}) == exchanges + copies
    return own, [row for row in every if "mirror_of" in row]


class Asking(Asker):
    """In a dialect of its own."""

    def __init__(self, gateway, stream=True, client="openai_chat", text="ping"):
        row, self.client, self.stream = CLIENTS[client], client, stream
        body = json.loads(json.dumps(row.body).replace("ping", text))
        if client == "gemini":
            body["generationConfig"] = {"temperature": 0}
        else:
            body |= {"model": "smart", "temperature": 0} | ({"stream": True} if stream else {})
        path = (row.stream_path if stream and row.stream_path else row.path).format(model="smart")
        super().__init__(gateway, path, [*row.fields, row.key], body)

    def text(self):
        reply = self.heard()
        assert reply.status == 200 and reply.complete, (reply.status, reply.body)
        events = [e for e in reply.events if e != "[DONE]"] if self.stream else [reply.json]
        assert not any("error" in e or e.get("type") == "error" for e in events), events
        if self.client == "gemini":
            parts = [p for e in events for c in e["candidates"] for p in c.get("content", {}).get("parts", [])]
            return "".join(p.get("text", "") for p in parts)
        if self.client == "anthropic":
            if self.stream:
                assert [e["type"] for e in events].count("message_stop") == 1
                return "".join(e.get("delta", {}).get("text", "") for e in events)
            return "".join(b["text"] for b in events[0]["content"])
        if self.stream:
            assert reply.events.count("[DONE]") == 1 and len({e["id"] for e in events}) == 1
        said = [c.get("delta") or c["message"] for e in events for c in e["choices"] if c.get("delta") or c.get("message")]
        return "".join(one.get("content") or "" for one in said)


def said_in(request):
    """How much of the text this request goes on from."""
    body = request.body.decode()
    return max(n for n in range(len(TEXT) + 1) if n == 0 or f'"{TEXT[:n]}"' in body)


def whole(request):
    """All the text, or what is left of it."""
    return replies.answer(request, Say(text=TEXT[said_in(request) :]))


def slow(seconds, of=whole):
    return lambda request: of(request).with_(wait=seconds)


def broken(request, end="reset", keep=0.5, gate=None):
    """Breaks off amid the text."""
    answer = whole(request)
    pieces = answer.pieces[: int(len(answer.pieces) * keep)]
    return answer.with_(pieces=[*pieces, gate] if gate else pieces, end=end)


def stopped(request):
    """A filter let nothing through."""
    return replies.answer(request, Say(text="", stop="filter"))


def refused(request):
    body = {"error": {"message": "The prompt was filtered.", "type": None, "param": "prompt", "code": "content_filter"}}
    return Answer(status=400, pieces=[json.dumps(body).encode()])


def fails(request):
    return replies.error(request.dialect, 500, "no")


def held(gate, of=whole, at=0):
    def make(request):
        answer = of(request)
        return answer.with_(pieces=[*answer.pieces[:at], gate, *answer.pieces[at:]])

    return make


def wait_until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def calls(gateway, name):
    (row,) = [row for row in gateway.get("/health").json["backends"] if row["name"] == name]
    return row["calls"]


def places(row):
    return [attempt["backend"] for attempt in row["attempts"]]


def crowd(gateway, *upstreams):
    """Others hold the one place of each, until what is returned is opened."""
    gates, others = [Gate() for _ in upstreams], []
    for number, (one, gate) in enumerate(zip(upstreams, gates)):
        one.answer(held(gate))
        others.append(Asking(gateway, False, text=f"other {number}"))
        assert gate.reached.wait(5)
        one.default = whole
    return gates, others
