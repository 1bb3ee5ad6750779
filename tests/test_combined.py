"""What a route may say, all on one route: hedging, going on with a stream, sharing a call, copying, the next target after a
filter. Each was proven alone; here one must not undo what another promises. SPDX-License-Identifier: MIT"""

import json
import random
import re
import threading
import time

import pytest

from harness import replies
from harness.prometheus import read, total
from harness.replies import Say
from harness.together import (
    MODEL,
    STREAM,
    TEXT,
    Asking,
    broken,
    fails,
    held,
    one_route,
    places,
    refused,
    rows,
    settled,
    slow,
    stopped,
    whole,
)
from harness.upstream import Answer, Gate


@pytest.fixture
def route(start):
    yield from one_route(start)


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


SHADOWED = [(stream, how) for stream in (False, True) for how in (stopped, refused, fails)] + [(True, broken)]


@pytest.mark.parametrize(("stream", "shadowed"), SHADOWED)
def test_a_copy_is_neither_hedged_nor_gone_on_with_nor_asked_elsewhere(route, stream, shadowed):
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
    end = time.monotonic() + 5
    while True:  # what has ended a moment ago is counted before its line is there
        page = read(gateway.get("/metrics").text)
        every = [row for row in gateway.lines() if row.get("operation") == "chat"]
        attempts = sum(len(row.get("attempts", [])) for row in every)
        if total(page, "sluice_upstream_attempts_total") == attempts or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert total(page, "sluice_upstream_attempts_total") == attempts
    own = [row for row in every if "mirror_of" not in row]
    assert len({row["id"] for row in every}) == len(every)
    assert 400 - told_of["left"] <= len(own) <= 400
    assert told_of["text"] > 150, told_of
