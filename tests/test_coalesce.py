"""The same request at the same time shares one upstream call, where the route says so: whoever comes late hears it from
the beginning, and the call goes on as long as anybody reads. SPDX-License-Identifier: MIT"""

import json
import time

import pytest

from faults.bench import told
from harness import raw, replies
from harness.asking import Asker
from harness.gateway import KEYS
from harness.replies import Say
from harness.upstream import Answer, Gate, Upstream

MODEL = "gpt-4o"
TEXT = "one two three four five six seven eight nine ten"
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
ANNA, BERT = "sk-canary-of-anna", "sk-canary-of-bert"


@pytest.fixture
def one(start):
    upstream = Upstream()

    def begin(**route):
        config = {
            "server": {"workers": 3},
            "backends": {
                "openai": {"base_url": upstream.url("/v1"), "api_key": KEYS["openai"], "models": [MODEL]},
            },
            "routes": [{"model": MODEL, "coalesce": True} | route],
            "keys": [{"name": "anna", "key": ANNA}, {"name": "bert", "key": BERT}],
        }
        return start(config), upstream

    yield begin
    assert not upstream.violations, upstream.violations
    upstream.close()


class Asking(Asker):
    def __init__(self, gateway, stream=False, key=ANNA, text="ping", **more):
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": stream, "temperature": 0}
        self.body = {k: v for k, v in (body | more).items() if v is not None}
        super().__init__(gateway, "/v1/chat/completions", [("Authorization", f"Bearer {key}")], self.body)


def gated(gate, at=3, say=None, **changes):
    def make(request):
        whole = replies.answer(request, say or Say(text=TEXT))
        if not request.streams:
            return whole.with_(pieces=[gate, *whole.pieces], **changes)
        return whole.with_(pieces=[*whole.pieces[:at], gate, *whole.pieces[at:]], **changes)

    return make


def settle(seconds=0.3):
    """Long enough for requests that were sent to have been read."""
    time.sleep(seconds)


@STREAM
def test_fifty_at_once_are_one_call(one, stream):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate))
    asking = [Asking(gateway, stream) for _ in range(50)]
    assert gate.reached.wait(5)
    settle()
    gate.open()
    heard = [a.heard() for a in asking]
    assert len(upstream.seen) == 1
    assert {r.status for r in heard} == {200} and len({r.body for r in heard}) == 1
    assert all(r.complete for r in heard)
    assert len({r.header("x-request-id") for r in heard}) == 50
    rows = told(gateway, 50)
    callers = [row for row in rows if row.get("attempts")]
    assert len(callers) == 1 and "coalesced" not in callers[0] and callers[0]["tokens"]["output"] == 7
    others = [row for row in rows if not row.get("attempts")]
    assert all(row["coalesced"] and "tokens" not in row and row["status"] == 200 for row in others)


def test_who_comes_late_hears_it_from_the_beginning(one):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate, at=6))
    first = Asking(gateway, True)
    assert gate.reached.wait(5)
    settle()
    late = [Asking(gateway, True) for _ in range(6)]
    settle()
    gate.open()
    bodies = {a.heard().body for a in [first, *late]}
    assert len(bodies) == 1 and len(upstream.seen) == 1
    assert bodies.pop().endswith(b"data: [DONE]\n\n")


def test_what_is_over_is_asked_anew(one):
    gateway, upstream = one()
    for _ in range(2):
        assert Asking(gateway).heard().status == 200
    assert len(upstream.seen) == 2


@STREAM
@pytest.mark.parametrize("how", ["close", "abort"])
def test_when_who_asked_first_leaves_the_others_hear_the_rest(one, stream, how):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate))
    first = Asking(gateway, stream)
    assert gate.reached.wait(5)
    others = [Asking(gateway, stream) for _ in range(5)]
    settle()
    first.leave(how)
    settle()
    assert not upstream.left.is_set(), "others read on"
    gate.open()
    bodies = {a.heard().body for a in others}
    assert len(bodies) == 1 and len(upstream.seen) == 1 and not upstream.gone
    body = bodies.pop()
    assert body.endswith(b"data: [DONE]\n\n") if stream else TEXT.encode() in body
    rows = told(gateway, 6)
    assert sum(bool(row.get("attempts")) for row in rows) == 1


@STREAM
def test_when_the_last_one_leaves_the_call_is_cut(one, stream):
    gateway, upstream = one()
    upstream.answer(gated(Gate()))
    asking = [Asking(gateway, stream) for _ in range(4)]
    upstream.wait_for_request()
    settle()
    for n, one_ in enumerate(asking):
        assert not upstream.left.is_set(), f"cut after {n} of 4 left"
        one_.leave()
        settle(0.1)
    assert upstream.left.wait(3), "nobody reads, and the call goes on"
    told(gateway, 4)
    assert Asking(gateway, stream).heard().status == 200
    assert len(upstream.seen) == 2


@STREAM
def test_when_the_call_fails_each_hears_it(one, stream):
    gateway, upstream = one()
    gate = Gate()

    def fails(request):
        return Answer(status=500, pieces=[gate, json.dumps({"error": {"message": "no", "type": "x"}}).encode()])

    upstream.answer(fails)
    asking = [Asking(gateway, stream) for _ in range(5)]
    assert gate.reached.wait(5)
    settle()
    gate.open()
    assert {a.heard().status for a in asking} == {502} or {a.heard().status for a in asking} == {500}
    assert len({a.heard().json["error"]["message"] for a in asking}) == 1 and len(upstream.seen) == 1
    rows = told(gateway, 5)
    assert {row["fault"] for row in rows} == {"upstream_failed"}
    assert sum(bool(row.get("attempts")) for row in rows) == 1


