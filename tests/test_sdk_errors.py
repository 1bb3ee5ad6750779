"""The official SDKs through the gateway when something goes wrong: refusals, limits, broken upstreams, time, leaving.
SPDX-License-Identifier: MIT"""

import time

import pytest

from harness import replies
from harness.gateway import KEYS
from harness.replies import Say
from harness.upstream import Answer, Gate
from harness.vendors import DIALECTS, VENDORS


def chat(vendor, **more):
    return {"model": VENDORS[vendor], "messages": [{"role": "user", "content": "hello"}]} | more


def held(gate, after, say=None):
    """An answer whose stream waits at `gate` after so many events."""

    def make(request):
        answer = replies.answer(request, say or Say(text="one two three four five six seven"))
        return answer.with_(pieces=[*answer.pieces[:after], gate, *answer.pieces[after:]])

    return make


def test_unknown_model(gateway, upstream, sdk):
    error = sdk.run("chat", gateway.url, chat("openai") | {"model": "dmo"}).error
    assert (error["class"], error["status"], error["code"]) == ("NotFoundError", 404, "model_not_found")
    assert '"dmo"' in error["message"] and '"demo"' in error["message"]
    assert error["request_id"] and upstream.seen == []


def test_key_of_ours_refused_is_never_the_clients_401(gateway, upstream, sdk, vendor):
    secret = KEYS[vendor]
    upstream.answer(replies.error(DIALECTS[vendor], 401, f"Incorrect API key provided: {secret}"))
    error = sdk.run("chat", gateway.url, chat(vendor)).error
    assert (error["class"], error["status"]) == ("InternalServerError", 502)
    assert secret not in str(error)


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_limit_of_the_vendor(gateway, upstream, sdk, vendor, mode):
    upstream.answer(
        replies.error(DIALECTS[vendor], 429, "Too many requests for this organisation", headers=[("retry-after", "7")])
    )
    error = sdk.run(mode, gateway.url, chat(vendor)).error
    assert (error["class"], error["status"]) == ("RateLimitError", 429)
    assert "Too many requests" in error["message"] and error["headers"]["retry-after"] == "7"


@pytest.mark.parametrize("status", [500, 503, 529])
def test_vendor_in_trouble(gateway, upstream, sdk, vendor, status):
    upstream.answer(replies.error(DIALECTS[vendor], status, "the vendor is down"))
    error = sdk.run("chat", gateway.url, chat(vendor)).error
    assert error["class"] == "InternalServerError" and error["status"] >= 500
    assert "the vendor is down" in error["message"]


def test_page_of_a_cdn_becomes_an_error(gateway, upstream, sdk, vendor):
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>cloud edge says no</h1></body></html>"
    upstream.answer(Answer(status=502, headers=[("Content-Type", "text/html")], pieces=[page]))
    error = sdk.run("chat", gateway.url, chat(vendor)).error
    assert (error["class"], error["status"]) == ("InternalServerError", 502)
    assert error["type"] and "<html" not in error["message"]


def test_error_body_in_a_200(gateway, upstream, sdk, vendor):
    upstream.answer(replies.error(DIALECTS[vendor], 429, "limit in disguise").with_(status=200))
    error = sdk.run("chat", gateway.url, chat(vendor)).error
    if vendor == "openai" and error is None:
        pytest.fail("an error body came as a success")
    assert error["status"] >= 400 and "limit in disguise" in error["message"]


def test_sdk_retries_through_us(gateway, upstream, sdk, vendor):
    upstream.answer(replies.error(DIALECTS[vendor], 503, "once", headers=[("retry-after-ms", "20")]))
    upstream.say(text="second try")
    got = sdk.run("chat", gateway.url, chat(vendor), max_retries=2)
    assert got.error is None, got.error
    assert got.text == "second try" and len(upstream.seen) == 2


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_sdk_timeout_reaches_the_upstream(gateway, upstream, sdk, vendor, mode):
    """The SDK gives up after half a second; the upstream notices soon after."""
    gate = Gate()
    upstream.answer(Answer(pieces=[gate, b"{}"]) if mode == "chat" else held(gate, 0))
    began = time.monotonic()
    error = sdk.run("leave", gateway.url, chat(vendor, stream=mode == "stream"), timeout=0.5, after=99).error
    told = time.monotonic()
    if mode == "chat":
        assert error["class"] in ("APITimeoutError", "APIConnectionTimeoutError")
    assert error is not None and told - began < 3
    assert upstream.left.wait(1)
    assert upstream.gone[0][0] - told < 0.3


