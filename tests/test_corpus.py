"""Recorded traffic of real vendors replayed through the gateway to an OpenAI client: byte for byte where the dialect is
the same, word for word where it is not.
SPDX-License-Identifier: MIT"""

import json

import pytest

from harness import corpus
from harness.gateway import Gateway
from harness.recorded import anthropic, bedrock, gemini

pytestmark = pytest.mark.corpus


def ids(rows):
    return [r["file"].rsplit("-", 1)[1].removesuffix(".json") for r in rows]


@pytest.fixture(scope="module")
def front(request, session_upstream, tmp_path_factory):
    """alike: every model goes to a look-alike of OpenAI. vendors: Claude and Gemini by their names."""
    url, key = session_upstream.url, "sk-canary-of-replay"
    backends = {
        "alike": {"alike": {"type": "openai", "base_url": url("/v1"), "api_key": key, "models": ["*"]}},
        "vendors": {
            "claude": {"base_url": url(), "api_key": key, "models": ["claude-*"]},
            "gemini": {"base_url": url(), "api_key": key, "models": ["gemini-*"]},
            "bedrock": {"base_url": url(), "api_key": key, "models": ["*"]},
        },
    }[request.param]
    gateway = Gateway(tmp_path_factory.mktemp("corpus"), {"backends": backends})
    yield gateway
    gateway.stop()


@pytest.fixture
def replay(front, upstream):
    upstream.keys, upstream.strict = {}, False
    yield lambda exchange, body: _replay(front, upstream, exchange, body)
    assert front.process.poll() is None, front.said()[-8000:]


def _replay(front, upstream, exchange, body):
    upstream.answer(corpus.answer(exchange, piece=37))
    return front.post("/v1/chat/completions", body)


CHAT = corpus.exchanges("openai.chat", lambda r: r["model"] and not r["model"].startswith(("claude-", "gemini-")))


@pytest.mark.parametrize("front", ["alike"], indirect=True)
@pytest.mark.parametrize("row", CHAT, ids=ids(CHAT))
def test_chat_goes_through_untouched(replay, upstream, row):
    exchange = corpus.load(row)
    if exchange["request"] is None or exchange["request"].get("model") is None:
        request = {
            "model": row["model"],
            "messages": [{"role": "user", "content": "?"}],
            "stream": exchange["response_sse"] is not None,
        }
    else:
        request = exchange["request"]
    body = json.dumps(request, ensure_ascii=False).encode()
    reply = replay(exchange, body)
    sent = upstream.last()
    wanted = json.loads(body)
    got = sent.json
    asked_usage = (wanted.get("stream_options") or {}).get("include_usage")
    if wanted.get("stream") and not asked_usage:
        assert got["stream_options"].pop("include_usage") is True
        if not got["stream_options"] and "stream_options" not in wanted:
            del got["stream_options"]
        elif "include_usage" in (wanted.get("stream_options") or {}):
            del wanted["stream_options"]["include_usage"]
        assert got == wanted and list(got) == list(wanted)
    else:
        assert sent.body == body
    recorded = corpus.body_of(exchange)
    if exchange["status"] in (401, 402, 403):
        assert reply.status in (502, 503) and reply.error
    elif exchange["status"] >= 400:
        assert reply.status >= 400 and reply.error if reply.body != recorded else reply.status == exchange["status"]
    elif exchange["response_sse"] is None:
        assert reply.status == exchange["status"] and reply.body == recorded
    elif "incomplete_stream" in row["features"]:
        assert '"error"' in reply.text and "[DONE]" not in reply.text
    elif "error_in_stream" in row["features"]:
        assert '"error"' in reply.text
    else:
        assert reply.status == 200 and reply.complete
        if asked_usage:
            assert reply.body == recorded
        else:
            lines = reply.text.replace("\r\n", "\n").split("\n\n")
            events = recorded.decode().replace("\r\n", "\n").split("\n\n")
            only_usage = [
                e for e in events if '"choices":[]' in e.replace(" ", "") and '"usage":{' in e.replace(" ", "")
            ]
            assert lines == [e for e in events if e not in only_usage]


