"""The harness against itself: SDKs and raw client straight at the scripted upstream, no gateway between. What fails
here is no fault of the gateway.
SPDX-License-Identifier: MIT
"""

import ssl
import subprocess
import time

import pytest

from harness import certs, prometheus, proxies, raw, replies
from harness.replies import Call, Say, dumps
from harness.upstream import Answer, Gate, Upstream


@pytest.fixture
def direct():
    upstream = Upstream()
    yield upstream
    upstream.close()


HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
CALLS = [Call("weather", {"city": "Zürich"}), Call("clock", {})]


def test_sdks_read_what_the_upstream_says(direct, sdk):
    direct.say(text="grüezi 👋", calls=CALLS, cached=5, reasoning=3)
    whole = sdk.run("chat", direct.url(), HELLO)
    assert whole.text == "grüezi 👋" and whole.finish == "tool_calls"
    assert [c[:2] for c in whole.calls] == [(c.name, c.arguments) for c in CALLS]
    assert whole.usage["prompt_tokens"] == 16 and whole.usage["completion_tokens"] == 10
    direct.say(text="grüezi 👋", calls=CALLS)
    streamed = sdk.run("stream", direct.url(), HELLO | {"stream_options": {"include_usage": True}})
    assert streamed.text == whole.text and streamed.calls == whole.calls and streamed.usage["total_tokens"] == 18
    assert direct.violations == []


def test_sdks_parse_and_leave(direct, sdk):
    direct.say(text=dumps({"name": "Bern", "population": 134000, "rivers": ["Aare"]}))
    assert sdk.run("parse", direct.url(), HELLO).parsed["rivers"] == ["Aare"]
    gate = Gate()

    def held(request):
        answer = replies.answer(request, Say(text="one two three four five"))
        return answer.with_(pieces=[*answer.pieces[:3], gate, *answer.pieces[3:]])

    direct.answer(held)
    assert len(sdk.run("leave", direct.url(), HELLO | {"stream": True}, after=2).chunks) == 2
    assert direct.left.wait(2)


def test_sdk_tells_an_error(direct, sdk):
    direct.answer(replies.error("openai_chat", 429, "slow down", headers=[("retry-after", "1")]))
    error = sdk.run("chat", direct.url(), HELLO).error
    assert error["class"] == "RateLimitError" and error["status"] == 429 and "slow down" in error["message"]
    assert error["headers"]["retry-after"] == "1"


@pytest.mark.parametrize(
    "dialect, path", [("anthropic", "/v1/messages"), ("gemini", "/v1beta/models/gemini-3-pro:generateContent")]
)
def test_a_bad_request_is_refused_as_the_vendor_would(direct, dialect, path):
    bad = (
        {"model": "claude-opus-4-6", "max_tokens": 5, "messages": [{"role": "user", "content": ""}]}
        if dialect == "anthropic"
        else {"contents": []}
    )
    with raw.Connection("127.0.0.1", direct.port) as connection:
        reply = connection.ask("POST", path, [("anthropic-version", "2023-06-01")], bad)
    assert reply.status == 400 and len(direct.violations) == 1 and "error" in reply.json


def test_an_unissued_signature_is_refused(direct):
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "made-up"}]},
    ]
    body = {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": turns}
    with raw.Connection("127.0.0.1", direct.port) as connection:
        reply = connection.ask("POST", "/v1/messages", [("anthropic-version", "2023-06-01")], body)
    assert reply.status == 400 and "signature" in reply.json["error"]["message"]


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
CALL = {"type": "function_call", "call_id": "call_1", "name": "clock", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "noon"}


@pytest.mark.parametrize(
    "items, why",
    [
        ([THOUGHT], "without its required following item"),
        ([THOUGHT | {"encrypted_content": "made-up"}, CALL, RESULT], "could not be verified"),
        ([CALL], "No tool output found"),
        ([RESULT], "No tool call found"),
        ([{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}], "input_text"),
    ],
)
def test_a_history_of_items_is_judged(direct, items, why):
    body = {"model": "gpt-5", "input": [{"role": "user", "content": "a"}, *items]}
    with raw.Connection("127.0.0.1", direct.port) as connection:
        reply = connection.ask("POST", "/v1/responses", (), body)
    assert reply.status == 400 and why in reply.json["error"]["message"]


def test_google_s_fields_are_known_under_both_names(direct):
    body = {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "AA=="}}]}]}
    with raw.Connection("127.0.0.1", direct.port) as connection:
        assert connection.ask("POST", "/v1beta/models/gemini-3-pro:generateContent", (), body).status == 200
        body["contents"][0]["parts"][0]["text"] = "two kinds of data in one part"
        assert connection.ask("POST", "/v1beta/models/gemini-3-pro:generateContent", (), body).status == 400


def test_faults_are_what_they_say(direct):
    direct.answer(
        Answer(before="reset"),
        Answer(pieces=[b"ab", b"cd"], framing="chunked", end="cut"),
        Answer(pieces=[b"whole"], framing="close"),
        Answer(pieces=[(0.1, b"late")]),
    )
    with pytest.raises(ConnectionResetError), raw.Connection("127.0.0.1", direct.port) as connection:
        connection.ask("POST", "/v1/chat/completions", (), HELLO)
    with raw.Connection("127.0.0.1", direct.port) as connection:
        reply = connection.ask("POST", "/v1/chat/completions", (), HELLO)
    assert reply.body == b"abcd" and not reply.complete
    with raw.Connection("127.0.0.1", direct.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", (), HELLO).body == b"whole"
    began = time.monotonic()
    with raw.Connection("127.0.0.1", direct.port) as connection:
        assert connection.ask("POST", "/v1/chat/completions", (), HELLO).body == b"late"
    assert time.monotonic() - began >= 0.1


@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_proxies_and_certificates(tmp_path, kind):
    """curl, which knows both kinds, reaches a TLS upstream of another name through the proxy."""
    authority = certs.Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("vendor", ["api.vendor.example"]))
    upstream = Upstream(tls=context)
    proxy = proxies.Proxy(kind, upstream.port, user="anna:secret")
    url = proxy.url("anna:secret").replace("socks5:", "socks5h:")
    command = [
        "curl",
        "-sS",
        "--proxy",
        url,
        "--cacert",
        authority.cert,
        "https://api.vendor.example/v1/chat/completions",
        "--json",
        dumps(HELLO),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    assert "pong" in done.stdout, done.stderr
    assert proxy.asked == ["api.vendor.example:443"] and upstream.names == ["api.vendor.example"]
    proxy.close()
    upstream.close()


GOOD = """# HELP a_total Things.
# TYPE a_total counter
a_total{x="1"} 2
# HELP b_seconds Times.
# TYPE b_seconds histogram
b_seconds_bucket{le="1"} 1
b_seconds_bucket{le="+Inf"} 2
b_seconds_sum 3.5
b_seconds_count 2
"""


def test_the_reader_of_metrics_is_strict():
    assert prometheus.total(prometheus.read(GOOD), "a_total") == 2
    for old, new in [
        ("a_total", "a"),
        ('le="+Inf"} 2', 'le="+Inf"} 0'),
        ("# TYPE b", "#"),
        ('{x="1"}', "{x=1}"),
        ("_count 2", "_count 3"),
    ]:
        with pytest.raises(AssertionError):
            prometheus.read(GOOD.replace(old, new))
