"""What is too long for one target goes to another that may hold more, whole and as a stream, in each dialect; where there is
none, the vendor's own words are told. SPDX-License-Identifier: MIT"""

import json

import pytest

from harness import replies
from harness.gateway import backends
from harness.mouthpieces import ask
from harness.replies import Say
from harness.upstream import Answer

OPENAI = {
    "error": {
        "message": "This model's maximum context length is 128000 tokens. However, your messages resulted in 128100 tokens.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}
CLAUDE = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "prompt is too long: 200100 tokens > 200000 maximum"},
}
OTHER = {"error": {"message": "Unknown parameter.", "type": "invalid_request_error", "param": "x", "code": "unknown_parameter"}}


def refuses(body):
    return Answer(status=400, headers=[("Content-Type", "application/json")], pieces=[json.dumps(body).encode()])


SMALL = {"backend": "openai", "model": "gpt-4o"}  # 128,000
LARGER = {"backend": "claude", "model": "claude-sonnet-4-5"}  # 200,000
LARGEST = {"backend": "gemini", "model": "gemini-2.5-pro"}  # 1,048,576
SMALLER = {"backend": "openai", "model": "gpt-4"}  # 8,192


@pytest.fixture
def route(start, upstream):
    """route(entries, refusals by path) -> gateway. Whoever refuses nothing answers."""

    def begin(entries, refusals, **more):
        def say(request):
            for part, body in refusals.items():
                if part in request.path:
                    return refuses(body)
            return replies.answer(request, Say(text="it fits"))

        upstream.default = say
        return start({"backends": backends(upstream), "routes": [{"model": "smart", "try": entries}]} | more)

    return begin


def tried(upstream):
    return [request.path.split("?")[0].rsplit("/", 1)[1].split(":")[0] for request in upstream.seen]


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini"])
def test_a_larger_window_steps_in(route, upstream, client, mode):
    gateway = route([SMALL, SMALLER, LARGER, LARGEST], {"chat/completions": OPENAI, "v1/messages": CLAUDE})
    reply = ask(gateway, client, "smart", mode)
    assert reply.status == 200 and b"it fits" in reply.body, reply.body
    assert reply.header("x-sluice-backend") == "gemini"
    # The smaller one is passed by.
    assert tried(upstream) == ["completions", "messages", "gemini-2.5-pro"]


@pytest.mark.parametrize("mode", ["whole", "stream"])
@pytest.mark.parametrize("client", ["openai_chat", "anthropic"])
def test_the_vendors_own_words_where_nobody_is_larger(route, upstream, client, mode):
    first = SMALL if client == "openai_chat" else LARGER
    gateway = route([first, SMALLER], {"chat/completions": OPENAI, "v1/messages": CLAUDE})
    reply = ask(gateway, client, "smart", mode)
    assert reply.status == 400
    assert reply.json == (OPENAI if client == "openai_chat" else CLAUDE)
    assert len(upstream.seen) == 1


def test_a_window_that_is_not_known_is_tried(route, upstream):
    near = {"type": "compatible", "base_url": upstream.url("/near"), "models": ["own"]}
    gateway = route([SMALL, {"backend": "near", "model": "own"}], {"v1/chat/completions": OPENAI}, backends=backends(upstream) | {"near": near})
    upstream.keys = {}
    reply = gateway.chat("smart")
    assert reply.status == 200 and reply.header("x-sluice-backend") == "near"


def test_other_refusals_stay(route, upstream):
    gateway = route([SMALL, LARGER], {"chat/completions": OTHER})
    reply = gateway.chat("smart")
    assert reply.status == 400 and reply.json == OTHER
    assert len(upstream.seen) == 1


def test_what_is_surely_too_long_is_not_sent_to_the_small(route, upstream):
    gateway = route([SMALLER, LARGEST], {})
    assert gateway.chat("smart", text="many different words " * 9000).header("x-sluice-backend") == "gemini"
    assert tried(upstream) == ["gemini-2.5-pro"]
    assert gateway.chat("smart", text="few words").header("x-sluice-backend") == "openai"


def test_where_all_are_too_small_the_vendor_says_so(route, upstream):
    gateway = route([SMALLER, {"backend": "openai", "model": "gpt-4-0613"}], {"chat/completions": OPENAI})
    reply = gateway.chat("smart", text="many different words " * 9000)
    assert reply.status == 400 and reply.json == OPENAI
    assert len(upstream.seen) == 1
