"""What a content filter stops, and what a target has no words for: another target is asked where the route allows it.
SPDX-License-Identifier: MIT"""

import json

import pytest

from faults.bench import PAIRS, ask, backend, text_of, told
from harness import replies
from harness.gateway import command
from harness.replies import Say
from harness.upstream import Answer, Upstream

DIALECTS = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture
def two(start):
    upstreams = [Upstream(), Upstream()]

    def begin(pair, on_filter="next", **more):
        targets = [{"backend": name, "model": pair.model} for name in ("first", "second")]
        config = {
            "backends": {n: backend(pair, one.url()) for n, one in zip(("first", "second"), upstreams)},
            "routes": [{"model": pair.model, "try": targets, "on_filter": on_filter} | more],
        }
        return start(config), *upstreams

    yield begin
    for one in upstreams:
        assert not one.violations, one.violations
        one.close()


def stopped(request):
    """An answer of which a filter let nothing through."""
    return replies.answer(request, Say(text="", stop="filter"))


def refused(request):
    body = {"error": {"message": "The prompt was filtered.", "type": None, "param": "prompt", "code": "content_filter"}}
    return Answer(status=400, pieces=[json.dumps(body).encode()])


@DIALECTS
@STREAM
def test_what_a_filter_stops_goes_to_the_next_target(two, pair, stream):
    gateway, first, second = two(pair)
    first.answer(stopped)
    second.say(text="gladly")
    reply = ask(gateway, pair, stream)
    assert reply.status == 200 and text_of(pair, reply, stream) == "gladly"
    (row,) = told(gateway)
    one, other = row["attempts"]
    assert one["fault"] == "upstream_rejected" and one["detail"].startswith("content filter: ") and "fault" not in other
    assert row["tokens"]["output"] == 7 and "fault" not in row


@DIALECTS
@STREAM
def test_by_default_it_is_the_answer(two, pair, stream):
    gateway, first, second = two(pair, "pass")
    first.answer(stopped)
    reply = ask(gateway, pair, stream)
    assert reply.status == 200 and not second.seen
    assert len(told(gateway)[0]["attempts"]) == 1


@DIALECTS
@STREAM
@pytest.mark.parametrize("other", ["stops too", "fails"])
def test_when_nobody_does_better_it_is_the_answer_after_all(two, pair, stream, other):
    gateway, first, second = two(pair)
    first.answer(stopped)
    second.answer(stopped if other == "stops too" else Answer(status=500, pieces=[b"{}"]))
    reply = ask(gateway, pair, stream)
    assert reply.status == 200, reply.body
    words = {"chat": b"content_filter", "messages": b"refusal", "gemini": b"SAFETY"}[pair.client]
    assert words in reply.body, reply.body
    (row,) = told(gateway)
    assert len(row["attempts"]) == 2 and "fault" not in row


@STREAM
def test_azure_s_refusal_goes_to_the_next_target(two, stream):
    gateway, first, second = two(PAIRS[0])
    first.answer(refused)
    second.say(text="gladly")
    reply = ask(gateway, PAIRS[0], stream)
    assert reply.status == 200 and text_of(PAIRS[0], reply, stream) == "gladly"
    assert told(gateway)[0]["attempts"][0]["detail"] == "content filter: content_filter"


def test_a_refusal_that_nobody_cures_is_told_in_its_own_words(two):
    gateway, first, second = two(PAIRS[0])
    first.answer(refused)
    second.answer(Answer(status=500, pieces=[b"{}"]))
    reply = ask(gateway, PAIRS[0], False)
    assert reply.status == 400 and reply.json["error"]["code"] == "content_filter"


def test_a_refusal_in_words_is_one_too(two):
    gateway, first, second = two(PAIRS[0])
    first.say(refusal="I will not.")
    second.say(text="gladly")
    assert text_of(PAIRS[0], ask(gateway, PAIRS[0], True), True) == "gladly"
    first.say(refusal="I will not.")
    second.say(text="gladly")
    assert text_of(PAIRS[0], ask(gateway, PAIRS[0], False), False) == "gladly"


def test_once_there_was_text_a_stop_stays_where_it_is(two):
    gateway, first, second = two(PAIRS[0])
    first.say(text="once upon", stop="filter")
    reply = ask(gateway, PAIRS[0], True)
    assert text_of(PAIRS[0], reply, True) == "once upon" and b"content_filter" in reply.body
    assert not second.seen and len(told(gateway)[0]["attempts"]) == 1


# -- features


def lacks(code):
    def make(request):
        body = {"error": {"message": "No such parameter here.", "type": "invalid_request_error", "param": "x", "code": code}}
        return Answer(status=400, pieces=[json.dumps(body).encode()])

    return make


@pytest.mark.parametrize("code", ["unsupported_parameter", "unsupported_value"])
def test_what_an_upstream_says_it_lacks_the_next_may_have(two, code):
    gateway, first, second = two(PAIRS[0], "pass")
    first.answer(lacks(code))
    second.say(text="I can")
    assert text_of(PAIRS[0], ask(gateway, PAIRS[0], False), False) == "I can"
    assert told(gateway)[0]["attempts"][0]["fault"] == "unsupported"


def test_when_both_lack_it_the_client_reads_why(two):
    gateway, first, second = two(PAIRS[0], "pass")
    first.answer(lacks("unsupported_value"))
    second.answer(lacks("unsupported_value"))
    reply = ask(gateway, PAIRS[0], False)
    assert reply.status == 400 and reply.json["error"]["code"] == "unsupported_value"


def test_what_cannot_be_said_in_a_target_s_words_goes_to_one_that_has_them(start):
    upstream = Upstream()
    openai = {"type": "openai", "base_url": upstream.url("/v1"), "api_key": "k", "models": ["gpt-4o"]}
    claude = {"type": "anthropic", "base_url": upstream.url(), "api_key": "k", "models": ["claude-opus-4-6"]}
    config = {
        "backends": {"claude": claude, "openai": openai},
        "routes": [
            {
                "model": "m",
                "try": [{"backend": "claude", "model": "claude-opus-4-6"}, {"backend": "openai", "model": "gpt-4o"}],
            }
        ],
    }
    gateway = start(config)
    upstream.say(text="I can")
    # This Claude goes on from no turn of its own.
    turns = [{"role": "user", "content": "Say A."}, {"role": "assistant", "content": "A"}]
    reply = gateway.post("/v1/chat/completions", {"model": "m", "messages": turns})
    assert reply.status == 200 and reply.json["choices"][0]["message"]["content"] == "I can"
    (row,) = told(gateway)
    assert [a.get("fault") for a in row["attempts"]] == ["unsupported", None]
    said = command("explain", "m", "--config", gateway.file).stdout
    assert "what one of them cannot take goes to the next" in said, said
    upstream.close()