@pytest.mark.parametrize("mode", ["chat", "stream"])
def test_cancelling(gateway, upstream, sdk, vendor, mode):
    gate = Gate()
    upstream.answer(held(gate, 3) if mode == "stream" else Answer(pieces=[gate, b"{}"]))
    if mode == "stream":
        got = sdk.run("leave", gateway.url, chat(vendor, stream=True), after=1)
        assert got.error is None and len(got.chunks) == 1
    else:
        sdk.run("leave", gateway.url, chat(vendor), timeout=0.2)
    left = time.monotonic()
    assert upstream.left.wait(1), "the upstream never noticed"
    assert upstream.gone[0][0] - left < 0.3


def test_events_are_passed_on_as_they_come(gateway, upstream, sdk, vendor):
    """The first words arrive while the upstream still holds the rest, which it never gives."""
    upstream.answer(held(Gate(), 4))
    got = sdk.run("leave", gateway.url, chat(vendor, stream=True), after=2, timeout=10)
    assert got.error is None and got.text.startswith("one")


@pytest.mark.parametrize("end", ["fin", "cut", "reset"])
def test_stream_without_its_end_is_an_error(gateway, upstream, sdk, vendor, end):
    """Whatever way it breaks, the SDK raises; nothing looks like success."""

    def broken(request):
        answer = replies.answer(request, Say(text="half of the answer and then no more"))
        return answer.with_(pieces=answer.pieces[:4], end=end)

    upstream.answer(broken)
    got = sdk.run("stream", gateway.url, chat(vendor))
    assert got.error is not None, got.chunks
    assert got.finish == []


IN_STREAM = {
    "openai": 'data: {"error":{"message":"it stumbled","type":"server_error","param":null,"code":null}}\n\n',
    "claude": 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"it stumbled"}}\n\n',
    "gemini": 'data: {"error":{"code":503,"message":"it stumbled","status":"UNAVAILABLE"}}\r\n\r\n',
}


def test_error_inside_a_stream(gateway, upstream, sdk, vendor):
    def broken(request):
        answer = replies.answer(request, Say(text="half of the answer and then no more"))
        return answer.with_(pieces=[*answer.pieces[:4], IN_STREAM[vendor].encode()], end="fin")

    upstream.answer(broken)
    got = sdk.run("stream", gateway.url, chat(vendor))
    assert got.error is not None and "it stumbled" in got.error["message"]
    assert "half".startswith(got.text[:4])


def test_first_event_is_an_error(gateway, upstream, sdk, vendor):
    """An error before anything was said may still have a status; it must be an error either way."""
    head = [("Content-Type", "text/event-stream")]
    upstream.answer(Answer(headers=head, framing="chunked", pieces=[IN_STREAM[vendor].encode()]))
    got = sdk.run("stream", gateway.url, chat(vendor))
    assert got.error is not None and "it stumbled" in got.error["message"]


def test_whole_reply_to_a_stream_becomes_one(gateway, upstream, sdk, vendor):
    """A vendor that answers JSON though a stream was asked for."""

    def whole(request):
        body = replies.dumps(replies.WHOLE[request.dialect](Say(text="all at once"), VENDORS[vendor]))
        return Answer(pieces=[body.encode()])

    upstream.answer(whole)
    got = sdk.run("stream", gateway.url, chat(vendor))
    assert got.error is None, got.error
    assert (got.text, got.finish) == ("all at once", "stop")


def test_truncated_whole_reply(gateway, upstream, sdk, vendor):
    def cut(request):
        body = replies.answer(request, Say(text="never to be read")).payload()
        return Answer(
            headers=[("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
            framing="none",
            pieces=[body[:-30]],
            end="fin",
        )

    upstream.default = cut
    got = sdk.run("chat", gateway.url, chat(vendor))
    assert got.error is not None and got.error["class"] in ("InternalServerError", "APIConnectionError")
    assert got.completion is None
