"""What a route may say, all on one route: hedging, going on with a stream, sharing a call, copying, caps, the next target
after a filter. Each was proven alone; here one must not undo what another promises. SPDX-License-Identifier: MIT"""

import json
import random
import re
import socket
import threading
import time

import pytest

from faults.bench import error_of, told
from harness import replies
from harness.gateway import KEYS
from harness.mouthpieces import CLIENTS
from harness.prometheus import read, total
from harness.replies import Say
from harness.upstream import Answer, Gate, Upstream

MODEL = "gpt-4o"
TEXT = "It was a dark and stormy night; the rain fell in torrents, except at occasional intervals."
PLACES = ("first", "second", "third", "shadow")
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture
def route(start):
    """route(…) -> a gateway with one route over some of three targets, and the upstreams by their names."""
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


class Asking(threading.Thread):
    """A client on a connection of its own, in a dialect of its own."""

    def __init__(self, gateway, stream=True, client="openai_chat", text="ping"):
        super().__init__(daemon=True)
        row, self.client, self.stream = CLIENTS[client], client, stream
        body = json.loads(json.dumps(row.body).replace("ping", text))
        if client == "gemini":
            body["generationConfig"] = {"temperature": 0}
        else:
            body |= {"model": "smart", "temperature": 0} | ({"stream": True} if stream else {})
        path = (row.stream_path if stream and row.stream_path else row.path).format(model="smart")
        self.reply = self.error = None
        self.connection = gateway.connect()
        self.connection.request("POST", path, [*row.fields, row.key], body)
        self.start()

    def run(self):
        try:
            self.reply = self.connection.read()
        except Exception as error:  # told by the test that asks for it
            self.error = error

    def leave(self):
        self.connection.sock.shutdown(socket.SHUT_RD)  # a close waits for whoever reads
        self.join(5)
        self.connection.abort()

    def heard(self):
        self.join(10)
        assert self.reply is not None, self.error
        return self.reply

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


# -- hedging and going on


@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini"])
def test_all_of_it_at_once(route, client):
    """Twenty clients, one answer: hedged, broken off, gone on with, copied."""
    gateway, first, second, third, shadow = route(3, caps={"first": 2, "second": 2, "third": 2, "shadow": 2})
    gate = Gate()
    first.answer(slow(20))
    second.answer(lambda request: broken(request, gate=gate))
    third.answer(whole)
    asking = [Asking(gateway, client=client) for _ in range(20)]
    assert gate.reached.wait(5)
    time.sleep(0.3)
    gate.open()
    assert {one.text() for one in asking} == {TEXT}
    assert [len(one.seen) for one in (first, second, third, shadow)] == [1, 1, 1, 1]
    assert first.left.wait(3), "the slow call was not cut off"
    own, (copy,) = rows(gateway, 20, 1)
    (row,) = [row for row in own if "attempts" in row]
    assert places(row) == ["first", "second", "third"]
    assert row["attempts"][0]["given_up"] and row["attempts"][1]["fault"] == "upstream_broken"
    assert "fault" not in row and copy["mirror_of"] == row["id"] and copy["status"] == 200
    assert all(one["coalesced"] for one in own if one is not row)


def test_who_lost_the_race_may_go_on_with_the_answer(route):
    """It was slow, not ill; whoever won is."""
    gateway, first, second, shadow = route(caps={"first": 1, "second": 1})
    first.answer(slow(20))
    second.answer(broken)
    second.default = fails
    first.default = whole
    assert Asking(gateway).text() == TEXT
    ((row,), _) = rows(gateway, 1, 1)
    assert places(row) == ["first", "second", "first"] and len(first.seen) == 2 and "fault" not in row


@STREAM
def test_the_answer_is_its_that_won_whoever_was_asked_last(route, stream):
    gateway, first, second, shadow = route()
    first.answer(slow(0.5))
    second.answer(slow(20))
    asking = Asking(gateway, stream)
    assert asking.text() == TEXT and asking.reply.header("x-sluice-backend") == "first"
    ((row,), _) = rows(gateway, 1, 1)
    assert row["backend"] == "first" and row["attempts"][1]["given_up"]
    page = read(gateway.get("/metrics").text)
    assert total(page, "sluice_tokens_total", backend="second") == 0 < total(page, "sluice_tokens_total", backend="first")