def test_a_stream_that_breaks_breaks_for_all(one):
    gateway, upstream = one()
    gate = Gate()

    def breaks(request):
        whole = replies.answer(request, Say(text=TEXT))
        return whole.with_(pieces=[*whole.pieces[:4], gate], end="reset")

    upstream.answer(breaks)
    asking = [Asking(gateway, True) for _ in range(5)]
    assert gate.reached.wait(5)
    settle()
    gate.open()
    for one_ in asking:
        reply = one_.heard()
        assert not reply.complete and "error" in reply.events[-1], reply.events
    assert {row["fault"] for row in told(gateway, 5)} == {"upstream_broken"}


DIFFERENT = {
    "text": {"text": "pong"},
    "a member": {"max_tokens": 5},
    "caller": {"key": BERT},
    "stream": {"stream": True},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_differs_is_not_shared(one, what):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate), gated(gate))
    asking = [Asking(gateway), Asking(gateway, **DIFFERENT[what])]
    upstream.wait_for_request(2)
    gate.open()
    for one_ in asking:
        assert one_.heard().status == 200


@pytest.mark.parametrize("chance", [{"temperature": None}, {"temperature": 0.1}])
def test_what_is_left_to_chance_is_not_shared(one, chance):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate), gated(gate))
    asking = [Asking(gateway, **chance) for _ in range(2)]
    upstream.wait_for_request(2)
    gate.open()
    assert {one_.heard().status for one_ in asking} == {200}


@pytest.mark.parametrize("fixed", [{"temperature": 0.0}, {"temperature": None, "seed": 7}])
def test_no_chance_or_a_seed_is_shared(one, fixed):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate))
    asking = [Asking(gateway, **fixed) for _ in range(2)]
    assert gate.reached.wait(5)
    settle()
    gate.open()
    assert len({one_.heard().body for one_ in asking}) == 1 and len(upstream.seen) == 1


def test_callers_share_where_the_route_says_so(one):
    gateway, upstream = one(coalesce_callers=True)
    gate = Gate()
    upstream.answer(gated(gate))
    asking = [Asking(gateway, key=key) for key in (ANNA, BERT)]
    assert gate.reached.wait(5)
    settle()
    gate.open()
    assert len({one_.heard().body for one_ in asking}) == 1 and len(upstream.seen) == 1
    assert {row["caller"] for row in told(gateway, 2)} == {"anna", "bert"}


def test_without_the_route_s_word_nothing_is_shared(one):
    gateway, upstream = one(coalesce=False)
    gate = Gate()
    upstream.answer(gated(gate), gated(gate))
    asking = [Asking(gateway) for _ in range(2)]
    upstream.wait_for_request(2)
    gate.open()
    assert {one_.heard().status for one_ in asking} == {200}


VECTOR = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 2000}], "model": "e"}


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_vectors_are_shared(start, framing):
    depot, gate = Upstream(), Gate()
    depot.strict = False
    address = {"base_url": depot.url("/v1"), "api_key": KEYS["openai"], "models": ["text-embedding-3-small"]}
    gateway = start({"backends": {"openai": address}, "routes": [{"model": "text-*", "coalesce": True}]})
    body = json.dumps(VECTOR | {"usage": {"prompt_tokens": 8, "total_tokens": 8}}).encode()
    depot.answer(Answer(pieces=[body[:9], gate, body[9:]], framing=framing))
    asked = {"model": "text-embedding-3-small", "input": "ping"}
    connections = [gateway.connect() for _ in range(10)]
    for n, connection in enumerate(connections):
        connection.request("POST", "/v1/embeddings", [("traceparent", f"00-{n:032x}-{n:016x}-01")], asked)
    assert gate.reached.wait(5)
    settle()
    gate.open()
    heard = [connection.read() for connection in connections]
    assert {r.body for r in heard} == {body} and {r.status for r in heard} == {200} and len(depot.seen) == 1
    gateway.wait_for_line(lambda _: len([r for r in gateway.lines() if r.get("operation") == "embeddings"]) == 10)
    rows = [r for r in gateway.lines() if r.get("operation") == "embeddings"]
    assert sum("tokens" in row for row in rows) == 1 and sum(row.get("coalesced", False) for row in rows) == 9
    depot.close()


def test_nobody_waits_for_a_first_one_that_takes_nothing(one):
    gateway, upstream = one()
    gate = Gate()
    upstream.answer(gated(gate, say=Say(text="a long story and no end " * 20_000)))
    body = {"model": MODEL, "messages": [{"role": "user", "content": "ping"}], "stream": True, "temperature": 0}
    stuck = raw.Connection("127.0.0.1", gateway.port, receive_buffer=4096)
    stuck.request("POST", "/v1/chat/completions", [("Authorization", f"Bearer {ANNA}")], body)
    assert gate.reached.wait(60)  # so long an answer takes a while to be written
    others = [Asking(gateway, True) for _ in range(3)]
    settle()
    gate.open()
    for other in others:
        other.join(30)
        assert other.reply and other.reply.complete, (other.error, gateway.said()[-3000:])
    assert len(upstream.seen) == 1
    stuck.close()


def test_a_long_stream_keeps_no_more_than_it_may(one):
    gateway, upstream = one()
    gate = Gate()
    say = Say(text="a long story and no end " * 40_000)  # about 20 MB on the wire
    upstream.answer(gated(gate, say=say))
    asking = [Asking(gateway, True) for _ in range(3)]
    assert gate.reached.wait(60)
    settle()
    gate.open()
    for one_ in asking:
        one_.join(60)
    sizes = {len(one_.reply.body) for one_ in asking if one_.reply and one_.reply.complete}
    assert len(sizes) == 1 and sizes.pop() > 10_000_000
    assert gateway.resident_kib() < 200_000