def check(reply, told, streamed):
    assert reply.status == 200, reply.text
    if not streamed:
        body = reply.json
        message = body["choices"][0]["message"]
        text, calls = (
            message.get("content") or "",
            [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in message.get("tool_calls") or []],
        )
        finish, usage = body["choices"][0]["finish_reason"], body.get("usage")
        thoughts = message.get("reasoning_content") or ""
    else:
        assert reply.events[-1] == "[DONE]", reply.text[-500:]
        text, thoughts, found, finish, usage = "", "", {}, None, None
        for chunk in reply.events[:-1]:
            usage = chunk.get("usage") or usage
            for choice in chunk["choices"]:
                text += choice["delta"].get("content") or ""
                thoughts += choice["delta"].get("reasoning_content") or ""
                finish = choice["finish_reason"] or finish
                for delta in choice["delta"].get("tool_calls") or []:
                    call = found.setdefault(delta["index"], ["", ""])
                    call[0] += (delta.get("function") or {}).get("name") or ""
                    call[1] += (delta.get("function") or {}).get("arguments") or ""
        calls = [(name, json.loads(arguments or "{}")) for name, arguments in found.values()]
    assert text == told.text
    assert calls == told.calls
    assert thoughts == told.thinking
    assert finish == told.finish
    if told.usage:
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == told.usage


def streamed(row):
    """Asked for with alt=sse, as the gateway asks."""
    return usable(row) and corpus.load(row)["response_sse"] is not None


def usable(row):
    return row["status"] == 200 and not {
        "incomplete_stream",
        "error_in_stream",
        "refusal",
        "pause_turn",
        "image_output",
    } & set(row["features"])


CLAUDE = corpus.exchanges("anthropic.messages", usable)


@pytest.mark.parametrize("front", ["vendors"], indirect=True)
@pytest.mark.parametrize("row", CLAUDE, ids=ids(CLAUDE))
def test_claude_is_retold(replay, upstream, row):
    exchange = corpus.load(row)
    streamed = exchange["response_sse"] is not None
    body = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "?"}], "stream": streamed}
    if streamed:
        body["stream_options"] = {"include_usage": True}
    check(replay(exchange, body), anthropic(exchange), streamed)


GEMINI = corpus.exchanges("gemini.generate", usable)
GEMINI += corpus.exchanges("gemini.stream", streamed)
GEMINI = [row for row in GEMINI if gemini(corpus.load(row))]


@pytest.mark.parametrize("front", ["vendors"], indirect=True)
@pytest.mark.parametrize("row", GEMINI, ids=ids(GEMINI))
def test_gemini_is_retold(replay, upstream, row):
    exchange = corpus.load(row)
    told = gemini(exchange)
    streamed = row["api"] == "gemini.stream"
    body = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "?"}], "stream": streamed}
    if streamed:
        body["stream_options"] = {"include_usage": True}
    check(replay(exchange, body), told, streamed)


BEDROCK = corpus.exchanges("bedrock.converse", usable) + corpus.exchanges("bedrock.converse_stream", usable)
BEDROCK = [row for row in BEDROCK if bedrock(corpus.load(row))]


@pytest.mark.parametrize("front", ["vendors"], indirect=True)
@pytest.mark.parametrize("row", BEDROCK, ids=ids(BEDROCK))
def test_bedrock_is_retold(replay, upstream, row):
    exchange = corpus.load(row)
    streamed = row["api"] == "bedrock.converse_stream"
    body = {"model": "amazon.nova-pro-v1:0", "messages": [{"role": "user", "content": "?"}], "stream": streamed}
    if streamed:
        body["stream_options"] = {"include_usage": True}
    check(replay(exchange, body), bedrock(exchange), streamed)


@pytest.mark.parametrize("front", ["vendors"], indirect=True)
@pytest.mark.parametrize("row", corpus.exchanges("bedrock.converse") + corpus.exchanges("bedrock.converse_stream"))
def test_converse_goes_through_untouched(front, upstream, row):
    exchange = corpus.load(row)
    upstream.keys, upstream.strict = {}, False
    upstream.answer(corpus.answer(exchange, piece=37))
    body = json.dumps(exchange["request"] or {"messages": []}, ensure_ascii=False).encode()
    reply = front.post(exchange["path"], body)
    assert upstream.last().body == body
    model, way = exchange["path"].removeprefix("/model/").rsplit("/", 1)
    assert upstream.last().path == f"/model/{model.replace(':', '%3A')}/{way}"
    if exchange["status"] == 403:
        assert reply.status == 502 and reply.header("x-amzn-errortype") == "InternalServerException"
    else:
        assert reply.status == exchange["status"] and reply.body == corpus.body_of(exchange)
        kind = (exchange["response_headers"] or {}).get("x-amzn-errortype")
        assert exchange["status"] == 200 or reply.header("x-amzn-errortype") == kind