# -- hedging and filters


@STREAM
@pytest.mark.parametrize("stop", [stopped, refused])
def test_a_second_one_that_a_filter_stops_does_not_end_the_first(route, stream, stop):
    gateway, first, second, shadow = route()
    first.answer(slow(0.6))
    second.answer(stop)
    asking = Asking(gateway, stream)
    assert asking.text() == TEXT and asking.reply.header("x-sluice-backend") == "first"
    ((row,), _) = rows(gateway, 1, 1)
    assert [a.get("fault") for a in row["attempts"]] == [None, "upstream_rejected"] and "fault" not in row
    assert row["tokens"]["output"] == 7 and not row["attempts"][0].get("given_up")


@STREAM
@pytest.mark.parametrize("stop", [stopped, refused])
def test_a_first_one_that_a_filter_stops_does_not_end_the_second(route, stream, stop):
    gateway, first, second, shadow = route()
    first.answer(slow(0.4, stop))
    second.answer(slow(0.6))
    asking = Asking(gateway, stream)
    assert asking.text() == TEXT and asking.reply.header("x-sluice-backend") == "second"
    ((row,), _) = rows(gateway, 1, 1)
    assert [a.get("fault") for a in row["attempts"]] == ["upstream_rejected", None]


@STREAM
@pytest.mark.parametrize("other", [fails, stopped])
def test_when_both_do_no_better_the_stop_is_the_answer(route, stream, other):
    gateway, first, second, shadow = route()
    first.answer(slow(0.4, stopped))
    second.answer(slow(0.4, other))
    first.default = second.default = fails
    reply = Asking(gateway, stream).heard()
    assert reply.status == 200 and b"content_filter" in reply.body, reply.body
    ((row,), _) = rows(gateway, 1, 1)
    assert "fault" not in row and row["finish"] == "content_filter"
    if other is fails:
        assert row["backend"] == "first" == reply.header("x-sluice-backend")


# -- filters, sharing, going on


@STREAM
def test_all_who_share_hear_what_the_next_one_says(route, stream):
    gateway, first, second, shadow = route(hedge="never", caps={"first": 1, "second": 1})
    gate = Gate()
    first.answer(held(gate, stopped))
    second.answer(whole)
    asking = [Asking(gateway, stream) for _ in range(10)]
    assert gate.reached.wait(5)
    time.sleep(0.2)
    gate.open()
    assert {one.text() for one in asking} == {TEXT} and len({one.reply.body for one in asking}) == 1
    assert [len(one.seen) for one in (first, second, shadow)] == [1, 1, 1]
    own, _ = rows(gateway, 10, 1)
    assert sum("attempts" in row for row in own) == 1


def test_after_a_filter_a_stream_that_breaks_is_gone_on_with(route):
    gateway, first, second, third, shadow = route(3, hedge="never")
    first.answer(stopped)
    second.answer(broken)
    third.answer(whole)
    assert Asking(gateway).text() == TEXT
    ((row,), _) = rows(gateway, 1, 1)
    assert [a.get("fault") for a in row["attempts"]] == ["upstream_rejected", "upstream_broken", None]
    assert [len(one.seen) for one in (first, second, third)] == [1, 1, 1]


def test_the_rest_that_a_filter_stops_ends_the_answer_as_filters_do(route):
    gateway, first, second, shadow = route(hedge="never")
    first.answer(broken)
    second.answer(stopped)
    reply = Asking(gateway).heard()
    finishes = [c["finish_reason"] for e in reply.events if e != "[DONE]" for c in e["choices"] if c["finish_reason"]]
    assert finishes == ["content_filter"] and reply.events[-1] == "[DONE]"
    rows(gateway, 1, 1)


# -- clients that leave


def crowd(gateway, *upstreams):
    """Others hold the one place of each, until what is returned is opened."""
    gates, others = [Gate() for _ in upstreams], []
    for number, (one, gate) in enumerate(zip(upstreams, gates)):
        one.answer(held(gate))
        others.append(Asking(gateway, False, text=f"other {number}"))
        assert gate.reached.wait(5)
        one.default = whole
    return gates, others


def arrange(route, when, mirror):
    """A question that has come so far: its gateway, upstreams, client, the gates that hold it, others in its way."""
    hedge = "150ms" if when == "in the race" else "never"
    gateway, first, second, shadow = route(hedge=hedge, caps={"first": 1, "second": 1}, mirror=mirror)
    gate, gates, others = Gate(), [], []
    if when == "in line":
        gates, others = crowd(gateway, first, second)
    elif when == "in the race":
        first.answer(slow(20))
        second.answer(held(gate))
    elif when == "amid the text":
        first.answer(lambda request: broken(request, gate=gate))
        second.default = whole
    elif when == "amid the rest":
        first.answer(broken)
        second.answer(held(gate, at=2))
    asking = Asking(gateway)
    if when == "in line":
        wait_until(lambda: calls(gateway, "first")["waiting"] == 1)
    else:
        gates = [gate]
        assert gate.reached.wait(5)
    return gateway, first, second, asking, gates, others


WHEN = pytest.mark.parametrize("when", ["in line", "in the race", "amid the text", "amid the rest"])


@WHEN
def test_when_who_asked_first_leaves_the_others_hear_all_of_it(route, when):
    gateway, first, second, leader, gates, blocked = arrange(route, when, {"backend": "shadow", "model": MODEL})
    others = [Asking(gateway) for _ in range(5)]
    time.sleep(0.3)
    leader.leave()
    time.sleep(0.2)
    for gate in gates:
        gate.open()
    assert {one.text() for one in others} == {TEXT}
    assert all(one.text() == TEXT for one in blocked)
    asked = len(first.seen) + len(second.seen) - len(blocked)
    assert asked == (1 if when == "in line" else 2)
    rows(gateway, 6 + len(blocked), 1 + len(blocked))


@WHEN
def test_when_all_leave_every_call_ends(route, when):
    gateway, first, second, leader, gates, blocked = arrange(route, when, None)
    everybody = [leader, *(Asking(gateway) for _ in range(5))]
    time.sleep(0.3)
    for one in everybody:
        one.leave()
    if when == "in line":
        wait_until(lambda: calls(gateway, "first")["waiting"] == 0)
        for gate in gates:
            gate.open()
        assert all(one.text() == TEXT for one in blocked)
        assert len(first.seen) == len(second.seen) == 1
    else:
        assert (first if when == "amid the text" else second).left.wait(3)
    rows(gateway, 6 + len(blocked), 0)


def test_who_asked_first_may_leave_while_the_next_is_connected_to(route, start):
    """The clock of that connection runs on, though something else has woken whoever waits for it."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    inside = []
    for _ in range(4):  # whoever connects now is not answered
        inside.append(socket.socket())
        inside[-1].setblocking(False)
        inside[-1].connect_ex(full.getsockname())
    first, third, gate = Upstream(), Upstream(), Gate()
    openai = {"type": "openai", "api_key": KEYS["openai"], "models": [MODEL], "timeouts": {"connect": "700ms"}}
    places = {
        "first": first.url("/v1"),
        "second": f"http://127.0.0.1:{full.getsockname()[1]}/v1",
        "third": third.url("/v1"),
    }
    gateway = start(
        {
            "backends": {name: openai | {"base_url": url} for name, url in places.items()},
            "routes": [
                {
                    "model": "smart",
                    "try": [{"backend": name, "model": MODEL} for name in places],
                    "resume": True,
                    "coalesce": True,
                }
            ],
        }
    )
    first.answer(lambda request: broken(request, gate=gate))
    third.default = whole
    leader = Asking(gateway)
    assert gate.reached.wait(5)
    others = [Asking(gateway) for _ in range(3)]
    time.sleep(0.3)
    gate.open()
    time.sleep(0.3)
    leader.leave()
    assert {one.text() for one in others} == {TEXT}
    row = next(row for row in told(gateway, 4) if "attempts" in row)
    assert [a.get("fault") for a in row["attempts"]] == ["upstream_broken", "upstream_timeout", None]
    for one in (*inside, full, first, third):
        one.close()


# -- caps


def test_the_rest_waits_for_its_turn(route):
    gateway, first, second, shadow = route(hedge="never", caps={"second": 1}, coalesce=False, server={"keep_alive": "100ms"})
    busy, gate = Gate(), Gate()
    second.answer(held(busy))
    with gateway.connect() as holds:
        body = {"model": f"second/{MODEL}", "messages": [{"role": "user", "content": "x"}]}
        holds.request("POST", "/v1/chat/completions", body=body)
        assert busy.reached.wait(5)
        first.answer(lambda request: broken(request, gate=gate))
        first.default = fails
        second.default = whole
        asking = Asking(gateway)
        assert gate.reached.wait(5)
        gate.open()
        wait_until(lambda: calls(gateway, "second")["waiting"] == 1)
        time.sleep(0.3)
        busy.open()
        assert holds.read().status == 200
    assert asking.text() == TEXT and b": " in asking.reply.body
    rows(gateway, 2, 1)


def test_who_finds_no_place_for_the_rest_hears_an_error(route):
    server = {"queue": {"longest_wait": "200ms"}}
    gateway, first, second, shadow = route(hedge="never", caps={"second": 1}, coalesce=False, server=server)
    busy = Gate()
    second.answer(held(busy))
    with gateway.connect() as holds:
        body = {"model": f"second/{MODEL}", "messages": [{"role": "user", "content": "x"}]}
        holds.request("POST", "/v1/chat/completions", body=body)
        assert busy.reached.wait(5)
        first.answer(broken)
        first.default = fails
        reply = Asking(gateway).heard()
        assert not reply.complete and "[DONE]" not in reply.events
        error = error_of(type("Pair", (), {"client": "chat"}), reply.events[-1])
        assert "place" not in error["message"], "the client hears of what broke"
        busy.open()
        assert holds.read().status == 200
    rows(gateway, 2, 1)


@STREAM
def test_who_shares_needs_no_place(route, stream):
    gateway, first, second, shadow = route(hedge="never", server={"max_concurrent": 1, "queue": {"size": 0}})
    gate = Gate()
    first.answer(held(gate))
    asking = [Asking(gateway, stream)]
    assert gate.reached.wait(5)
    asking += [Asking(gateway, stream) for _ in range(9)]
    time.sleep(0.2)
    assert Asking(gateway, stream, text="other").heard().status == 503
    gate.open()
    assert {one.text() for one in asking} == {TEXT} and len(first.seen) == 1
    rows(gateway, 11, 1)


@STREAM
def test_who_is_turned_away_is_turned_away_for_all_who_share(route, stream):
    server = {"queue": {"longest_wait": "400ms"}, "keep_alive": "0s"}
    gateway, first, shadow = route(1, hedge="never", caps={"first": 1}, server=server)
    gate = Gate()
    first.answer(held(gate))
    busy = Asking(gateway, stream, text="other")
    assert gate.reached.wait(5)
    asking = [Asking(gateway, stream) for _ in range(5)]
    assert {one.heard().status for one in asking} == {503}
    gate.open()
    assert busy.text() == TEXT and len(first.seen) == 1 and len(shadow.seen) == 1
    rows(gateway, 6, 1)


@STREAM
def test_a_copy_takes_no_place_from_its_original(route, stream):
    """Mirrored to the very account that answers, which has one place."""
    own = {"mirror": {"backend": "first", "model": MODEL}}
    gateway, first, shadow = route(1, hedge="never", caps={"first": 1}, **own)
    first.default = whole
    for n in range(4):
        assert Asking(gateway, stream, text=f"question {n}").text() == TEXT
    page = read(gateway.get("/metrics").text)
    assert page["sluice_mirrors_dropped_total"][()] == 4 and len(first.seen) == 4
    rows(gateway, 4, 0)


# -- what it cost


def test_tokens_are_those_of_who_answered_and_the_others_stand_by_them(route):
    """Of one that a filter stopped, one that failed after its usage, and the one that answered."""
    gateway, first, second, third, shadow = route(3, hedge="never", mirror=None)

    def overloaded(request):
        usage = {"prompt_tokens": 500, "completion_tokens": 0, "total_tokens": 500, "prompt_tokens_details": {"cached_tokens": 400}}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [], "usage": usage}
        pieces = [f"data: {json.dumps(one)}\n\n".encode() for one in (chunk, {"error": {"message": "no", "type": "overloaded_error"}})]
        return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=pieces)

    first.answer(lambda request: replies.answer(request, Say(text="", stop="filter", input=30, output=1)))
    second.answer(overloaded)
    def plain(request):
        """Tells no details of what it counted."""
        answer = whole(request)
        pieces = [re.sub(rb',"(prompt|completion)_tokens_details":{[^}]*}', b"", one) for one in answer.pieces]
        return answer.with_(pieces=pieces)

    third.answer(plain)
    assert Asking(gateway).text() == TEXT
    ((row,), _) = rows(gateway, 1, 0)
    assert row["tokens"] == {"input": 11, "output": 7}, row["tokens"]
    one, other, last = row["attempts"]
    assert (one["tokens"]["input"], one["tokens"]["output"]) == (30, 1)
    assert (other["tokens"]["input"], other["tokens"]["cache_read"]) == (100, 400) and "tokens" not in last


# -- copies


@STREAM
@pytest.mark.parametrize("shadowed", [stopped, refused, broken, fails])
def test_a_copy_is_neither_hedged_nor_gone_on_with_nor_asked_elsewhere(route, stream, shadowed):
    if shadowed is broken and not stream:
        pytest.skip("a whole answer is not broken off amid its text")
    gateway, first, second, shadow = route(caps={"shadow": 1})
    shadow.answer(slow(0.4, shadowed))
    first.answer(whole)
    assert Asking(gateway, stream).text() == TEXT
    ((row,), (copy,)) = rows(gateway, 1, 1)
    assert len(shadow.seen) == 1 and not second.seen and len(copy["attempts"]) == 1 and len(row["attempts"]) == 1
    assert ("fault" in copy) == (shadowed is not stopped)


# -- all of it, at random


def test_a_storm(route):
    """Whatever happens: each client hears the text or an error, each exchange has one line, and nothing is left over."""
    caps = {"first": 6, "second": 6, "third": 6, "shadow": 6}
    server = {"workers": 4, "max_concurrent": 60, "keep_alive": "50ms", "queue": {"longest_wait": "5s"}}
    gateway, *upstreams = route(3, caps=caps, server=server, hedge="40ms", breaker=True)
    dice = random.Random(7)

    def moody(request):
        mood = dice.random()
        if mood < 0.15:
            return slow(dice.random() / 4)(request)
        if mood < 0.3 and request.streams:
            return broken(request, dice.choice(["reset", "keep", "cut"]), dice.random())
        if mood < 0.4:
            return dice.choice([stopped, refused])(request)
        if mood < 0.5:
            return dice.choice([fails, lambda _: Answer(before="reset")])(request)
        return whole(request)

    for one in upstreams:
        one.default = moody
    told_of = {"text": 0, "error": 0, "left": 0}
    lock = threading.Lock()

    def live(number):
        own = random.Random(number)
        for turn in range(25):
            stream = own.random() < 0.7
            client = own.choice(["openai_chat", "anthropic", "gemini"])
            asking = Asking(gateway, stream, client, text=f"question {own.randrange(4)} of {turn}")
            if own.random() < 0.2:
                time.sleep(own.random() / 10)
                asking.leave()
                how = "left"
            else:
                reply = asking.heard()
                stops = any(word in reply.body for word in (b"content_filter", b"SAFETY", b"refusal"))
                how = "text" if reply.status == 200 and reply.complete and not stops else "error"
                if how == "text":
                    assert asking.text() == TEXT, reply.body
            asking.connection.close()
            with lock:
                told_of[how] += 1

    errors = []

    def guarded(number):
        try:
            live(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not errors, errors
    settled(gateway, 10)
    every = [row for row in gateway.lines() if row.get("operation") == "chat"]
    own = [row for row in every if "mirror_of" not in row]
    assert len({row["id"] for row in every}) == len(every)
    assert 400 - told_of["left"] <= len(own) <= 400
    page = read(gateway.get("/metrics").text)
    assert total(page, "sluice_upstream_attempts_total") == sum(len(row.get("attempts", [])) for row in every)
    assert told_of["text"] > 150, told_of
